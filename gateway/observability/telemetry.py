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

    Attributes:
        registry: All of its metrics.
        metrics: The gateway's own metrics.
        calls: Counts, times, traces and logs each call.
        tracing: Makes the spans.
        tritons: Asks the inference servers for their state; the gateway runs it.
    """

    def __init__(self, config: GatewayConfig, tritons: InferenceServer) -> None:
        release = version("packshot")
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.tracing = Tracing(config.otlp_endpoint, config.trace_share, release)
        self.calls = Calls(self.metrics, self.tracing)
        self.tritons = TritonWatch(
            self.metrics, tritons, config.default_model, config.triton_state_interval_s
        )
        self.registry.register(self.tritons)
        self.registry.register(LogCollector(self.metrics, dropped_lines))
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
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
                metric.labels(priority).set_function(partial(admission.held, bound, priority))
            wait_s = partial(admission.wait_s, priority)
            metrics.estimated_wait.labels(priority).set_function(wait_s)
        metrics.receiving.set_function(receiving)
        metrics.open_streams.set_function(lambda: streams.open)
        self.registry.register(UsageCollector(metrics, decode_workers))

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
