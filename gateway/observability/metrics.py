"""The catalogue's metrics, kept for Prometheus."""

from typing import Final

from prometheus_client import CollectorRegistry

from gateway.observability import catalogue
from metrics.kept import KeptMetrics

# Those that others collect at each scrape, from what they keep anyway.
COLLECTED: Final = (
    catalogue.TRITON_REACHABLE,
    catalogue.TRITON_BATCH_SIZE,
    catalogue.MODEL_INFO,
    catalogue.RESIDENT_MEMORY,
    catalogue.CPU_SECONDS,
    catalogue.LOG_LINES_DROPPED,
)


class Metrics(KeptMetrics):
    """The metrics of one gateway.

    They are kept in the gateway's own process; what decode workers do is measured from outside, so
    that one scrape tells all of it.

    Args:
        registry: Where they are registered; a fresh one per gateway.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        kept = (metric for metric in catalogue.all_metrics() if metric not in COLLECTED)
        super().__init__(registry, kept)
