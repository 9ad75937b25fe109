"""Prints the tables of the gateway's and the face's metrics, writes them into the docs, or checks.

python -m tools.metrics_table [--write | --check]
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from catalogue import telemetry
from gateway.observability.metrics import all_metrics
from gateway.supervision import metrics as supervision
from processes.metrics import Declaration
from tools.documents import filled
from web import metrics as face

_DOCUMENT = Path("docs/monitoring.md")
_MOST_SHOWN = 8


def as_table(metrics: Iterable[Declaration]) -> str:
    """Return metrics as a Markdown table."""
    rows = ["| metric | kind | labels | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{metric.name}` | {metric.kind} | {_labels(metric)} | {metric.help} |"
        for metric in metrics
    ]
    return "\n".join(rows)


def with_table(document: str) -> str:
    """Return the document's text with the table as the code has it."""
    document = filled(document, "metrics", as_table(all_metrics()))
    document = filled(document, "process metrics", as_table(supervision.all_metrics()))
    document = filled(document, "face metrics", as_table(face.all_metrics()))
    return filled(document, "job metrics", as_table(telemetry.all_metrics()))


def main() -> int:
    """Run the command; returns 1 if a check finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m tools.metrics_table", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help=f"write it into {_DOCUMENT}")
    what.add_argument("--check", action="store_true", help="only compare, change nothing")
    arguments = parser.parse_args()
    if not (arguments.write or arguments.check):
        others = (supervision, face, telemetry)
        print(as_table((*all_metrics(), *(each for of in others for each in of.all_metrics()))))
        return 0
    document = _DOCUMENT.read_text()
    wanted = with_table(document)
    if arguments.write:
        _DOCUMENT.write_text(wanted)
    elif document != wanted:
        print(f"{_DOCUMENT}: the metrics differ from the code: run `make readme`")
        return 1
    return 0


def _labels(metric: Declaration) -> str:
    return "; ".join(f"`{name}`{_values(values)}" for name, values in metric.labels.items())


def _values(values: tuple[str, ...]) -> str:
    """Return a label's values; where they are many, the code has them."""
    if not values:
        return ""
    shown = ", ".join(values[:_MOST_SHOWN])
    return f": {shown}, …" if len(values) > _MOST_SHOWN else f": {shown}"


if __name__ == "__main__":
    sys.exit(main())
