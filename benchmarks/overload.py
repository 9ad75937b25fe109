"""What is left of the service when too much is asked: `python -m benchmarks overload`.

Arrivals are an open loop, a Poisson process that no slow answer holds up, as callers are who do not
know of each other. A caller that gives up or is refused is not replaced. The load generator runs on
the same cores as the service; ratios are taken within one run.
"""

import argparse
import json
import logging
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.load.generator import Plan, Sent
from benchmarks.load.latency import Latencies
from benchmarks.load.phase import carry_out
from benchmarks.load.photos import Photo
from benchmarks.table import as_table
from deploy.local.stack import running_aside

log = logging.getLogger("benchmarks")

_PEAK_CONCURRENCY = 4
_TIMEOUT_S = 10.0
# What is asked, in times of the peak: interactive and bulk. Either is more than can be done.
_OVERLOADS = {"1.5 times, and bulk": (1.5, 1.0), "5 times": (2.5, 2.5)}


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("--seconds", type=float, default=40, help="length of each phase")
    parser.add_argument("--photo", type=Path, default=Path("samples/mug.jpg"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file for the figures")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Find the peak, then load the service below and far above it, and print both."""
    log.info("four phases of %g s", arguments.seconds)
    with tempfile.TemporaryDirectory() as scratch, running_aside(Path(scratch)) as stack:
        closed = Plan(
            target=stack.target,
            mode="closed",
            concurrency=_PEAK_CONCURRENCY,
            rate_per_s=0.0,
            duration_s=arguments.seconds,
            timeout_s=_TIMEOUT_S,
            seed=arguments.seed,
            photos=(Photo(str(arguments.photo), 1.0),),
        )
        carry_out(replace(closed, duration_s=min(arguments.seconds, 5.0)), ())  # warm-up
        peak = row_of("peak, closed loop", closed, carry_out(closed, ()).sent)
        peak_per_s = peak["goodput/s"]
        calm = replace(closed, mode="poisson", rate_per_s=0.8 * peak_per_s)
        below = row_of("0.8 of it", calm, carry_out(calm, ()).sent)
        rows = [peak, below]
        for name, (urgent_share, bulk_share) in _OVERLOADS.items():
            urgent = replace(calm, rate_per_s=urgent_share * peak_per_s)
            bulk = replace(
                calm,
                rate_per_s=bulk_share * peak_per_s,
                seed=calm.seed + 1,
                options={"priority": "bulk"},
            )
            with ThreadPoolExecutor(2) as pool:
                sent, sent_bulk = (
                    each.sent for each in pool.map(lambda p: carry_out(p, ()), (urgent, bulk))
                )
            rows.append(row_of(name, urgent, sent, (bulk, sent_bulk)))
    print("\n".join(report(rows)))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


def row_of(
    name: str, plan: Plan, sent: Sent, bulk: tuple[Plan, Sent] | None = None
) -> dict[str, Any]:
    """Summarise a phase: goodput of both priorities, latencies of the interactive successes."""
    own = Counter(sample.status for sample in sent.samples)
    others = Counter(sample.status for sample in bulk[1].samples) if bulk else Counter()
    latencies = Latencies(
        sample.done_s - sample.due_s for sample in sent.samples if sample.status == "OK"
    )
    return {
        "phase": name,
        "asked/s": plan.rate_per_s + (bulk[0].rate_per_s if bulk else 0.0),
        "goodput/s": (own["OK"] + others["OK"]) / plan.duration_s,
        "p50 ms": latencies.percentile_ms(50),
        "p99 ms": latencies.percentile_ms(99),
        "interactive": _counts(own),
        "bulk": _counts(others),
    }


def report(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the phases as a table, and below it the two ratios that matter of each overload."""
    peak, below, *overloads = rows
    lines = [as_table(rows)]
    for above in overloads:
        kept = above["goodput/s"] / max(peak["goodput/s"], 1e-9)
        slower = (above["p99 ms"] or 0.0) / max(below["p99 ms"] or 0.0, 1e-9)
        lines.append(
            f"\n{above['phase']}: goodput {kept:.2f} of the peak's (at least 0.90), "
            f"p99 of interactive successes {slower:.2f} times that at 0.8 (at most 3)"
        )
    return lines


def _counts(statuses: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(statuses.items())) or "none"
