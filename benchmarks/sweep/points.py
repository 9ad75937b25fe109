"""Points of throughput and latency of a configuration, and which of them are best."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.configuration import Configuration
from benchmarks.pareto import pareto_front

Driver = Literal["triton", "gateway"]
DRIVERS: tuple[Driver, ...] = ("triton", "gateway")


@dataclass(frozen=True, slots=True)
class Point:
    """One configuration at one concurrency."""

    configuration: Configuration  # the configuration
    driver: Driver  # what asked: perf_analyzer of Triton, or the load generator of the gateway
    concurrency: int  # requests under way
    images_per_s: float  # throughput
    p50_ms: float  # median latency
    p95_ms: float  # 95th percentile
    p99_ms: float  # 99th percentile
    turn: int  # which measurement of the sweep, in order of time


@dataclass(frozen=True, slots=True, order=True)
class Score:
    """How good a configuration is; the greater, the better."""

    within: bool  # whether any point is within the objective; those that are beat all that are not
    # Images per second at the best such point; without one, the inverse of the lowest p95, 1/s
    value: float


def score(points: Iterable[Point], driver: Driver, p95_ms: float) -> Score | None:
    """Judge the points of one configuration.

    Args:
        points: The points.
        driver: Whose points count.
        p95_ms: The objective.

    Returns:
        The score; None if there is no point to judge by.
    """
    counted = [point for point in points if point.driver == driver]
    rates = [point.images_per_s for point in counted if point.p95_ms <= p95_ms]
    if rates:
        return Score(within=True, value=max(rates))
    if not counted:
        return None
    return Score(within=False, value=1e3 / min(point.p95_ms for point in counted))


def as_rows(points: Sequence[Point], winner: Configuration, p95_ms: float) -> list[dict[str, Any]]:
    """Make a row of every point, and say in it what the point is.

    Args:
        points: Of both drivers.
        winner: The configuration that was chosen.
        p95_ms: The objective.
    """
    own = ("concurrency", "images_per_s", "p50_ms", "p95_ms", "p99_ms", "turn")
    rows = [
        {
            **point.configuration.columns(),
            "path": point.driver,
            **{name: getattr(point, name) for name in own},
            "within_objective": point.p95_ms <= p95_ms,
            "chosen": point.configuration == winner,
        }
        for point in points
    ]
    for driver in DRIVERS:
        found = [row for row in rows if row["path"] == driver]
        front = pareto_front(found)
        for row in found:
            row["on_pareto_front"] = any(row is one for one in front)
    return rows
