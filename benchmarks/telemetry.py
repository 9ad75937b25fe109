"""The cost of metrics, log and traces: `python -m benchmarks telemetry`.

Each kind is measured alone, in a process of its own, as processor time for each call. Whole
gateways with and without it were compared as well; the difference of their throughput was smaller
than the spread of the rounds, so that comparison was removed.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from statistics import median
from typing import Final

from benchmarks.rounds import over_rounds
from benchmarks.table import as_table
from benchmarks.trace_sink import TraceSink

_TRACE_SHARE: Final = 0.1


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("--rounds", type=int, default=5, help="measurements (%(default)s)")
    parser.add_argument(
        "--calls-per-s", type=float, default=39.0, help="rate to give shares at (%(default)s)"
    )


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure, and print the costs."""
    cores = len(os.sched_getaffinity(0))
    with TraceSink() as sink:
        ways = {
            "metrics and log": ("", 0.0),
            f"with traces of {_TRACE_SHARE:.0%}": (sink.endpoint, _TRACE_SHARE),
        }
        taken_us: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(arguments.rounds):
            for name, (endpoint, share) in ways.items():
                taken_us[name].append(_call_us(endpoint, share))
        received = sink.received
    rows = [
        {
            "cost of": name,
            "processor time of a call, us": median(each_us),
            "spread": f"± {over_rounds(each_us).share:.0%}",
            f"share of {cores} cores at {arguments.calls_per_s:g} calls/s": (
                f"{median(each_us) * 1e-6 * arguments.calls_per_s / cores:.2%}"
            ),
        }
        for name, each_us in taken_us.items()
    ]
    print(as_table(rows))
    print(f"{arguments.rounds} rounds; the collector received {received} requests with spans")


def _call_us(endpoint: str, share: float) -> float:
    """Return the processor time for the telemetry of one call, microseconds."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.telemetry_call", endpoint, str(share)],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return float(done.stdout)
