"""The moments at which the requests of an open loop are due."""

import random
from collections.abc import Iterator


def constant_arrivals(rate_per_s: float, duration_s: float) -> Iterator[float]:
    """Yield moments at equal distances, in seconds from the start."""
    for number in range(int(rate_per_s * duration_s)):
        yield number / rate_per_s


def poisson_arrivals(rate_per_s: float, duration_s: float, rng: random.Random) -> Iterator[float]:
    """Yield the moments of a Poisson process, as independent callers make it."""
    due_s = 0.0
    while (due_s := due_s + rng.expovariate(rate_per_s)) < duration_s:
        yield due_s
