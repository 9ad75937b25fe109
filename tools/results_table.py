"""Writes the committed results' table into the README, or checks that it is as the records say.

python -m tools.results_table [--check]
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.record import Record, read_record
from benchmarks.saved import machine_name

_DOCUMENT: Final = Path("README.md")
_RECORD: Final = Path("benchmarks/results/two-cores/peers.json")
_PATTERN: Final = re.compile("<!-- results -->.*?<!-- end -->", re.DOTALL)

_DEFAULT: Final = "matte-int8"
_CONCURRENCY: Final = 4
# Photos and file, and who makes it.
_ROWS: Final = (
    (1, "jpeg", "1 megapixel, JPEG on white"),
    (4, "jpeg", "4 megapixels, JPEG on white"),
)
_PNG: Final = (1, "png", "1 megapixel, transparent PNG")
# Name in the record, in the table, and what it runs.
_PEERS: Final = (
    ("packshot", "Packshot", _DEFAULT),
    ("litserve", "LitServe", _DEFAULT),
    ("bentoml", "BentoML", _DEFAULT),
    ("rembg", "rembg, U²-NetP", "u2netp"),
)


def as_markdown(record: Record) -> str:
    """Give throughput and 95th percentile of everyone who was compared, and the machine."""
    lines = [
        f"| {_CONCURRENCY} callers | " + " | ".join(name for _, name, _ in _PEERS) + " |",
        "|---" * (len(_PEERS) + 1) + "|",
        *(
            f"| {title} | " + " | ".join(_cells(record, megapixels, output)) + " |"
            for megapixels, output, title in (*_ROWS, _PNG)
        ),
        "",
        f"*{_told(record)}*",
    ]
    return "\n".join(lines)


def _told(record: Record) -> str:
    return (
        f"{machine_name(record)}, no GPU, commit {record.commit[:10]}; images a second, and the "
        "95th percentile of the time that a caller waits; one run."
    )


def with_table(document: str) -> str:
    """Return the document's text with the table as the record has it."""
    table = f"<!-- results -->\n{as_markdown(read_record(_RECORD))}\n<!-- end -->"
    document, count = _PATTERN.subn(lambda _match: table, document)
    if count != 1:
        raise ValueError(f"{_DOCUMENT} has {count} places for the results, not one")
    return document


def _cells(record: Record, megapixels: float, output: str) -> Iterator[str]:
    for peer, _, model in _PEERS:
        found = [
            row
            for row in record.rows
            if (row["peer"], row["model"], row["concurrency"]) == (peer, model, _CONCURRENCY)
            and (row["photo_megapixels"], row["output"]) == (megapixels, output)
        ]
        yield f"{found[0]['images_per_s']:.1f}/s, {found[0]['p95_ms']:.0f} ms" if found else ""


def main() -> int:
    """Run the command; returns 1 if a check finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m tools.results_table", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare, change nothing")
    check = parser.parse_args().check
    document = _DOCUMENT.read_text()
    wanted = with_table(document)
    if check and document != wanted:
        print(f"{_DOCUMENT}: the results differ from the record: run python -m tools.results_table")
        return 1
    if not check:
        _DOCUMENT.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
