"""Every metric of a job, declared once, and the port that shows them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from prometheus_client import CollectorRegistry, start_http_server

from catalogue.rows import Outcome
from processes.metrics import Declaration, MetricSet


class ByOutcome(NamedTuple):
    """What a photo came to."""

    outcome: Outcome


class Metrics(MetricSet):
    """The metrics of one job.

    Args:
        registry: Where they are registered; a fresh one per job.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.photos = self.counters(
            "packshot_catalogue_photos_total",
            "Photos that the job has an outcome for, by what it is.",
            ByOutcome,
        )
        self.planned = self.gauge(
            "packshot_catalogue_photos_planned", "Photos that this run of the job is to render."
        )
        self.left = self.gauge(
            "packshot_catalogue_photos_left", "Photos that this run has no outcome for yet."
        )
        self.seconds_left = self.gauge(
            "packshot_catalogue_seconds_left",
            "Time until the run is over, by its pace so far; +Inf before the first outcome.",
        )
        self.repeats = self.counter(
            "packshot_catalogue_repeats_total",
            "Times that a photo was sent again, since a gateway was full, away or broke off.",
        )
        self.picture_bytes = self.counter(
            "packshot_catalogue_picture_bytes_total", "Bytes of packshots written."
        )


def all_metrics() -> tuple[Declaration, ...]:
    """Return what every metric was declared as, in the order of declaration."""
    return tuple(Metrics(CollectorRegistry()).declared)


@contextmanager
def shown(port: int | None, host: str = "127.0.0.1") -> Iterator[Metrics]:
    """Show a job's metrics on a port for the time of a block; None: keep them without showing."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    if port is None:
        yield metrics
        return
    server, thread = start_http_server(port, host, registry)
    try:
        yield metrics
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
