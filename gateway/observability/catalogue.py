"""Every metric of the gateway's, declared once: what it is made of, documented and checked by.

A name is the one that queries use, with the suffix of its kind. The label sets are closed: all of a
metric's series are there from the start, at zero, save those whose values Triton alone knows.
"""

from typing import Final

import grpc

from gateway.admission.limits import Limit
from gateway.admission.priority import Priority
from gateway.errors import all_reasons
from gateway.observability.labels import (
    NO_PRIORITY,
    RENDERS,
    ChargeOutcome,
    Method,
    Operation,
    Stage,
)
from metrics import Kind, Metric

_PRIORITIES: Final = tuple(priority.label for priority in Priority)

# Seconds, dense around the objective that `docs/monitoring.md` sets for a render, 1 s.
_REQUEST_BUCKETS_S: Final = (
    *(0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5),
    *(0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0),
)
# A stage takes some milliseconds to some tenths.
_STAGE_BUCKETS_S: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)


def _by_priority(method: Method) -> tuple[str, ...]:
    return _PRIORITIES if method in RENDERS else (NO_PRIORITY,)


_METHODS: Final = tuple(Method)
_CODES: Final = tuple(code.name for code in grpc.StatusCode)
_ANY_PRIORITY: Final = (*_PRIORITIES, NO_PRIORITY)
_OUTCOMES: Final = ("ok", "error")

