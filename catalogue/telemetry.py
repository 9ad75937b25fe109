"""Every metric of a job, declared once, and the port that shows them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server

from catalogue.rows import FAILED, OK
from metrics import Kind, Metric
from metrics.kept import KeptMetrics

PHOTOS = Metric(
    "packshot_catalogue_photos_total",
    Kind.COUNTER,
    "Photos that the job has an outcome for, by what it is.",
    {"outcome": (OK, FAILED)},
)
PLANNED = Metric(
    "packshot_catalogue_photos_planned", Kind.GAUGE, "Photos that this run of the job is to render."
)
LEFT = Metric(
    "packshot_catalogue_photos_left", Kind.GAUGE, "Photos that this run has no outcome for yet."
)
SECONDS_LEFT = Metric(
    "packshot_catalogue_seconds_left",
    Kind.GAUGE,
    "Time until the run is over, by its pace so far; +Inf before the first outcome.",
)
REPEATS = Metric(
    "packshot_catalogue_repeats_total",
    Kind.COUNTER,
    "Times that a photo was sent again, since a gateway was full, away or broke off.",
)
BYTES = Metric(
    "packshot_catalogue_picture_bytes_total", Kind.COUNTER, "Bytes of packshots written."
)

DECLARED: Final = (PHOTOS, PLANNED, LEFT, SECONDS_LEFT, REPEATS, BYTES)


def all_metrics() -> tuple[Metric, ...]:
    """Return every metric, in the order of their declaration."""
    return DECLARED


@contextmanager
def shown(port: int | None, host: str = "127.0.0.1") -> Iterator[KeptMetrics]:
    """Show a job's metrics on a port for the time of a block; None: keep them without showing."""
    registry = CollectorRegistry()
    kept = KeptMetrics(registry, DECLARED)
    if port is None:
        yield kept
        return
    server, thread = start_http_server(port, host, registry)
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
