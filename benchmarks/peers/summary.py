"""The rows of the comparison: figures of each server, and ratios to Packshot within each round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.load.latency import Latencies
from benchmarks.peers.turn import Turn
from benchmarks.rounds import NOISY_SHARE, full_spread

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


def ratios(own: Sequence[Turn], others: Sequence[Turn]) -> list[float]:
    """Return each round's throughput as a multiple of another's in the same round."""
    return [mine.images_per_s / other.images_per_s for mine, other in zip(own, others, strict=True)]


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
    return [
        _row(cell, peer, model, own, turns, default_model) for (peer, model), own in turns.items()
    ]


def notes_on(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a note for each row whose rounds differ too much."""
    return [
        f"{row['peer']}, {row['model']}, {row['photo_megapixels']:g} MP, {row['output']}, "
        f"concurrency {row['concurrency']}: rounds differ by {row['spread']:.0%}"
        for row in rows
        if row["spread"] > NOISY_SHARE
    ]


def _row(
    cell: Cell,
    peer: str,
    model: str,
    own: Sequence[Turn],
    turns: Mapping[tuple[str, str], Sequence[Turn]],
    default_model: str,
) -> dict[str, Any]:
    same = ratios(own, turns[PACKSHOT, model]) if (PACKSHOT, model) in turns else []
    default = (PACKSHOT, default_model)
    alone = (peer, default_model) not in turns  # it cannot run Packshot's default model
    against_default = ratios(own, turns[default]) if alone and default in turns else []
    rates = [turn.images_per_s for turn in own]
    latencies = Latencies(each for turn in own for each in turn.latencies_s)
    figures = {f"p{name}_ms": latencies.percentile_ms(name) for name in (50, 95, 99)}
    p95_of = Latencies(
        each for turn in turns.get((PACKSHOT, model), ()) for each in turn.latencies_s
    ).percentile_ms(95)
    return {
        "peer": peer,
        "model": model,
        "photo_megapixels": cell.photo_megapixels,
        "output": cell.output,
        "concurrency": cell.concurrency,
        "images_per_s": median(rates),
        **figures,
        "memory_bytes": max(turn.memory_bytes for turn in own),
        "cpu_s_per_image": median(turn.cpu_s_per_image for turn in own),
        "ratio_to_packshot": median(same) if same else None,
        "ratio_to_packshot_default": median(against_default) if against_default else None,
        "p95_ratio_to_packshot": (figures["p95_ms"] or 0) / p95_of if p95_of else None,
        "spread": full_spread(rates if peer == PACKSHOT else same or against_default or rates),
        "images": sum(len(turn.latencies_s) for turn in own),
        "rounds": len(own),
        **{
            f"stage_{name}_ms": median(turn.stages_s[name] for turn in own) * 1e3
            for name in own[0].stages_s
        },
    }
