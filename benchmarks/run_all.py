"""All benchmarks that a GPU is chosen by, one after the other: `python -m benchmarks all`.

Each runs as a process of its own, with what it needs of the time that is left. One that fails, or
takes too long, does not stop the others; in the end it is named, and the status is 1.
"""

import argparse
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from benchmarks.errors import BenchmarkError
from benchmarks.flags import add_flags

log = logging.getLogger("benchmarks")

_MINUTES, _QUICK_MINUTES = 30.0, 2.0
# The shares are what each takes on a quiet machine. A busy one is slower, so each may take half as
# much again, unless that would shorten what comes after it.
_SLACK = 1.5
# What reads saved records alone comes last, and is given this much even when the time is over.
_LEAST_S = 60.0
# Stopping a stack, its requests in flight included.
_STOP_TIMEOUT_S = 90.0


@dataclass(frozen=True, slots=True)
class Step:
    """One benchmark of the run."""

    name: str  # its command
    share: float  # its share of the time
    reads_folder: bool = False  # whether it takes the folder of the others' records as its argument
    arguments: tuple[str, ...] = ()  # what it is told in a run that is not quick
    quick_arguments: tuple[str, ...] = ()  # what it is told in one that is


# Minutes of thirty. The sweep has a flag for its time and two concurrencies, the one of a lone
# caller and one that fills batches; it goes through more configurations for it.
STEPS = (
    Step("load", 6),
    Step("sweep", 7, arguments=("--minutes", "7", "--concurrency", "1", "8")),
    Step("limits", 4),
    # A smoke run leaves out rembg: its start and the U²-NetP that it needs take half a minute.
    Step("peers", 9, quick_arguments=("--only", "litserve", "bentoml", "triton")),
    Step("why-gpu", 3, arguments=("--budget-s", "180")),
    Step("cost", 0.5, reads_folder=True),
    Step("report", 0.5, reads_folder=True),
)


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    add_flags(parser, "--out", "--quick")
    parser.add_argument(
        "--minutes", type=float, help=f"for all ({_MINUTES:g}; {_QUICK_MINUTES:g} with --quick)"
    )
    names = [step.name for step in STEPS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="run these alone")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Run every benchmark.

    Raises:
        BenchmarkError: Some failed, took too long or are not there.
    """
    minutes = arguments.minutes or (_QUICK_MINUTES if arguments.quick else _MINUTES)
    steps = [step for step in STEPS if step.name in arguments.only]
    arguments.out.mkdir(parents=True, exist_ok=True)
    end_s = time.monotonic() + minutes * 60
    faults = []
    for number, step in enumerate(tqdm(steps, desc="all", unit="benchmark")):
        limit_s = time_for(steps[number:], end_s - time.monotonic())
        fault = _run_step(command_of(step, arguments.out, quick=arguments.quick), limit_s)
        if fault:
            log.error("%s: %s", step.name, fault)
            faults.append(f"{step.name}: {fault}")
    if faults:
        raise BenchmarkError("\n".join(("not everything went well:", *faults)))


def time_for(steps: Sequence[Step], left_s: float) -> float:
    """Return how long the first of some steps may take, s.

    Args:
        steps: What there is still to do.
        left_s: What is left of the time for it; below 0 once it is over.
    """
    share = steps[0].share / sum(step.share for step in steps)
    return max(_LEAST_S, min(_SLACK * share, 1.0) * left_s)


def command_of(step: Step, out: Path, *, quick: bool) -> list[str]:
    """Return a step's command line."""
    command = [sys.executable, "-m", "benchmarks", step.name]
    if step.reads_folder:
        return [*command, str(out)]
    told = ("--quick", *step.quick_arguments) if quick else step.arguments
    return [*command, "--out", str(out), *told]


def _run_step(command: Sequence[str], limit_s: float) -> str:
    """Run a command; returns what went wrong, empty if nothing did."""
    print(f"\n$ {' '.join(command[1:])}", flush=True)
    # Ctrl-C reaches all of the terminal's group, and each then stops what it has started.
    process = subprocess.Popen(command)
    try:
        status = process.wait(limit_s)
    except subprocess.TimeoutExpired:
        _interrupt(process)
        return f"was stopped after {limit_s:.0f} s, its share of the time and half as much again"
    except KeyboardInterrupt:
        _interrupt(process)
        raise
    return f"ended with status {status}" if status else ""


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """Stop a benchmark so that it stops its servers, as Ctrl-C would."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
