"""Every metric of the HTTP face, declared once: the tables of the documents are made from it."""

from itertools import product
from typing import Final, Literal, NamedTuple, get_args

from prometheus_client import CollectorRegistry

from processes.metrics import Declaration, MetricSet

Route = Literal["removebg", "account", "segment", "render", "choices", "page", "watch", "other"]
FetchOutcome = Literal["ok", "refused", "failed"]

STATUSES: Final = (
    *("200", "304", "400", "402", "403", "404", "405", "408", "415"),
    *("429", "499", "500", "503", "504", "other"),
)
_DURATION_BUCKETS_S: Final = (
    *(0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75),
    *(1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 120.0),
)


class ByAnswer(NamedTuple):
    """A route, and the status of its answer, one of `STATUSES`."""

    route: Route
    status: str


class ByRoute(NamedTuple):
    """A route."""

    route: Route


class ByBound(NamedTuple):
    """The bound that a request would have exceeded."""

    bound: Literal["requests", "bytes"]


class ByFetchOutcome(NamedTuple):
    """How the fetching of an address ended."""

    outcome: FetchOutcome


class Metrics(MetricSet):
    """The metrics of one face.

    Args:
        registry: Where they are registered; a fresh one per face.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.requests = self.counters(
            "packshot_web_requests_total",
            "HTTP requests answered, by route and status; 499: the caller left before its answer.",
            ByAnswer,
            product(get_args(Route), STATUSES),
        )
        self.request_duration = self.histograms(
            "packshot_web_request_duration_seconds",
            "Time from a request's headers to the end of its answer, the upload included.",
            ByRoute,
            _DURATION_BUCKETS_S,
        )
        self.in_flight = self.gauge(
            "packshot_web_requests_in_flight", "Uploads and renders inside now."
        )
        self.in_flight_limit = self.gauge(
            "packshot_web_requests_in_flight_limit", "Most uploads and renders inside at once."
        )
        self.bytes = self.gauge(
            "packshot_web_bytes_in_flight", "Bytes of uploads and answers inside now."
        )
        self.bytes_limit = self.gauge(
            "packshot_web_bytes_in_flight_limit",
            "Most bytes of uploads and answers inside at once.",
        )
        self.refusals = self.counters(
            "packshot_web_refusals_total",
            "Requests refused by the face itself for want of room, by the bound that was reached.",
            ByBound,
        )
        self.received_bytes = self.counter(
            "packshot_web_received_bytes_total", "Bytes of bodies received."
        )
        self.sent_bytes = self.counter("packshot_web_sent_bytes_total", "Bytes of bodies answered.")
        self.fetches = self.counters(
            "packshot_web_fetches_total",
            "Addresses fetched on callers' behalf; refused: by the guard, before a byte was asked "
            "for.",
            ByFetchOutcome,
        )
        self.ready = self.gauge("packshot_web_ready", "1 if the gateway was ready when last asked.")


def all_metrics() -> tuple[Declaration, ...]:
    """Return what every metric was declared as, in the order of declaration."""
    return tuple(Metrics(CollectorRegistry()).declared)
