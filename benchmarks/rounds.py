"""Statistics of repeated measurements: medians over rounds, ratios within a round, their spread.

Steps that are compared take turns within a round, so that whatever disturbs the machine disturbs
all of them. A ratio is taken within each round; the median over the rounds is reported.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, TypeVar

K = TypeVar("K")

# A spread over rounds or repeats above this share puts a note into the record.
NOISY_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of a figure over rounds, and its spread."""

    middle: float
    share: float  # half the distance between the quartiles, as a share of the median


def over_rounds(values: Sequence[float]) -> Spread:
    """Return the median and how far the middle half of the rounds lies around it."""
    middle = median(values)
    ordered = sorted(values)
    quarter = len(ordered) // 4
    inner = ordered[quarter : len(ordered) - quarter]
    return Spread(middle, (inner[-1] - inner[0]) / 2 / middle if middle else 0.0)


def full_spread(values: Sequence[float]) -> float:
    """Return the distance from the lowest to the highest value, as a share of the median."""
    return (max(values) - min(values)) / median(values)


def ratios(values: Sequence[float], references: Sequence[float]) -> list[float]:
    """Divide each round's value by the same round's reference."""
    return [own / other for own, other in zip(values, references, strict=True)]


def processor_seconds(steps: Mapping[K, Callable[[], object]], rounds: int) -> dict[K, list[float]]:
    """Run every step once in each round; return the processor seconds of each, round by round."""
    taken_s: dict[K, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start_s = time.process_time()
            step()
            taken_s[name].append(time.process_time() - start_s)
    return taken_s
