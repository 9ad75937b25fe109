"""Where larger batches stop to pay."""

from collections.abc import Mapping

KNEE_SHARE = 0.9  # of the best throughput; larger batches cost latency and bring little


def knee_of(rates: Mapping[int, float]) -> int:
    """Give the smallest batch that reaches nine tenths of the best throughput."""
    enough = KNEE_SHARE * max(rates.values())
    return min(batch for batch, rate in rates.items() if rate >= enough)
