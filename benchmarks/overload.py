"""What is left of the service when asked far too much: `python -m benchmarks overload`.

Arrivals are open loop, as callers are who do not know of each other: a Poisson process that no slow
answer holds up. A caller who gives up or is refused is not replaced. The load comes from a process
of its own; what it costs the machine's cores is part of every figure alike, and ratios are taken
within one run.
"""

import argparse
import asyncio
import json
import logging
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.stack import running_aside
from packshot import AsyncClient, PackshotError

log = logging.getLogger("benchmarks")

SAMPLE = Path("samples/mug.jpg")
_PEAK_CONCURRENCY = 4
_TIMEOUT_S = 10.0


@dataclass
class Phase:
    """What one phase of load came to."""

    name: str  # what it is
    rate_per_s: float  # interactive arrivals asked for, a second; 0 in a closed loop
    duration_s: float  # how long photos were sent
    # Answers of interactive requests by status
    statuses: Counter[str] = field(default_factory=Counter)
    bulk: Counter[str] = field(default_factory=Counter)  # answers of bulk requests by status
    # Of the interactive requests that succeeded
    latencies_s: list[float] = field(default_factory=list)

    @property
    def goodput_per_s(self) -> float:
        """Successes of either priority, a second."""
        return (self.statuses["OK"] + self.bulk["OK"]) / self.duration_s

    @property
    def p99_s(self) -> float:
        """The 99th percentile of the interactive successes' latencies."""
        if len(self.latencies_s) < 2:  # noqa: PLR2004  a percentile needs two
            return max(self.latencies_s, default=0.0)
        return statistics.quantiles(self.latencies_s, n=100, method="inclusive")[98]


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("--seconds", type=float, default=40, help="length of each phase")
    parser.add_argument("--photo", type=Path, default=SAMPLE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--target", help=argparse.SUPPRESS)  # set in the load's own process


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Find the peak, then load the service below and far above it, and print both."""
    if arguments.target:
        phases = asyncio.run(_load(arguments))
        json.dump([vars(phase) for phase in phases], sys.stdout)
        return
    with tempfile.TemporaryDirectory() as scratch, running_aside(Path(scratch)) as stack:
        log.info("three phases of %g s", arguments.seconds)
        command = [
            *(sys.executable, "-m", "benchmarks", "overload", "--target", stack.target),
            *("--seconds", str(arguments.seconds), "--photo", str(arguments.photo)),
            *("--seed", str(arguments.seed)),
        ]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    phases = [
        Phase(**phase | {name: Counter(phase[name]) for name in ("statuses", "bulk")})
        for phase in json.loads(done.stdout)
    ]
    print("\n".join(report(phases)))
    if arguments.json:
        arguments.json.write_text(json.dumps([vars(phase) for phase in phases], indent=1))


def report(phases: list[Phase]) -> list[str]:
    """Lay the phases out as a table, and the two ratios that matter below it."""
    lines = [
        "| phase | asked/s | goodput/s | interactive p50 ms | p99 ms | interactive | bulk |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in phases:
        middle_s = statistics.median(each.latencies_s) if each.latencies_s else 0.0
        lines.append(
            f"| {each.name} | {each.rate_per_s:.1f} | {each.goodput_per_s:.1f} "
            f"| {middle_s * 1e3:.0f} | {each.p99_s * 1e3:.0f} "
            f"| {_counts(each.statuses)} | {_counts(each.bulk)} |"
        )
    peak, below, above = phases
    kept = above.goodput_per_s / max(peak.goodput_per_s, 1e-9)
    slower = above.p99_s / max(below.p99_s, 1e-9)
    lines.append(f"\ngoodput at 5 times the peak: {kept:.2f} of the peak's (at least 0.90)")
    lines.append(f"p99 of interactive successes there: {slower:.2f} times that at 0.8 (at most 3)")
    return lines


def _counts(statuses: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(statuses.items())) or "none"


async def _load(arguments: argparse.Namespace) -> list[Phase]:
    photo = arguments.photo.read_bytes()
    rng = random.Random(arguments.seed)  # noqa: S311  no secret
    async with AsyncClient(arguments.target, timeout_s=_TIMEOUT_S, retries=False) as client:
        await _closed(client, photo, min(arguments.seconds, 5.0))  # warm-up
        peak = await _closed(client, photo, arguments.seconds)
        below = await _open(client, photo, rng, "0.8 of it", 0.8 * peak.goodput_per_s, 0, arguments)
        rate = 5 * peak.goodput_per_s
        # Bulk saturates by itself: half of what is asked is as much again as the service can do.
        above = await _open(client, photo, rng, "5 times", rate / 2, rate / 2, arguments)
    return [peak, below, above]


async def _closed(client: AsyncClient, photo: bytes, duration_s: float) -> Phase:
    """Keep a few requests under way: the rate that the service sustains."""
    phase = Phase("peak, closed loop", 0.0, duration_s)
    until_s = time.monotonic() + duration_s

    async def keep_asking() -> None:
        while time.monotonic() < until_s:
            await _ask(client, photo, phase, bulk=False)

    await asyncio.gather(*(keep_asking() for _ in range(_PEAK_CONCURRENCY)))
    return phase


async def _open(
    client: AsyncClient,
    photo: bytes,
    rng: random.Random,
    name: str,
    rate_per_s: float,
    bulk_per_s: float,
    arguments: argparse.Namespace,
) -> Phase:
    """Send at random moments, whatever comes back."""
    phase = Phase(name, rate_per_s + bulk_per_s, arguments.seconds)
    async with asyncio.TaskGroup() as asked:
        start_s = time.monotonic()
        due_s = 0.0
        while (due_s := due_s + rng.expovariate(rate_per_s + bulk_per_s)) < arguments.seconds:
            await asyncio.sleep(start_s + due_s - time.monotonic())
            bulk = rng.random() * (rate_per_s + bulk_per_s) < bulk_per_s
            asked.create_task(_ask(client, photo, phase, bulk=bulk))
    return phase


async def _ask(client: AsyncClient, photo: bytes, phase: Phase, *, bulk: bool) -> None:
    start_s = time.monotonic()
    try:
        await client.render(photo, priority="bulk" if bulk else "interactive")
        code = "OK"
    except PackshotError as error:
        code = error.code.name
    (phase.bulk if bulk else phase.statuses)[code] += 1
    if code == "OK" and not bulk:
        phase.latencies_s.append(time.monotonic() - start_s)
