"""Writes the committed results' table into the README, or checks that it is as the records say.

python -m tools.results_table [--check]
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.record import Record, read_record
from benchmarks.saved import machine_name
from tools.documents import filled, run

_DOCUMENT: Final = Path("README.md")
_RECORD: Final = Path("benchmarks/results/two-cores/peers.json")

_DEFAULT: Final = "matte-int8"
_CONCURRENCY: Final = 4
# Megapixels of the photos, what comes out, and what the table calls it.
_ROWS: Final = (
    (1, "jpeg", "1 megapixel, JPEG on white"),
    (4, "jpeg", "4 megapixels, JPEG on white"),
    (1, "png", "1 megapixel, transparent PNG"),
)
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
            for megapixels, output, title in _ROWS
        ),
        "",
        f"*{_told(record)}*",
    ]
    return "\n".join(lines)


def _told(record: Record) -> str:
    gpu = "" if record.machine["gpu"] else ", no GPU"
    return (
        f"{machine_name(record)}{gpu}, commit {record.commit[:10]}; images a second, and the "
        "95th percentile of the time that a caller waits; one run."
    )


def with_table(document: str) -> str:
    """Return the document's text with the table as the record has it."""
    return filled(document, "results", as_markdown(read_record(_RECORD)))


def _cells(record: Record, megapixels: float, output: str) -> Iterator[str]:
    for peer, _, model in _PEERS:
        found = [
            row
            for row in record.rows
            if (row["peer"], row["model"], row["concurrency"]) == (peer, model, _CONCURRENCY)
            and (row["photo_megapixels"], row["output"]) == (megapixels, output)
        ]
        yield f"{found[0]['images_per_s']:.1f}/s, {found[0]['p95_ms']:.0f} ms" if found else ""


if __name__ == "__main__":
    sys.exit(run("tools.results_table", _DOCUMENT, with_table))