REQUESTS = Metric(
    "packshot_requests_total",
    Kind.COUNTER,
    "Requests answered, by method, gRPC status and priority.",
    {"method": _METHODS, "code": _CODES, "priority": _ANY_PRIORITY},
    combinations=tuple(
        (method, code, priority)
        for method in Method
        for code in _CODES
        for priority in _by_priority(method)
    ),
)
REQUEST_DURATION = Metric(
    "packshot_request_duration_seconds",
    Kind.HISTOGRAM,
    "Time from the arrival of a whole request to its answer.",
    {"method": _METHODS, "priority": _ANY_PRIORITY, "outcome": _OUTCOMES},
    _REQUEST_BUCKETS_S,
    tuple(
        (method, priority, outcome)
        for method in Method
        for priority in _by_priority(method)
        for outcome in _OUTCOMES
    ),
)
IN_FLIGHT = Metric(
    "packshot_requests_in_flight",
    Kind.GAUGE,
    "Requests inside the gateway now.",
    {"method": _METHODS},
)
ERRORS = Metric(
    "packshot_errors_total",
    Kind.COUNTER,
    "Requests and calls that ended in an error, by its reason.",
    {"reason": all_reasons()},
)
IMAGES = Metric("packshot_images_total", Kind.COUNTER, "Photos rendered.")
PIXELS = Metric("packshot_pixels_total", Kind.COUNTER, "Pixels of the photos rendered.")
PHOTO_BYTES = Metric("packshot_photo_bytes_total", Kind.COUNTER, "Bytes of photos received.")
PICTURE_BYTES = Metric("packshot_picture_bytes_total", Kind.COUNTER, "Bytes of pictures answered.")
STAGE_DURATION = Metric(
    "packshot_stage_duration_seconds",
    Kind.HISTOGRAM,
    "Time that one stage of a render took; queue is all its waiting for a worker thread.",
    {"stage": tuple(Stage)},
    _STAGE_BUCKETS_S,
)
CONFIDENCE = Metric(
    "packshot_matte_confidence",
    Kind.HISTOGRAM,
    "How sure the model was of its cuts, 0 to 1.",
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0),
)
ADMITTED_REQUESTS = Metric(
    "packshot_admitted_requests",
    Kind.GAUGE,
    "Renders that admission has let in and that have not left.",
    {"priority": _PRIORITIES},
)
ADMITTED_BYTES = Metric(
    "packshot_admitted_bytes",
    Kind.GAUGE,
    "Bytes of requests let in and of replies not sent yet.",
    {"priority": _PRIORITIES},
)
ADMITTED_PIXELS = Metric(
    "packshot_admitted_pixels",
    Kind.GAUGE,
    "Pixels of photos, backgrounds and pictures of the renders let in.",
    {"priority": _PRIORITIES},
)
RECEIVING = Metric(
    "packshot_receiving_requests", Kind.GAUGE, "Renders whose photo is being received."
)
OPEN_STREAMS = Metric("packshot_open_streams", Kind.GAUGE, "Streams of photos that are open.")
ADMITTED_REQUESTS_LIMIT = Metric(
    "packshot_admitted_requests_limit", Kind.GAUGE, "Most renders let in at once."
)
ADMITTED_BYTES_LIMIT = Metric(
    "packshot_admitted_bytes_limit", Kind.GAUGE, "Most bytes of requests and replies inside."
)
ADMITTED_PIXELS_LIMIT = Metric(
    "packshot_admitted_pixels_limit", Kind.GAUGE, "Most pixels of all renders inside."
)
RECEIVING_LIMIT = Metric(
    "packshot_receiving_requests_limit", Kind.GAUGE, "Most photos being received at once."
)
OPEN_STREAMS_LIMIT = Metric(
    "packshot_open_streams_limit", Kind.GAUGE, "Most streams of photos open at once."
)
ESTIMATED_WAIT = Metric(
    "packshot_estimated_wait_seconds",
    Kind.GAUGE,
    "Time until all renders inside will be done, by admission's estimate.",
    {"priority": _PRIORITIES},
)
ADMISSION_REFUSALS = Metric(
    "packshot_admission_refusals_total",
    Kind.COUNTER,
    "Requests refused for want of room, by the bound that was reached and their priority.",
    {"bound": tuple(Limit), "priority": _PRIORITIES},
)
CONNECTIONS_DROPPED = Metric(
    "packshot_connections_dropped_total",
    Kind.COUNTER,
    "Connections closed because their callers did not take their replies.",
)
READY = Metric(
    "packshot_ready",
    Kind.GAUGE,
    "1 while the default model answers, photos can be decoded and the event loop turns, else 0.",
)
EVENT_LOOP_SILENCE = Metric(
    "packshot_event_loop_silence_seconds",
    Kind.GAUGE,
    "Time since the event loop last turned; up to 0.25 s while all is well.",
)
TRITON_REACHABLE = Metric(
    "packshot_triton_reachable",
    Kind.GAUGE,
    "1 while a Triton answers when asked for its statistics, else 0.",
    {"triton": ()},
)
TRITON_BATCH_SIZE = Metric(
    "packshot_triton_batch_size",
    Kind.HISTOGRAM,
    "Photos in each pass of a model, as Triton counts them since it loaded the model.",
    {"triton": (), "model": ()},
    (1, 2, 4, 8, 16, 32, 64, 128),
)
MODEL_INFO = Metric(
    "packshot_model_info",
    Kind.GAUGE,
    "1 for each model that is loaded, with its version, precision and device (cpu, gpu).",
    {"model": (), "version": (), "precision": (), "device": (), "default": ("yes", "no")},
    combinations=(),
)
GPU_EXPECTED = Metric(
    "packshot_gpu_expected", Kind.GAUGE, "1 if PACKSHOT_EXPECT_GPU says that models run on a GPU."
)
CIRCUIT_OPEN = Metric(
    "packshot_circuit_open",
    Kind.GAUGE,
    "1 while a model's circuit is open: its callers are refused at once.",
    {"model": ()},
)
INFERENCE_RETRIES = Metric(
    "packshot_inference_retries_total",
    Kind.COUNTER,
    "Second attempts at Triton, by whether the budget allowed them.",
    {"allowed": ("yes", "no")},
)
CREDITS = Metric(
    "packshot_credits_total",
    Kind.COUNTER,
    "Credits held for renders, by what became of them; repeated ones took none.",
    {"outcome": tuple(ChargeOutcome)},
)
ACCOUNTS_DURATION = Metric(
    "packshot_accounts_duration_seconds",
    Kind.HISTOGRAM,
    "Time that one operation in the accounts' database took, waiting included.",
    {"operation": tuple(Operation)},
    _STAGE_BUCKETS_S,
)
CERTIFICATE_EXPIRY = Metric(
    "packshot_tls_certificate_expiry_timestamp_seconds",
    Kind.GAUGE,
    "When the certificate being served expires; +Inf without TLS.",
)
CERTIFICATE_LOADS = Metric(
    "packshot_tls_certificate_loads_total",
    Kind.COUNTER,
    "Certificates read after the start, by whether they are served now.",
    {"outcome": ("loaded", "refused")},
)
MEMORY_CEILING = Metric(
    "packshot_memory_ceiling_bytes",
    Kind.GAUGE,
    "What the gateway's memory stays below, by the configured bounds.",
)
RESIDENT_MEMORY = Metric(
    "packshot_resident_memory_bytes",
    Kind.GAUGE,
    "Resident memory of the gateway's process and of its decode workers.",
    {"part": ("gateway", "decode_workers")},
)
CPU_SECONDS = Metric(
    "packshot_cpu_seconds_total",
    Kind.COUNTER,
    "Processor time of the gateway's process and of its decode workers.",
    {"part": ("gateway", "decode_workers")},
)
WORKER_THREADS = Metric(
    "packshot_worker_threads", Kind.GAUGE, "Threads that decode, compose and encode."
)
DECODE_WORKERS_LOST = Metric(
    "packshot_decode_workers_lost_total",
    Kind.COUNTER,
    "Decode workers that crashed, hung or were killed, and were replaced.",
)
LOG_LINES_DROPPED = Metric(
    "packshot_log_lines_dropped_total",
    Kind.COUNTER,
    "Lines of the gateway's log that were dropped because standard error could not be written to.",
)
BUILD_INFO = Metric(
    "packshot_build_info",
    Kind.GAUGE,
    "1, with the versions of Packshot and Python and the revision of the source.",
    {"version": (), "revision": (), "python": ()},
    combinations=(),
)


def all_metrics() -> tuple[Metric, ...]:
    """Return every metric, in the order of their declaration."""
    return tuple(each for each in globals().values() if isinstance(each, Metric))
