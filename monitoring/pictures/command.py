"""`python -m monitoring pictures`: draw the dashboards from a Prometheus that runs."""

import argparse
import sys
from pathlib import Path

from monitoring.dashboards import DASHBOARDS
from monitoring.pictures.draw import draw
from monitoring.queries import QueryError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090", help="(%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out/dashboards"), help="(%(default)s)")
    parser.add_argument("--minutes", type=float, default=5, help="of the past (%(default)s)")
    parser.add_argument(
        "--rate-interval", default="1m", help="four scrapes of that Prometheus (%(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command; returns 1 if Prometheus does not answer."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    for dashboard in DASHBOARDS:
        path = arguments.out / f"{dashboard.uid}.png"
        try:
            draw(
                dashboard,
                arguments.prometheus,
                path,
                minutes=arguments.minutes,
                rate_interval=arguments.rate_interval,
            )
        except QueryError as exc:
            print(f"error: {exc}", file=sys.stderr)
            return 1
        print(path)
    return 0
