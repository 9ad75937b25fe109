"""The rows of the comparison: figures of each server, and ratios to Packshot within each round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, Self

from benchmarks.load.latency import Latencies
from benchmarks.load.phase import Phase
from benchmarks.rounds import NOISY_SHARE, full_spread, ratios

PACKSHOT = "packshot"


@dataclass(frozen=True, slots=True)
class Cell:
    """What is the same for all that are compared."""

    output: str  # `png`, transparent, or `jpeg`, on white
    photo_megapixels: float  # size of the photos
    concurrency: int  # callers at a time
    contenders: tuple[tuple[str, str], ...]  # peer and model of each that takes part

    def __str__(self) -> str:
        return f"{self.photo_megapixels:g} MP, {self.output}, concurrency {self.concurrency}"


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a contender's turn."""

    images_per_s: float  # answers a second, after the warm-up
    latencies_s: Sequence[float]  # of these answers
    cpu_s_per_image: float  # processor time of the servers for each answer, warm-up included
    memory_bytes: int  # the servers' proportional set size at its highest
    stages_s: Mapping[str, float]  # mean time of each stage, of a server that tells it

    @classmethod
    def of(cls, phase: Phase, warm_up_s: float) -> Self:
        """Leave out the warm-up, and what came while the last callers were waited for."""
        samples = sorted(phase.sent.samples, key=lambda sample: sample.done_s)
        least = max(phase.plan.least_answers, 1)
        end_s = max(phase.plan.duration_s, samples[least - 1].done_s)
        counted = [sample for sample in samples if warm_up_s < sample.done_s <= end_s]
        names = counted[0].stages_s
        return cls(
            images_per_s=len(counted) / (end_s - warm_up_s),
            latencies_s=[sample.done_s - sample.sent_s for sample in counted],
            cpu_s_per_image=(phase.cpu_s or 0.0) / len(samples),
            memory_bytes=phase.memory_bytes or 0,
            stages_s={name: fmean(each.stages_s[name] for each in counted) for name in names},
        )


def summarise(
    cell: Cell, turns: Mapping[tuple[str, str], Sequence[Turn]], default_model: str
) -> list[dict[str, Any]]:
    """Return a row for each contender.

    Args:
        cell: What was compared.
        turns: Each contender's turns, one a round.
        default_model: Packshot's own, which is what its users get.

    Returns:
        Rows. `ratio_to_packshot` is the peer's throughput as a multiple of Packshot's with the same
        model, `ratio_to_packshot_default`, of a peer that cannot run it, as a multiple of
        Packshot's with its default model: medians of the rounds. `spread` is that of the ratio over
        the rounds; for Packshot itself that of its throughput. None: there is nothing to compare
        with. Packshot's replies tell what each stage took: `stage_NAME_ms`, waiting for a free
        core included.
    """
    rates = {key: [turn.images_per_s for turn in own] for key, own in turns.items()}
    latencies = {
        key: Latencies(each for turn in own for each in turn.latencies_s)
        for key, own in turns.items()
    }
    rows = []
    for (peer, model), own in turns.items():
        ours, default = (PACKSHOT, model), (PACKSHOT, default_model)
        own_rates, own_latencies = rates[peer, model], latencies[peer, model]
        same = ratios(own_rates, rates[ours]) if ours in rates else []
        alone = (peer, default_model) not in turns  # it cannot run Packshot's default model
        against_default = ratios(own_rates, rates[default]) if alone and default in rates else []
        p95_ms = own_latencies.percentile_ms(95) or 0.0
        ours_p95_ms = latencies[ours].percentile_ms(95) if ours in latencies else None
        spread_of = own_rates if peer == PACKSHOT else same or against_default or own_rates
        rows.append(
            {
                "peer": peer,
                "model": model,
                "photo_megapixels": cell.photo_megapixels,
                "output": cell.output,
                "concurrency": cell.concurrency,
                "images_per_s": median(own_rates),
                **{f"p{rank}_ms": own_latencies.percentile_ms(rank) for rank in (50, 95, 99)},
                "memory_bytes": max(turn.memory_bytes for turn in own),
                "cpu_s_per_image": median(turn.cpu_s_per_image for turn in own),
                "ratio_to_packshot": median(same) if same else None,
                "ratio_to_packshot_default": median(against_default) if against_default else None,
                "p95_ratio_to_packshot": p95_ms / ours_p95_ms if ours_p95_ms else None,
                "spread": full_spread(spread_of),
                "images": sum(len(turn.latencies_s) for turn in own),
                "rounds": len(own),
                **{
                    f"stage_{name}_ms": median(turn.stages_s[name] for turn in own) * 1e3
                    for name in own[0].stages_s
                },
            }
        )
    return rows


def notes_on(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a note for each row whose rounds differ too much."""
    return [
        f"{row['peer']}, {row['model']}, {row['photo_megapixels']:g} MP, {row['output']}, "
        f"concurrency {row['concurrency']}: rounds differ by {row['spread']:.0%}"
        for row in rows
        if row["spread"] > NOISY_SHARE
    ]
