"""Where larger batches stop helping, and which figures are too noisy."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from benchmarks.rounds import NOISY_SHARE

KNEE_SHARE = 0.9  # of the best throughput; larger batches cost latency and bring little


def knee_of(rates: Mapping[int, float]) -> int:
    """Return the smallest batch that reaches nine tenths of the best throughput."""
    enough = KNEE_SHARE * max(rates.values())
    return min(batch for batch, rate in rates.items() if rate >= enough)


def noise_notes(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Name every series of batches of which a figure spreads by more than a tenth over rounds."""
    worst: dict[str, float] = {}
    for row in rows:
        if row.get("spread_share", 0) > NOISY_SHARE:
            name = f"{row['network']} in {row['precision']}, {row['engine']} on the {row['device']}"
            worst[name] = max(row["spread_share"], worst.get(name, 0))
    for name, share in worst.items():
        yield f"{name}: noisy, up to ± {share:.0%} over rounds"
