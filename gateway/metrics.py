"""What Prometheus sees of the gateway."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import grpc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.admission.bounds import Bound
from gateway.priority import Priority


class Method(StrEnum):
    """The calls that are counted."""

    RENDER = "Render"
    LIST_MODELS = "ListModels"
    LIST_PRESETS = "ListPresets"


class Stage(StrEnum):
    """The stages of one render, in order."""

    DECODE = "decode"
    PREPARE = "prepare"
    INFER = "infer"
    REFINE = "refine"
    COMPOSE = "compose"
    ENCODE = "encode"
    VERIFY = "verify"


# Seconds, dense around what a photo takes: a stage some milliseconds, a request some tenths.
_STAGE_BUCKETS_S = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_REQUEST_BUCKETS_S = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5),
    *(0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0),
)


class GatewayMetrics:
    """The gateway's metrics, every series there from the start.

    Args:
        registry: Where they are registered; a fresh one per gateway.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "packshot_requests",
            "Requests answered, by method and gRPC status.",
            ("method", "code"),
            registry=registry,
        )
        self._request_seconds = Histogram(
            "packshot_request_duration_seconds",
            "Time from a request's arrival to its answer.",
            ("method",),
            buckets=_REQUEST_BUCKETS_S,
            registry=registry,
        )
        self._stage_seconds = Histogram(
            "packshot_stage_duration_seconds",
            "Time that one stage of a render took, waiting for a processor left out.",
            ("stage",),
            buckets=_STAGE_BUCKETS_S,
            registry=registry,
        )
        self._in_flight = Gauge(
            "packshot_requests_in_flight",
            "Requests inside the gateway now.",
            ("method",),
            registry=registry,
        )
        self._photo_bytes = Counter(
            "packshot_photo_bytes", "Bytes of photos received.", registry=registry
        )
        self._picture_bytes = Counter(
            "packshot_picture_bytes", "Bytes of pictures answered.", registry=registry
        )
        self._ready = Gauge(
            "packshot_ready", "1 while the default model answers, else 0.", registry=registry
        )
        self._refused = Counter(
            "packshot_refused",
            "Requests refused at the door, by the bound that was reached and their priority.",
            ("bound", "priority"),
            registry=registry,
        )
        self._ceiling_bytes = Gauge(
            "packshot_memory_ceiling_bytes",
            "What the process' memory stays below, by the configured bounds.",
            registry=registry,
        )
        for bound in Bound:
            for priority in Priority:
                self._refused.labels(bound, priority.label)
        for method in Method:
            self._request_seconds.labels(method)
            self._in_flight.labels(method)
            for code in grpc.StatusCode:
                self._requests.labels(method, code.name)
        for stage in Stage:
            self._stage_seconds.labels(stage)

    @contextmanager
    def in_flight(self, method: Method) -> Iterator[None]:
        """Count a request as being inside."""
        with self._in_flight.labels(method).track_inprogress():
            yield

    def answered(self, method: Method, code: grpc.StatusCode, start_s: float) -> None:
        """Count an answer; `start_s` is the `time.monotonic()` of its request's arrival."""
        self._requests.labels(method, code.name).inc()
        self._request_seconds.labels(method).observe(time.monotonic() - start_s)

    def stage(self, stage: Stage, duration_s: float) -> None:
        """Observe the time that a stage took."""
        self._stage_seconds.labels(stage).observe(duration_s)

    def photo(self, size_bytes: int) -> None:
        """Count a photo received."""
        self._photo_bytes.inc(size_bytes)

    def picture(self, size_bytes: int) -> None:
        """Count a picture answered."""
        self._picture_bytes.inc(size_bytes)

    def refused(self, bound: Bound, priority: Priority) -> None:
        """Count a request refused at the door."""
        self._refused.labels(bound, priority.label).inc()

    def ceiling(self, size_bytes: int) -> None:
        """Show the memory's ceiling."""
        self._ceiling_bytes.set(size_bytes)

    def ready(self, *, ready: bool) -> None:
        """Show whether the default model answers."""
        self._ready.set(ready)
