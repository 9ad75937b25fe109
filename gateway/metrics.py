"""What Prometheus sees of the gateway."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import product

import grpc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.admission.bounds import Bound
from gateway.priority import Priority


class Method(StrEnum):
    """The calls that are counted."""

    RENDER = "Render"
    RENDER_STREAM = "RenderStream"  # a stream as a whole, from its opening to its end
    STREAM_PHOTO = "RenderStream.photo"  # each photo of a stream, once there is room for it
    LIST_MODELS = "ListModels"
    LIST_PRESETS = "ListPresets"
    GET_ACCOUNT = "GetAccount"


class Stage(StrEnum):
    """The stages of one render, in order."""

    DECODE = "decode"
    PREPARE = "prepare"
    INFER = "infer"
    REFINE = "refine"
    COMPOSE = "compose"
    ENCODE = "encode"
    VERIFY = "verify"


class Operation(StrEnum):
    """What is done in the accounts' database."""

    FIND = "find"
    HOLD = "hold"
    SETTLE = "settle"
    RELEASE = "release"
    SWEEP = "sweep"


class ChargeOutcome(StrEnum):
    """How a charge ended."""

    SPENT = "spent"
    RETURNED = "returned"
    EXPIRED = "expired"


# Why a call can be refused at the door: reasons of `gateway.errors`.
_REFUSALS = (
    *("API_KEY_MISSING", "API_KEY_INVALID", "API_KEY_REVOKED"),
    *("RATE_LIMITED", "ACCOUNTS_UNAVAILABLE", "INTERNAL"),
)

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
        self._decode_workers_lost = Counter(
            "packshot_decode_workers_lost",
            "Decode workers that crashed, hung or were killed, and were replaced.",
            registry=registry,
        )
        self._ready = Gauge(
            "packshot_ready", "1 while the default model answers, else 0.", registry=registry
        )
        self._refusals = Counter(
            "packshot_calls_refused",
            "Calls refused for their API key's sake before they were read, by reason.",
            ("reason",),
            registry=registry,
        )
        self._charges = Counter(
            "packshot_charges",
            "Credits held for renders, by what became of them.",
            ("outcome",),
            registry=registry,
        )
        self._accounts_seconds = Histogram(
            "packshot_accounts_duration_seconds",
            "Time that one operation in the accounts' database took, waiting included.",
            ("operation",),
            buckets=_STAGE_BUCKETS_S,
            registry=registry,
        )
        self._certificate_expiry = Gauge(
            "packshot_tls_certificate_expiry_timestamp_seconds",
            "When the certificate being served expires; +Inf without TLS.",
            registry=registry,
        )
        self._certificate_expiry.set(math.inf)
        self._certificate_loads = Counter(
            "packshot_tls_certificate_loads",
            "Certificates read after the start, by whether they are served now.",
            ("outcome",),
            registry=registry,
        )
        for outcome in ("loaded", "refused"):
            self._certificate_loads.labels(outcome)
        for reason in _REFUSALS:
            self._refusals.labels(reason)
        for charge in ChargeOutcome:
            self._charges.labels(charge)
        for operation in Operation:
            self._accounts_seconds.labels(operation)
        self._circuit_open = Gauge(
            "packshot_circuit_open",
            "1 while a model's circuit is open: its callers are refused at once.",
            ("model",),
            registry=registry,
        )
        self._retries = Counter(
            "packshot_inference_retries",
            "Second attempts at Triton, by whether the budget allowed them.",
            ("allowed",),
            registry=registry,
        )
        for allowed in ("yes", "no"):
            self._retries.labels(allowed)
        self._no_room = Counter(
            "packshot_admission_refusals",
            "Requests refused for want of room, by the bound that was reached and their priority.",
            ("bound", "priority"),
            registry=registry,
        )
        self._ceiling_bytes = Gauge(
            "packshot_memory_ceiling_bytes",
            "What the process' memory stays below, by the configured bounds.",
            registry=registry,
        )
        for bound, priority in product(Bound, Priority):
            self._no_room.labels(bound, priority.label)
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

    def refused(self, name: str, code: grpc.StatusCode, reason: str, start_s: float) -> None:
        """Count a call refused at the door, among the answers too if it is one that is counted."""
        self._refusals.labels(reason).inc()
        if name in set(Method):
            self.answered(Method(name), code, start_s)

    def charged(self, outcome: ChargeOutcome, count: int = 1) -> None:
        """Count credits that were held."""
        self._charges.labels(outcome).inc(count)

    def accounts_operation(self, operation: Operation, duration_s: float) -> None:
        """Observe the time that an operation of the accounts' database took."""
        self._accounts_seconds.labels(operation).observe(duration_s)

    def certificate(self, expires_at_s: float) -> None:
        """Show when the certificate being served expires."""
        self._certificate_expiry.set(expires_at_s)

    def certificate_load(self, *, loaded: bool) -> None:
        """Count a changed certificate."""
        self._certificate_loads.labels("loaded" if loaded else "refused").inc()

    def stage(self, stage: Stage, duration_s: float) -> None:
        """Observe the time that a stage took."""
        self._stage_seconds.labels(stage).observe(duration_s)

    def photo(self, size_bytes: int) -> None:
        """Count a photo received."""
        self._photo_bytes.inc(size_bytes)

    def picture(self, size_bytes: int) -> None:
        """Count a picture answered."""
        self._picture_bytes.inc(size_bytes)

    def decode_worker_lost(self) -> None:
        """Count a decode worker that had to be replaced."""
        self._decode_workers_lost.inc()

    def no_room(self, bound: Bound, priority: Priority) -> None:
        """Count a request that was refused for want of room."""
        self._no_room.labels(bound, priority.label).inc()

    def ceiling(self, size_bytes: int) -> None:
        """Show the memory's ceiling."""
        self._ceiling_bytes.set(size_bytes)

    def ready(self, *, ready: bool) -> None:
        """Show whether the default model answers."""
        self._ready.set(ready)

    def circuit(self, model: str, *, is_open: bool) -> None:
        """Show whether the circuit of a model that exists is open."""
        self._circuit_open.labels(model).set(is_open)

    def retry(self, *, allowed: bool) -> None:
        """Count a second attempt at Triton, or one that the budget refused."""
        self._retries.labels("yes" if allowed else "no").inc()
