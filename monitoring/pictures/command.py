"""`python -m monitoring pictures`: draw the dashboards from a Prometheus's data."""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from monitoring.dashboards import DASHBOARDS
from monitoring.pictures.draw import draw
from monitoring.pictures.stage import watched_stack
from monitoring.prometheus_server import PrometheusError
from monitoring.queries import QueryError
from processes.ready import ProcessError

_INTERVAL_S: Final = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument(
        "--prometheus", help="draw from this one, http://HOST:PORT; none: from a stack of its own"
    )
    parser.add_argument("--out", type=Path, default=Path("out/dashboards"), help="(%(default)s)")
    parser.add_argument("--minutes", type=float, default=5, help="of the past (%(default)s)")
    parser.add_argument(
        "--rate-interval", default="15s", help="several of its scrapes (%(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command; returns 1 if something does not start or answer."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as stack:
            url = arguments.prometheus
            if not url:
                print(f"loading a stack for {arguments.minutes:g} minutes", flush=True)
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                watched = watched_stack(folder, arguments.minutes, _INTERVAL_S)
                url = stack.enter_context(watched).url
            for dashboard in DASHBOARDS:
                path = arguments.out / f"{dashboard.uid}.png"
                span = {"minutes": arguments.minutes, "rate_interval": arguments.rate_interval}
                draw(dashboard, url, path, **span)
                print(path)
    except (QueryError, ProcessError, PrometheusError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0
