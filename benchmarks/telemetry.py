"""What it costs to be seen: `python -m benchmarks telemetry`.

Three gateways stand before one Triton: one that nobody sees, one as shipped (metrics and a line per
call) and one that traces a share of its calls as well. They are loaded in turn, in an order that is
reversed each round, with photos so small that as many calls as possible go through in a second;
each round gives a ratio for each pair, and the median of the rounds' ratios is the result. A
gateway's processor time per call is compared beside its throughput: other work on the machine
disturbs it less. Least disturbed is what seeing a call takes by itself, which is set against the
time of all cores that a call has at the highest rate that was reached.
"""

import argparse
import asyncio
import io
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from tqdm import tqdm

from benchmarks.load.usage import Usage
from benchmarks.trace_sink import TraceSink
from deploy.local.stack import Part, Stack, free_addresses, part
from packshot import AsyncClient
from processes.ready import free_ports

log = logging.getLogger("benchmarks")

_SIZE_PX: Final = (320, 240)
_CONCURRENCY: Final = 4
_TRACE_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Turn:
    """One gateway's turn in one round.

    Attributes:
        calls_per_s: Calls answered a second.
        cpu_s_per_call: Processor time of the gateway's processes per call.
    """

    calls_per_s: float
    cpu_s_per_call: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a kind of being seen costs: shares of the gateway that is not seen so, medians.

    Attributes:
        name: What is compared.
        throughput: Loss of throughput, 0.01 for a hundredth.
        throughput_spread: Half the distance between the quartiles of the rounds' ratios.
        cpu: More processor time per call.
        cpu_spread: As `throughput_spread`.
    """

    name: str
    throughput: float
    throughput_spread: float
    cpu: float
    cpu_spread: float


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument(
        "--rounds", type=int, default=12, help="rounds of three turns (%(default)s)"
    )
    parser.add_argument("--calls", type=int, default=400, help="calls in a turn (%(default)s)")
    parser.add_argument("--photo", type=Path, default=Path("samples/mug.jpg"))
    parser.add_argument("--json", type=Path, help="file for the figures")


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Measure, and print the costs."""
    with tempfile.TemporaryDirectory() as logs, TraceSink() as sink:
        turns = _measure(arguments, environ, Path(logs), sink.endpoint)
        spans = sink.received
        alone_us = {
            "metrics and log": _alone_us(Path(logs), "", 0),
            f"with traces of {_TRACE_SHARE:.0%}": _alone_us(
                Path(logs), sink.endpoint, _TRACE_SHARE
            ),
        }
    costs = [
        compare("metrics and log", turns["bare"], turns["seen"]),
        compare(f"traces of {_TRACE_SHARE:.0%}", turns["seen"], turns["traced"]),
    ]
    fastest = max(turn.calls_per_s for each in turns.values() for turn in each)
    print(f"{fastest:.0f} calls/s at most, {arguments.rounds} rounds, {spans} requests of spans")
    print("| cost of | throughput | +- | processor time per call | +- |\n|---|---|---|---|---|")
    for cost in costs:
        print(
            f"| {cost.name} | {cost.throughput:+.2%} | {cost.throughput_spread:.2%} "
            f"| {cost.cpu:+.2%} | {cost.cpu_spread:.2%} |"
        )
    cores = len(os.sched_getaffinity(0))
    for name, took_us in alone_us.items():
        share = took_us * 1e-6 * fastest / cores
        print(
            f"{name}: {took_us:.0f} us of processor time a call, "
            f"{share:.2%} of {cores} cores at {fastest:.0f} calls/s"
        )
    if arguments.json:
        rows = [
            {
                "gateway": name,
                "calls_per_s": turn.calls_per_s,
                "cpu_s_per_call": turn.cpu_s_per_call,
            }
            for name, each in turns.items()
            for turn in each
        ]
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


def compare(name: str, without: Sequence[Turn], with_it: Sequence[Turn]) -> Cost:
    """Compare two gateways, round by round.

    Args:
        name: What the second has and the first has not.
        without: The first's turns.
        with_it: The second's, in the same order.
    """
    pairs = list(zip(without, with_it, strict=True))
    lost = [1 - after.calls_per_s / before.calls_per_s for before, after in pairs]
    more = [after.cpu_s_per_call / before.cpu_s_per_call - 1 for before, after in pairs]
    return Cost(
        name, statistics.median(lost), _spread(lost), statistics.median(more), _spread(more)
    )


def _spread(values: Sequence[float]) -> float:
    if len(values) < 2:  # noqa: PLR2004  quartiles need two
        return 0.0
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return (third - first) / 2


def _measure(
    arguments: argparse.Namespace, environ: Mapping[str, str], logs: Path, endpoint: str
) -> dict[str, list[Turn]]:
    addresses = free_addresses()
    # Nothing but the calls shall run: the first ones are all the proof of readiness there is.
    own = {**environ, **addresses, "PACKSHOT_PROBE_INTERVAL_S": "3600", "PACKSHOT_MAX_WAIT_S": "60"}
    traced = {"PACKSHOT_OTLP_ENDPOINT": endpoint, "PACKSHOT_TRACE_SHARE": str(_TRACE_SHARE)}
    photo = _small(arguments.photo)
    with ExitStack() as stack:
        serving = stack.enter_context(part("serving", own, logs))
        gateways: dict[str, tuple[str, Part]] = {}
        for name, module, more in (
            ("bare", "benchmarks.bare_gateway", {}),
            ("seen", "gateway", {}),
            ("traced", "gateway", traced),
        ):
            port, metrics_port = map(str, free_ports(2))
            mine = own | {"PACKSHOT_PORT": port, "PACKSHOT_METRICS_PORT": metrics_port} | more
            gateway = stack.enter_context(part(module, mine, logs))
            gateways[name] = (f"127.0.0.1:{port}", gateway)
            Stack(f"127.0.0.1:{port}", (serving, gateway), "").wait_until_ready()
        turns: dict[str, list[Turn]] = {name: [] for name in gateways}
        order = list(gateways)
        for target, gateway in gateways.values():  # warm-up
            asyncio.run(_turn(target, gateway, photo, arguments.calls))
        for _ in tqdm(range(arguments.rounds), "rounds", file=sys.stderr):
            for name in order:
                turns[name].append(asyncio.run(_turn(*gateways[name], photo, arguments.calls)))
            order.reverse()
    return turns


def _alone_us(logs: Path, endpoint: str, share: float) -> float:
    """Return the processor time that seeing one call takes, microseconds."""
    command = [sys.executable, "-m", "benchmarks.telemetry_call", endpoint, str(share)]
    with (logs / "lines.log").open("w") as lines:
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=lines)
    return float(done.stdout)


async def _turn(target: str, gateway: Part, photo: bytes, calls: int) -> Turn:
    left = iter(range(calls))
    async with AsyncClient(target, timeout_s=60, retries=False) as client:

        async def keep_asking() -> None:
            for _ in left:
                await client.render(photo)

        cpu_s, start_s = Usage.of([gateway.process.pid]).cpu_s, time.monotonic()
        await asyncio.gather(*(keep_asking() for _ in range(_CONCURRENCY)))
        wall_s = time.monotonic() - start_s
    return Turn(calls / wall_s, (Usage.of([gateway.process.pid]).cpu_s - cpu_s) / calls)


def _small(path: Path) -> bytes:
    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.resize(_SIZE_PX).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
