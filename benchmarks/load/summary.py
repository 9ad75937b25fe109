"""What phases of load came to: the row of a table from the samples of every repeat."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.load.generator import Sample
from benchmarks.load.latency import Latencies
from benchmarks.load.phase import Phase
from benchmarks.load.steady import steady_from
from benchmarks.rounds import NOISY_SHARE

# A generator that is later than this distorts the latencies.
LATE_MS = 20.0


@dataclass(frozen=True, slots=True)
class Window:
    """The steady part of a phase."""

    samples: Sequence[Sample]  # what was due in it
    images_per_s: float  # answers that arrived in it, over its length
    steady: bool  # whether the rule of `steady` found one; if not, this is all after the warm-up


def find_window(samples: Sequence[Sample], duration_s: float, warm_up_s: float) -> Window:
    """Leave out the warm-up, and what MSER-5 leaves out of the latencies after it."""
    warm = [sample for sample in samples if sample.due_s >= warm_up_s]
    start = steady_from([sample.done_s - sample.due_s for sample in warm if sample.status == "OK"])
    successes = [sample for sample in warm if sample.status == "OK"]
    from_s = successes[start].due_s if start else warm_up_s
    arrived = sum(
        sample.status == "OK" and from_s <= sample.done_s < duration_s for sample in samples
    )
    return Window(
        [sample for sample in warm if sample.due_s >= from_s],
        arrived / (duration_s - from_s),
        start is not None,
    )


def summarise(
    name: Mapping[str, Any], repeats: Sequence[Phase], warm_up_s: float
) -> dict[str, Any]:
    """Make a row of a phase's repeats.

    Args:
        name: The columns that name the phase.
        repeats: The phase, as often as it was carried out.
        warm_up_s: Left out at the beginning of each.

    Returns:
        Throughput as the median of the repeats, with its lowest, its highest and their spread;
        percentiles over all repeats' interactive successes together; means of their stages, which
        add up to the mean latency; counts over everything that was sent in the windows.
    """
    windows = [find_window(each.sent.samples, each.plan.duration_s, warm_up_s) for each in repeats]
    rates = sorted(window.images_per_s for window in windows)
    median_rate = statistics.median(rates)
    counted = [sample for window in windows for sample in window.samples]
    successes = [sample for sample in counted if sample.status == "OK" and not sample.is_bulk]
    statuses = Counter("bulk " * sample.is_bulk + sample.status for sample in counted)
    latencies = Latencies(sample.done_s - sample.due_s for sample in successes)
    lags = Latencies(sample.sent_s - sample.due_s for sample in counted)
    return {
        **name,
        "images_per_s": median_rate,
        "images_per_s_low": rates[0],
        "images_per_s_high": rates[-1],
        "spread_share": (rates[-1] - rates[0]) / median_rate if median_rate else None,
        **latencies.figures_ms(),
        **_service_times(successes),
        "requests": len(counted),
        "ok_share": (statuses["OK"] + statuses["bulk OK"]) / len(counted) if counted else None,
        "statuses": ", ".join(f"{status} {count}" for status, count in sorted(statuses.items())),
        **_stages_ms(successes),
        **_costs(repeats),
        "lag_p50_ms": lags.percentile_ms(50),
        "lag_p99_ms": lags.percentile_ms(99),
        "repeats": len(repeats),
        "repeats_steady": sum(window.steady for window in windows),
        "latency_us_hdr": latencies.encoded(),
    }


def warnings_about(row: Mapping[str, Any]) -> list[str]:
    """Return what makes a row's figures doubtful."""
    what = row["phase"]
    found = []
    if (row["spread_share"] or 0) > NOISY_SHARE:
        found.append(f"{what}: the repeats' images/s spread by {row['spread_share']:.0%}")
    if row["repeats_steady"] < row["repeats"]:
        unsteady = row["repeats"] - row["repeats_steady"]
        found.append(f"{what}: {unsteady} of {row['repeats']} repeats never became steady (MSER-5)")
    if (row["lag_p99_ms"] or 0) > LATE_MS:
        found.append(
            f"{what}: the generator itself was late, p99 {row['lag_p99_ms']:.0f} ms; latencies "
            "count from when requests were due, so this is part of them"
        )
    if (row["ok_share"] or 0) < 1:
        found.append(f"{what}: not every request succeeded: {row['statuses']}")
    return found


def _service_times(successes: Sequence[Sample]) -> dict[str, float | None]:
    """Return percentiles from the sending, as a generator would report that omits its own waits."""
    times = Latencies(sample.done_s - sample.sent_s for sample in successes)
    return {f"from_sending_p{each}_ms": times.percentile_ms(each) for each in (50, 95, 99)}


def _stages_ms(successes: Sequence[Sample]) -> dict[str, float]:
    """Return the means of the stages, of the waits between them, and of what lies outside."""
    told = [sample for sample in successes if sample.stages_s]
    if not told:
        return {}
    names = [name for name in told[0].stages_s if name != "total"]
    means = {name: statistics.fmean(each.stages_s[name] for each in told) for name in names}
    total_s = statistics.fmean(each.stages_s["total"] for each in told)
    latency_s = statistics.fmean(each.done_s - each.due_s for each in told)
    means["waiting"] = total_s - sum(means.values())
    means["outside"] = latency_s - total_s
    return {f"stage_{name}_ms": mean_s * 1e3 for name, mean_s in means.items()}


def _costs(repeats: Sequence[Phase]) -> dict[str, float | None]:
    """Return what every answer cost; over whole phases, as processor time has no window."""
    answers = sum(sample.status == "OK" for each in repeats for sample in each.sent.samples)
    cpu = [each.cpu_s for each in repeats if each.cpu_s is not None]
    memory = [each.memory_bytes for each in repeats if each.memory_bytes is not None]
    own_s = sum(each.sent.cpu_s for each in repeats)
    return {
        "cpu_s_per_image": sum(cpu) / answers if cpu and answers else None,
        "memory_bytes": max(memory, default=None),
        "generator_cpu_s_per_image": own_s / answers if answers else None,
    }
