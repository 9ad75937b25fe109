"""`python -m monitoring dashboards`: write the dashboards' files, or check that they are so."""

import argparse
from pathlib import Path
from typing import Final

from monitoring.dashboards import DASHBOARDS
from monitoring.dashboards.grafana import as_json

FOLDER: Final = Path(__file__).parents[1] / "grafana" / "dashboards"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("--check", action="store_true", help="only compare, change nothing")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; returns 1 if a check finds a difference."""
    wanted = {FOLDER / f"{each.uid}.json": as_json(each) for each in DASHBOARDS}
    if not arguments.check:
        for path, text in wanted.items():
            path.write_text(text)
        return 0
    there = {path: path.read_text() for path in FOLDER.glob("*.json")}
    for path in sorted(wanted.keys() | there.keys()):
        if wanted.get(path) != there.get(path):
            print(f"{path}: differs from the code: run `make dashboards`")
    return 0 if wanted == there else 1
