"""The Pareto front of throughput and latency."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

Row = TypeVar("Row", bound=Mapping[str, Any])


def pareto_front(rows: Sequence[Row]) -> list[Row]:
    """Keep the rows that no other beats in both `images_per_s` and `p95_ms`.

    Returns:
        The front by rising throughput, and with it rising latency.
    """
    front: list[Row] = []
    for row in sorted(rows, key=lambda one: (-one["images_per_s"], one["p95_ms"])):
        if not front or row["p95_ms"] < front[-1]["p95_ms"]:
            front.append(row)
    return front[::-1]
