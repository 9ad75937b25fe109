"""Every metric of the gateway, declared once: the tables of the documents are made from it."""

from collections.abc import Iterator
from typing import Final

import grpc
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from gateway.admission.priority import Priority
from gateway.errors import all_reasons
from gateway.observability import labels
from gateway.observability.labels import RENDERS, Method
from processes.metrics import Declaration, MetricSet, NoLabels
from processes.metrics.across import Across

# Seconds, dense around the objective that `docs/monitoring.md` sets for a render, 1 s.
REQUEST_BUCKETS_S: Final = (
    *(0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5),
    *(0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0),
)
# A stage takes some milliseconds to some tenths of a second.
_STAGE_BUCKETS_S: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_CONFIDENCE_BUCKETS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
_BATCH_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics(MetricSet):
    """The metrics of one gateway.

    They are kept in the gateway's own process. What decode workers do is measured from outside, so
    that one scrape tells all of it.

    Args:
        registry: Where they are registered; a fresh one per gateway.
        is_published: As in `MetricSet`.
    """

    def __init__(self, registry: CollectorRegistry, *, is_published: bool = False) -> None:
        super().__init__(registry, is_published=is_published)
        self._declare_calls()
        self._declare_admission()
        self._declare_inference()
        self._declare_accounts()
        self._declare_process()

    def _declare_calls(self) -> None:
        self.requests = self.counters(
            "packshot_requests_total",
            "Requests answered, by method, gRPC status and priority.",
            labels.ByCall,
            [(method, code, of) for method, of in _priorities() for code in grpc.StatusCode],
        )
        self.request_duration = self.histograms(
            "packshot_request_duration_seconds",
            "Time from the arrival of a whole request to its answer.",
            labels.ByOutcome,
            REQUEST_BUCKETS_S,
            [(method, of, outcome) for method, of in _priorities() for outcome in ("ok", "error")],
        )
        self.in_flight = self.gauges(
            "packshot_requests_in_flight", "Requests inside the gateway now.", labels.ByMethod
        )
        self.errors = self.counters(
            "packshot_errors_total",
            "Requests and calls that ended in an error, by its reason.",
            labels.ByReason,
            [(reason,) for reason in all_reasons()],
        )
        self.images = self.counter("packshot_images_total", "Photos rendered.")
        self.pixels = self.counter("packshot_pixels_total", "Pixels of the photos rendered.")
        self.photo_bytes = self.counter("packshot_photo_bytes_total", "Bytes of photos received.")
        self.picture_bytes = self.counter(
            "packshot_picture_bytes_total", "Bytes of pictures answered."
        )
        self.stage_duration = self.histograms(
            "packshot_stage_duration_seconds",
            "Time that one stage of a render took; queue is all its waiting for a worker thread.",
            labels.ByStage,
            _STAGE_BUCKETS_S,
        )
        self.confidence = self.histogram(
            "packshot_matte_confidence",
            "How sure the model was of its cuts, 0 to 1.",
            _CONFIDENCE_BUCKETS,
        )

    def _declare_admission(self) -> None:
        self.admitted_requests = self.gauges(
            "packshot_admitted_requests",
            "Renders that admission has let in and that have not left.",
            labels.ByPriority,
        )
        self.admitted_bytes = self.gauges(
            "packshot_admitted_bytes",
            "Bytes of requests let in and of replies not sent yet.",
            labels.ByPriority,
        )
        self.admitted_pixels = self.gauges(
            "packshot_admitted_pixels",
            "Pixels of photos, backgrounds and pictures of the renders let in.",
            labels.ByPriority,
        )
        self.receiving = self.gauge(
            "packshot_receiving_requests", "Renders whose photo is being received."
        )
        self.open_streams = self.gauge("packshot_open_streams", "Streams of photos that are open.")
        self.admitted_requests_limit = self.gauge(
            "packshot_admitted_requests_limit", "Most renders let in at once."
        )
        self.admitted_bytes_limit = self.gauge(
            "packshot_admitted_bytes_limit", "Most bytes of requests and replies inside."
        )
        self.admitted_pixels_limit = self.gauge(
            "packshot_admitted_pixels_limit", "Most pixels of all renders inside."
        )
        self.receiving_limit = self.gauge(
            "packshot_receiving_requests_limit", "Most photos being received at once."
        )
        self.open_streams_limit = self.gauge(
            "packshot_open_streams_limit", "Most streams of photos open at once."
        )
        self.estimated_wait = self.gauges(
            "packshot_estimated_wait_seconds",
            "Time until all renders inside will be done, by admission's estimate.",
            labels.ByPriority,
            across=Across.MOST,
        )
        self.admission_refusals = self.counters(
            "packshot_admission_refusals_total",
            "Requests refused for want of room, by the bound that was reached and their priority.",
            labels.ByBound,
        )
        self.connections_dropped = self.counter(
            "packshot_connections_dropped_total",
            "Connections closed because their callers did not take their replies.",
        )
        self.ready = self.gauge(
            "packshot_ready",
            "1 while the default model answers, photos can be decoded and the event loop turns, "
            "else 0.",
            across=Across.MOST,
        )
        self.event_loop_silence = self.gauge(
            "packshot_event_loop_silence_seconds",
            "Time since the event loop last turned; up to 0.25 s while all is well.",
            across=Across.MOST,
        )

    def _declare_inference(self) -> None:
        self.triton_reachable = self.collected(
            GaugeMetricFamily,
            "packshot_triton_reachable",
            "1 while a Triton answers when asked for its statistics, else 0.",
            labels.ByTriton,
            across=Across.MOST,
        )
        self.triton_batch_size = self.collected(
            HistogramMetricFamily,
            "packshot_triton_batch_size",
            "Photos in each pass of a model, as Triton counts them since it loaded the model.",
            labels.ByTritonAndModel,
            _BATCH_BUCKETS,
            across=Across.MOST,
        )
        self.model_info = self.collected(
            GaugeMetricFamily,
            "packshot_model_info",
            "1 for each model that is loaded, with its version, precision and device (cpu, gpu).",
            labels.ModelLabels,
            across=Across.MOST,
        )
        self.gpu_expected = self.gauge(
            "packshot_gpu_expected",
            "1 if PACKSHOT_EXPECT_GPU says that models run on a GPU.",
            across=Across.MOST,
        )
        self.circuit_open = self.gauges(
            "packshot_circuit_open",
            "1 while a model's circuit is open: its callers are refused at once.",
            labels.ByModel,
            across=Across.MOST,
        )
        self.inference_retries = self.counters(
            "packshot_inference_retries_total",
            "Second attempts at Triton, by whether the budget allowed them.",
            labels.ByPermission,
        )

    def _declare_accounts(self) -> None:
        self.credits = self.counters(
            "packshot_credits_total",
            "Credits held for renders, by what became of them; repeated ones took none.",
            labels.ByChargeOutcome,
        )
        self.accounts_duration = self.histograms(
            "packshot_accounts_duration_seconds",
            "Time that one operation in the accounts' database took, waiting included.",
            labels.ByOperation,
            _STAGE_BUCKETS_S,
        )

    def _declare_process(self) -> None:
        self.certificate_expiry = self.gauge(
            "packshot_tls_certificate_expiry_timestamp_seconds",
            "When the certificate being served expires; +Inf without TLS.",
            across=Across.LEAST,
        )
        self.certificate_loads = self.counters(
            "packshot_tls_certificate_loads_total",
            "Certificates read after the start, by whether they are served now.",
            labels.ByLoad,
        )
        self.memory_ceiling = self.gauge(
            "packshot_memory_ceiling_bytes",
            "What the gateway's memory stays below, by the configured bounds.",
        )
        self.resident_memory = self.collected(
            GaugeMetricFamily,
            "packshot_resident_memory_bytes",
            "Resident memory of the gateway's processes and of their decode workers.",
            labels.ByPart,
        )
        self.cpu_seconds = self.collected(
            CounterMetricFamily,
            "packshot_cpu_seconds_total",
            "Processor time of the gateway's processes and of their decode workers.",
            labels.ByPart,
        )
        self.worker_threads = self.gauge(
            "packshot_worker_threads", "Threads that decode, compose and encode."
        )
        self.decode_workers_lost = self.counter(
            "packshot_decode_workers_lost_total",
            "Decode workers that crashed, hung or were killed, and were replaced.",
        )
        self.log_lines_dropped = self.collected(
            CounterMetricFamily,
            "packshot_log_lines_dropped_total",
            "Lines of the gateway's log that were dropped because standard error could not be "
            "written to.",
            NoLabels,
        )
        self.build_info = self.gauges(
            "packshot_build_info",
            "1, with the versions of Packshot and Python and the revision of the source.",
            labels.BuildLabels,
            across=Across.MOST,
        )


def all_metrics() -> tuple[Declaration, ...]:
    """Return what every metric was declared as, in the order of declaration."""
    return tuple(Metrics(CollectorRegistry()).declared)


def _priorities() -> Iterator[tuple[Method, Priority | None]]:
    """Return each method with each priority that its calls may have."""
    for method in Method:
        for priority in Priority if method in RENDERS else (None,):
            yield method, priority
