"""Every metric of the face's, declared once: what it is made of, documented and checked by."""

from typing import Final

from metrics import Kind, Metric

ROUTES: Final = ("removebg", "account", "segment", "render", "choices", "page", "watch", "other")
STATUSES: Final = (
    *("200", "304", "400", "402", "403", "404", "405", "408", "415"),
    *("429", "499", "500", "503", "504", "other"),
)
FETCHES: Final = ("ok", "refused", "failed")

REQUESTS = Metric(
    "packshot_web_requests_total",
    Kind.COUNTER,
    "HTTP requests answered, by route and status; 499: the caller left before its answer.",
    {"route": ROUTES, "status": STATUSES},
)
REQUEST_DURATION = Metric(
    "packshot_web_request_duration_seconds",
    Kind.HISTOGRAM,
    "Time from a request's headers to the end of its answer, the upload included.",
    {"route": ROUTES},
    (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 120.0),
)
PLACES = Metric("packshot_web_requests_in_flight", Kind.GAUGE, "Uploads and renders inside now.")
PLACES_LIMIT = Metric(
    "packshot_web_requests_in_flight_limit", Kind.GAUGE, "Most uploads and renders inside at once."
)
BYTES = Metric(
    "packshot_web_bytes_in_flight", Kind.GAUGE, "Bytes of uploads and answers inside now."
)
BYTES_LIMIT = Metric(
    "packshot_web_bytes_in_flight_limit",
    Kind.GAUGE,
    "Most bytes of uploads and answers inside at once.",
)
REFUSALS = Metric(
    "packshot_web_refusals_total",
    Kind.COUNTER,
    "Requests refused by the face itself for want of room, by the bound that was reached.",
    {"bound": ("requests", "bytes")},
)
RECEIVED = Metric("packshot_web_received_bytes_total", Kind.COUNTER, "Bytes of bodies received.")
SENT = Metric("packshot_web_sent_bytes_total", Kind.COUNTER, "Bytes of bodies answered.")
FETCHED = Metric(
    "packshot_web_fetches_total",
    Kind.COUNTER,
    "Addresses fetched on callers' behalf; refused: by the guard, before a byte was asked for.",
    {"outcome": FETCHES},
)
READY = Metric("packshot_web_ready", Kind.GAUGE, "1 if the gateway was ready when last asked.")


def all_metrics() -> tuple[Metric, ...]:
    """Return every metric, in the order of their declaration."""
    return tuple(each for each in globals().values() if isinstance(each, Metric))
