"""The rate that a gateway sustains under a latency objective, from measured points alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

# Below this share of what was asked the service did not keep up, however fast its answers were: a
# gateway that refuses work answers the rest quickly.
_KEPT_SHARE = 0.95


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """One rate that was tried."""

    asked_per_s: float  # requests sent, 1/s
    done_per_s: float  # photos answered, 1/s
    p95_ms: float  # of their latencies

    def keeps_up(self) -> bool:
        """Return whether nearly all that was asked was answered."""
        return self.done_per_s >= _KEPT_SHARE * self.asked_per_s


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one unit can do."""

    images_per_s: float  # under the objective
    # False where even the highest rate that was measured meets the objective: the capacity is at
    # least this, and what lies beyond was not measured
    is_bound: bool


def repeats_joined(points: Iterable[Point]) -> list[Point]:
    """Take the medians of points that were asked the same, in ascending order."""
    by_rate = groupby(sorted(points), key=lambda point: point.asked_per_s)
    joined = []
    for rate, group in by_rate:
        same = list(group)
        done = median(one.done_per_s for one in same)
        joined.append(Point(rate, done, median(one.p95_ms for one in same)))
    return joined


def capacity_under(points: Sequence[Point], p95_ms: float) -> Capacity | None:
    """Find the highest rate that meets an objective.

    Between the last point that meets it and the first that does not, the 95th percentile is
    interpolated linearly; latency grows faster than linearly towards saturation, so that the true
    rate is rather a little higher. Beyond what was measured nothing is assumed.

    Args:
        points: In any order; repeats of a rate are joined.
        p95_ms: The objective.

    Returns:
        The capacity; None where even the lowest rate that was measured misses the objective.
    """
    ordered = repeats_joined(points)
    if not ordered or not _meets(ordered[0], p95_ms):
        return None
    for last, following in pairwise(ordered):
        if not _meets(following, p95_ms):
            if not following.keeps_up() or following.p95_ms <= last.p95_ms:
                return Capacity(last.asked_per_s, is_bound=True)
            share = (p95_ms - last.p95_ms) / (following.p95_ms - last.p95_ms)
            rate = last.asked_per_s + share * (following.asked_per_s - last.asked_per_s)
            return Capacity(rate, is_bound=True)
    return Capacity(ordered[-1].asked_per_s, is_bound=False)


def _meets(point: Point, p95_ms: float) -> bool:
    return point.keeps_up() and point.p95_ms <= p95_ms
