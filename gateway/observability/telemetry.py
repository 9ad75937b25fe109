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
from gateway.observability import catalogue
from gateway.observability.calls import Calls
from gateway.observability.log_lines import LogCollector
from gateway.observability.metrics import Metrics
from gateway.observability.tracing import Tracing
from gateway.observability.tritons import TritonWatch
from gateway.observability.usage import UsageCollector
from gateway.rpc.streams import PhotoStreams
from logs import dropped_lines


class Telemetry:
    """What can be seen of one gateway.

    Args:
        config: The gateway's settings.
        tritons: The inference servers behind it.

    Attributes:
        registry: All of its metrics.
        metrics: Those that are counted and observed.
        calls: Sees the calls.
        tracing: Makes the spans.
        tritons: Asks the inference servers how they are; to be run.
    """

    def __init__(self, config: GatewayConfig, tritons: InferenceServer) -> None:
        release = version("packshot")
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.tracing = Tracing(config.otlp_endpoint, config.trace_share, release)
        self.calls = Calls(self.metrics, self.tracing)
        self.tritons = TritonWatch(tritons, config.default_model, config.triton_state_interval_s)
        self.registry.register(self.tritons)
        self.registry.register(LogCollector(dropped_lines))
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
        """Read at each scrape what the parts of the gateway hold.

        Args:
            admission: Knows what is inside.
            streams: Knows what is open.
            receiving: Tells how many renders' requests are being received.
            decode_workers: Gives the process ids of the decode workers.
        """
        for priority in Priority:
            for bound, metric in (
                (Limit.REQUESTS, catalogue.ADMITTED_REQUESTS),
                (Limit.BYTES, catalogue.ADMITTED_BYTES),
                (Limit.PIXELS, catalogue.ADMITTED_PIXELS),
            ):
                held = partial(admission.held, bound, priority)
                self.metrics.follow(metric, held, priority.label)
            wait_s = partial(admission.wait_s, priority)
            self.metrics.follow(catalogue.ESTIMATED_WAIT, wait_s, priority.label)
        self.metrics.follow(catalogue.RECEIVING, receiving)
        self.metrics.follow(catalogue.OPEN_STREAMS, lambda: streams.open)
        self.registry.register(UsageCollector(decode_workers))

    def close(self) -> None:
        """Send the spans that have not been sent."""
        self.tracing.close()

    def _show_settings(self, config: GatewayConfig, release: str) -> None:
        bounds, show = config.admission_limits, self.metrics.show
        show(catalogue.BUILD_INFO, 1, release, config.revision, platform.python_version())
        show(catalogue.ADMITTED_REQUESTS_LIMIT, bounds.requests)
        show(catalogue.ADMITTED_BYTES_LIMIT, bounds.bytes)
        show(catalogue.ADMITTED_PIXELS_LIMIT, bounds.pixels)
        show(catalogue.RECEIVING_LIMIT, bounds.receiving)
        show(catalogue.OPEN_STREAMS_LIMIT, bounds.streams)
        show(catalogue.MEMORY_CEILING, config.memory_ceiling_bytes)
        show(catalogue.WORKER_THREADS, config.worker_threads)
        show(catalogue.GPU_EXPECTED, config.expect_gpu)
        show(catalogue.CIRCUIT_OPEN, 0, config.default_model)
        show(catalogue.CERTIFICATE_EXPIRY, math.inf)
