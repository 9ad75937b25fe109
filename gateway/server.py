"""The gateway as a process: what it is made of, how it starts, drains and stops."""

import asyncio
import logging
import signal

import cv2
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry

from gateway.admission import Admission
from gateway.config import GatewayConfig
from gateway.door import Door
from gateway.http import MetricsServer
from gateway.inference import InferenceServer
from gateway.metrics import GatewayMetrics
from gateway.options.reader import OptionReader
from gateway.presets.load import load_presets
from gateway.readiness import ReadinessWatch
from gateway.renderer import Renderer
from gateway.service import PackshotService
from gateway.workers import PriorityWorkers
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import add_PackshotServiceServicer_to_server

log = logging.getLogger(__name__)

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["PackshotService"].full_name


class PortError(Exception):
    """A port cannot be bound; the message names it."""


class Gateway:
    """A gateway, from start to stop.

    Args:
        config: Its settings.
        inference: The inference server; closed when the gateway stops.
    """

    def __init__(self, config: GatewayConfig, inference: InferenceServer) -> None:
        self._config = config
        self._inference = inference
        self._registry = CollectorRegistry()
        self._metrics = GatewayMetrics(self._registry)
        self._health = health.aio.HealthServicer()
        self._watch = ReadinessWatch(
            inference,
            config.default_model,
            config.probe_interval_s,
            config.probe_timeout_s,
            self._report,
        )
        self._ready = False
        self.port = 0
        self.metrics_port = 0

    async def start(self) -> None:
        """Bind both ports, answer, and begin to watch the default model.

        Raises:
            PortError: A port is in use.
        """
        config = self._config
        # Each step runs on one worker thread already; OpenCV's own would only get in their way.
        cv2.setNumThreads(1)
        self._workers = PriorityWorkers(config.worker_threads, "pipeline")
        self._server = self._build_server()
        try:
            self.port = self._server.add_insecure_port(f"{config.host}:{config.port}")
        except RuntimeError as exc:
            raise PortError(f"cannot listen on {config.host}:{config.port} for gRPC") from exc
        try:
            self._http = MetricsServer(
                config.host, config.metrics_port, self._registry, lambda: self._ready
            )
        except OSError as exc:
            raise PortError(
                f"cannot listen on {config.host}:{config.metrics_port} for metrics: {exc.strerror}"
            ) from exc
        self.metrics_port = self._http.port
        await self._report(False)  # noqa: FBT003
        await self._server.start()
        self._watching = asyncio.create_task(self._watch.run())
        log.info(
            "gateway listens on %s:%d, metrics on %s:%d, %d worker threads, Triton at %s, "
            "memory stays below %.1f GiB",
            config.host,
            self.port,
            config.host,
            self.metrics_port,
            config.worker_threads,
            config.triton,
            config.memory_ceiling_bytes / 2**30,
        )
        self._metrics.ceiling(config.memory_ceiling_bytes)

    async def stop(self) -> None:
        """Say NOT_SERVING, let the requests in flight finish, then close everything."""
        log.info("draining, at most %g s", self._config.drain_timeout_s)
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        self._ready = False
        await self._health.enter_graceful_shutdown()
        await self._server.stop(self._config.drain_timeout_s)
        await self._inference.close()
        self._http.close()
        self._workers.shutdown()
        log.info("stopped")

    def _build_server(self) -> grpc.aio.Server:
        config = self._config
        admission = Admission(config.bounds, self._metrics.refused)
        server = grpc.aio.server(
            # The door is the first: what it refuses is not even received.
            interceptors=[Door(admission, self._metrics, config.default_timeout_s)],
            options=[
                ("grpc.max_receive_message_length", config.max_message_bytes),
                ("grpc.max_send_message_length", -1),
                # Without this a second gateway would silently share the port.
                ("grpc.so_reuseport", 0),
            ],
        )
        service = PackshotService(
            Renderer(self._inference, self._workers, config.limits, self._metrics),
            self._inference,
            OptionReader(config.default_model, config.max_photo_pixels, load_presets()),
            admission,
            self._metrics,
            config.default_timeout_s,
            on_unavailable=self._watch.doubt,
        )
        add_PackshotServiceServicer_to_server(service, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        return server

    async def _report(self, ready: bool) -> None:  # noqa: FBT001  a state, no switch
        self._ready = ready
        self._metrics.ready(ready=ready)
        serving = health_pb2.HealthCheckResponse
        status = serving.SERVING if ready else serving.NOT_SERVING
        for name in ("", SERVICE_NAME):
            await self._health.set(name, status)


async def run(config: GatewayConfig, inference: InferenceServer) -> None:
    """Run a gateway until SIGTERM or SIGINT, then drain it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    gateway = Gateway(config, inference)
    await gateway.start()
    await stop.wait()
    await gateway.stop()
