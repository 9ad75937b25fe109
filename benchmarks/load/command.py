"""The command `python -m benchmarks load`: closed and open loops against a gateway."""

import argparse
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from benchmarks.flags import add_flags
from benchmarks.load.generator import Plan
from benchmarks.load.phase import Phase, carry_out
from benchmarks.load.photos import DEFAULT_MIX, make_photos, parse_size
from benchmarks.load.summary import find_window, summarise, warnings_about
from benchmarks.record import settings_of, write_record
from benchmarks.table import as_table
from deploy.local.stack import running_aside

_TABLE = (
    *("phase", "asked_per_s", "images_per_s", "spread_share", "p50_ms", "p95_ms", "p99_ms"),
    *("p99_9_ms", "cpu_s_per_image", "lag_p99_ms", "statuses"),
)
# Enough to hide one request's waits behind another's work; more only lengthens the queue.
_PEAK_CONCURRENCY = 4


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    add_flags(parser, "--out", "--quick", "--samples", "--seed")
    parser.add_argument("--target", help="a gateway's HOST:PORT; none: a stack of its own is run")
    parser.add_argument(
        "--server-pid",
        type=int,
        nargs="+",
        default=[],
        help="with --target: processes whose time and memory count, with those below them",
    )
    parser.add_argument(
        "--sizes",
        type=parse_size,
        nargs="+",
        default=list(DEFAULT_MIX),
        help="MEGAPIXELS[:WEIGHT] (default: %(default)s)",
    )
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument(
        "--load-shares",
        type=float,
        nargs="*",
        default=[0.5, 0.7, 0.9],
        help="open loops: shares of what a closed loop of 4 gets (default: %(default)s)",
    )
    parser.add_argument(
        "--arrivals", nargs="*", choices=("poisson", "constant"), default=["poisson", "constant"]
    )
    parser.add_argument("--seconds", type=float, default=10, help="length of each phase")
    parser.add_argument("--warm-up-seconds", type=float, default=2, help="left out of each phase")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--timeout-seconds", type=float, default=10, help="what a caller waits")
    parser.add_argument("--bulk-share", type=float, default=0, help="of the requests are bulk work")
    parser.add_argument("--format", choices=("png", "jpeg", "webp", "avif"), help="of the pictures")
    parser.add_argument("--background", help="as `packshot render --background` takes it")
    parser.add_argument("--model", help="the model (default: the gateway's)")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure, print the table and write the record."""
    if arguments.quick:
        arguments.concurrency, arguments.load_shares = arguments.concurrency[:1], [0.5]
        arguments.seconds, arguments.warm_up_seconds, arguments.repeats = 2.0, 0.5, 1
    with (
        tempfile.TemporaryDirectory() as scratch,
        _gateway(arguments, Path(scratch)) as (target, servers),
    ):
        rows = _measure(arguments, target, servers, Path(scratch))
    notes = [note for row in rows for note in warnings_about(row)]
    settings = settings_of(arguments) | {"sizes": [str(size) for size in arguments.sizes]}
    write_record(
        arguments.out / "load.json", "load", settings, rows, seed=arguments.seed, notes=notes
    )
    print(as_table(rows, _TABLE))
    print("\n".join(f"note: {note}" for note in notes))


@contextmanager
def _gateway(arguments: argparse.Namespace, scratch: Path) -> Iterator[tuple[str, Sequence[int]]]:
    """Yield the gateway's address and the servers' process ids."""
    if arguments.target:
        yield arguments.target, arguments.server_pid
        return
    with running_aside(scratch / "logs") as stack:
        yield stack.target, [part.process.pid for part in stack.parts]


def _measure(
    arguments: argparse.Namespace, target: str, servers: Sequence[int], scratch: Path
) -> list[dict[str, Any]]:
    options = {
        name: getattr(arguments, name)
        for name in ("format", "background", "model")
        if getattr(arguments, name)
    }
    base = Plan(
        target=target,
        photos=tuple(make_photos(arguments.samples, arguments.sizes, scratch / "photos")),
        duration_s=arguments.seconds,
        concurrency=_PEAK_CONCURRENCY,
        timeout_s=arguments.timeout_seconds,
        seed=arguments.seed,
        bulk_share=arguments.bulk_share,
        options=options,
    )
    count = len(arguments.concurrency) + len(arguments.load_shares) * len(arguments.arrivals)
    with tqdm(total=(count + 1) * arguments.repeats, unit="phase", desc="load") as bar:
        rates_per_s = []
        for number in range(arguments.repeats):
            peak = carry_out(replace(base, seed=base.seed + number), servers)
            window = find_window(peak.sent.samples, arguments.seconds, arguments.warm_up_seconds)
            rates_per_s.append(window.images_per_s)
            bar.update()
        phases = _phases(arguments, base, median(rates_per_s))
        found: list[list[Phase]] = [[] for _ in phases]
        seeds = random.Random(arguments.seed)  # noqa: S311  no secret
        for repeat in range(arguments.repeats):
            seed = seeds.getrandbits(32)  # the same in every phase of a repeat
            order = list(zip(phases, found, strict=True))[:: -1 if repeat % 2 else 1]
            for (_, plan), repeats in order:
                repeats.append(carry_out(replace(plan, seed=seed), servers))
                bar.update()
    return [
        summarise(name, repeats, arguments.warm_up_seconds)
        for (name, _), repeats in zip(phases, found, strict=True)
    ]


def _phases(
    arguments: argparse.Namespace, base: Plan, peak_per_s: float
) -> list[tuple[dict[str, Any], Plan]]:
    """List the phases, each with the columns that name it."""
    phases: list[tuple[dict[str, Any], Plan]] = []
    for number in arguments.concurrency:
        name = {"phase": f"closed, {number}", "mode": "closed", "concurrency": number}
        phases.append((name, replace(base, concurrency=number)))
    if not peak_per_s:
        return phases  # nothing succeeded, which the closed loops' rows say
    for mode in arguments.arrivals:
        for share in arguments.load_shares:
            rate_per_s = share * peak_per_s
            name = {"phase": f"{mode}, {share:g}", "mode": mode, "load_share": share}
            plan = replace(base, mode=mode, rate_per_s=rate_per_s)
            phases.append((name | {"asked_per_s": rate_per_s}, plan))
    return phases
