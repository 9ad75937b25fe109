"""Coordinate descent: it varies one setting at a time, from the best found so far.

The full grid of a sweep is hundreds of configurations of half a minute each; descent sees a dozen.
It can miss an optimum that only two settings changed together would reach, so the settings that
depend on each other most have a common default (threads 0: an instance's share of the cores).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.configuration import Configuration
from benchmarks.sweep.points import Score


def descend(
    start: Configuration,
    axes: Mapping[str, Sequence[Any]],
    judge: Callable[[Configuration], Score | None],
    is_over: Callable[[], bool],
    margin_share: float,
) -> Configuration:
    """Search until nothing gets better, or time is over.

    Args:
        start: Where to begin; it is judged first.
        axes: Each setting's values, in the order in which settings are varied.
        judge: Measures a configuration; None: it cannot be run.
        is_over: Whether to stop; asked before every measurement but the first.
        margin_share: By how much a configuration must beat the best to take its place; what is
            less is taken for noise.

    Returns:
        The best configuration.
    """
    scores: dict[Configuration, Score | None] = {start: judge(start)}
    best = start
    improved = True
    while improved:
        improved = False
        for name, values in axes.items():
            for value in values:
                candidate = replace(best, **{name: value})
                if candidate in scores:
                    continue
                if is_over():
                    return best
                scores[candidate] = judge(candidate)
                if _beats(scores[candidate], scores[best], margin_share):
                    best, improved = candidate, True
    return best


def _beats(candidate: Score | None, best: Score | None, margin_share: float) -> bool:
    if candidate is None:
        return False
    if best is None or candidate.within != best.within:
        return best is None or candidate.within
    return candidate.value > best.value * (1 + margin_share)
