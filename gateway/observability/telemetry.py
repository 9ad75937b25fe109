"""One gateway's telemetry: the registry, the metrics that are read at a scrape, and the traces."""

import math
import platform
from collections.abc import Callable, Iterable
from functools import partial
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)

from gateway.admission import Admission, Limit
from gateway.admission.priority import Priority
from gateway.config import GatewayConfig
from gateway.inference.server import InferenceServer
from gateway.observability.calls import Calls
from gateway.observability.log_lines import LogCollector
from gateway.observability.metrics import Metrics
from gateway.observability.tracing import Tracing
from gateway.observability.tritons import TritonWatch
from gateway.observability.usage import UsageCollector
from gateway.rpc.streams import PhotoStreams
from processes.logs import dropped_lines


class Telemetry:
    """The registry, the metrics and the traces of one gateway.

    Args:
        config: The gateway's settings.
        tritons: The inference servers behind it.
        is_published: As in `MetricSet`.

    Attributes:
        registry: All of its metrics.
        collected: Those that are collected at each scrape: the same, or if the others are
            published a registry of their own.
        metrics: The gateway's own metrics.
        calls: Counts, times, traces and logs each call.
        tracing: Makes the spans.
        tritons: Asks the inference servers for their state; the gateway runs it.
    """

    def __init__(
        self, config: GatewayConfig, tritons: InferenceServer, *, is_published: bool = False
    ) -> None:
        release = version("packshot")
        self.registry = CollectorRegistry()
        self.collected = CollectorRegistry() if is_published else self.registry
        self.metrics = Metrics(self.registry, is_published=is_published)
        self.tracing = Tracing(config.otlp_endpoint, config.trace_share, release)
        self.calls = Calls(self.metrics, self.tracing)
        self.tritons = TritonWatch(
            self.metrics, tritons, config.default_model, config.triton_state_interval_s
        )
        self.collected.register(self.tritons)
        self.collected.register(LogCollector(self.metrics, dropped_lines))
        ProcessCollector(registry=self.collected)
        PlatformCollector(registry=self.collected)
        GCCollector(registry=self.collected)
        self._show_settings(config, release)

    def watch(
        self,
        admission: Admission,
        streams: PhotoStreams,
        receiving: Callable[[], int],
        decode_workers: Callable[[], Iterable[int]],
    ) -> None:
        """Have each scrape read what the parts of the gateway hold.

        Args:
            admission: Knows what is inside.
            streams: Knows what is open.
            receiving: Tells how many renders' requests are being received.
            decode_workers: Gives the process ids of the decode workers.
        """
        metrics = self.metrics
        for priority in Priority:
            for bound, metric in (
                (Limit.REQUESTS, metrics.admitted_requests),
                (Limit.BYTES, metrics.admitted_bytes),
                (Limit.PIXELS, metrics.admitted_pixels),
            ):
                held = partial(admission.held, bound, priority)
                metrics.follow(metric.labels(priority), held)
            wait_s = partial(admission.wait_s, priority)
            metrics.follow(metrics.estimated_wait.labels(priority), wait_s)
        metrics.follow(metrics.receiving, receiving)
        metrics.follow(metrics.open_streams, lambda: streams.open)
        self.collected.register(UsageCollector(metrics, decode_workers))

    def close(self) -> None:
        """Send the spans that have not been sent."""
        self.tracing.close()

    def _show_settings(self, config: GatewayConfig, release: str) -> None:
        bounds, metrics = config.admission_limits, self.metrics
        metrics.build_info.labels(release, config.revision, platform.python_version()).set(1)
        metrics.admitted_requests_limit.set(bounds.requests)
        metrics.admitted_bytes_limit.set(bounds.bytes)
        metrics.admitted_pixels_limit.set(bounds.pixels)
        metrics.receiving_limit.set(bounds.receiving)
        metrics.open_streams_limit.set(bounds.streams)
        metrics.memory_ceiling.set(config.memory_ceiling_bytes)
        metrics.worker_threads.set(config.worker_threads)
        metrics.gpu_expected.set(config.expect_gpu)
        metrics.circuit_open.labels(config.default_model).set(0)
        metrics.certificate_expiry.set(math.inf)
