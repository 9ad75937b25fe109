"""The gateway as a process: what it is made of, how it starts, drains and stops."""

import asyncio
import logging
from contextlib import suppress
from typing import Final

import cv2
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from gateway.accounts.accounts import Accounts
from gateway.accounts.holds import CreditHolds, NoCreditHolds
from gateway.admission import Admission, Limit
from gateway.admission.priority import Priority
from gateway.config import GatewayConfig
from gateway.inference.answer_times import AnswerTimes
from gateway.inference.channel import is_sole
from gateway.inference.circuits import Circuits
from gateway.inference.client import InferenceClient
from gateway.inference.readiness import ReadinessWatch
from gateway.inference.retries import ATTEMPTS, ATTEMPTS_AT_ONE, Retries
from gateway.inference.server import InferenceServer
from gateway.observability.heartbeat import Heartbeat
from gateway.observability.telemetry import Telemetry
from gateway.rendering.decoding.processes import ProcessDecoder
from gateway.rendering.renderer import Renderer
from gateway.rendering.steps import Steps
from gateway.rendering.workers import PriorityWorkers
from gateway.rpc.admission_interceptor import AdmissionInterceptor
from gateway.rpc.calls import CallRunner
from gateway.rpc.connections import drop_connection
from gateway.rpc.descriptors import most_connections
from gateway.rpc.health import Health
from gateway.rpc.render import RenderHandler
from gateway.rpc.replies import Replies
from gateway.rpc.requests.reader import OptionReader
from gateway.rpc.service import PackshotService
from gateway.rpc.streams import PhotoStreams
from gateway.rpc.tls import ServedCertificate
from gateway.rpc.transport import MAX_CALLS, server_options
from gateway.stopping import take_all
from gateway.surroundings import Alone, PortError, Surroundings
from imaging.decode.decoder import Decoder, ThreadDecoder
from imaging.presets.load import load_presets
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import add_PackshotServiceServicer_to_server
from processes.settings import is_loopback

log = logging.getLogger(__name__)

HEALTH_SERVICE_NAME = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
# After the drain, the time for steps that have begun; they look every moment whether to go on, but
# an encoder's own work cannot be interrupted.
_STOP_S: Final = 4.0

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["PackshotService"].full_name


class Gateway:
    """A gateway, from start to stop.

    Args:
        config: Its settings.
        inference: The inference server; closed when the gateway stops.
        around: What is around it; None: it is alone.
    """

    def __init__(
        self,
        config: GatewayConfig,
        inference: InferenceServer,
        around: Surroundings | None = None,
    ) -> None:
        self._config = config
        self._around = around = around or Alone()
        self._telemetry = Telemetry(config, inference, is_published=not around.is_alone)
        self._metrics, self._calls = self._telemetry.metrics, self._telemetry.calls
        answers = AnswerTimes()
        circuits = Circuits(config.circuit_failures, self._report_circuit, answers)
        attempts = ATTEMPTS_AT_ONE if is_sole(config.triton) else ATTEMPTS
        retries = Retries(
            config.retry_share, config.retries_in_reserve, self._count_retry, attempts
        )
        self._inference = InferenceClient(inference, circuits, retries, answers)
        self._health = Health()
        self._watch = ReadinessWatch(
            self._inference,
            config.default_model,
            config.probe_interval_s,
            config.probe_timeout_s,
            self._report,
            lambda: self._decoder.hindrance(),  # noqa: PLW0108  it is built by `start`
        )
        files, accounts = config.certificate_files, config.accounts
        self._certificate = ServedCertificate(files, self._metrics) if files else None
        self._accounts = (
            Accounts(accounts, SERVICE_NAME, self._metrics, self._calls, around.rates)
            if accounts
            else None
        )
        if accounts and not files and not is_loopback(config.host):
            log.warning("API keys come without TLS: everyone on the way can read them")
        self._ready = False
        self._heartbeat = Heartbeat()
        self._metrics.follow(self._metrics.ready, self._is_ready)
        self._metrics.follow(self._metrics.event_loop_silence, lambda: self._heartbeat.silence_s)
        self.port = 0
        self.metrics_port = 0

    async def start(self) -> None:
        """Bind both ports, answer, and begin to watch the default model.

        Raises:
            PortError: A port is in use.
            StartError: The accounts cannot be opened.
        """
        config = self._config
        self._loop = asyncio.get_running_loop()
        if self._accounts:
            await self._accounts.start()
        # Each step runs on one worker thread already; OpenCV's own would only get in their way.
        cv2.setNumThreads(1)
        self._workers = PriorityWorkers(config.worker_threads, "pipeline")
        self._decoder = self._build_decoder()
        self._server = self._build_server()
        try:
            self.port = self._bind(f"{config.host}:{config.port}")
        except RuntimeError as exc:
            raise PortError(f"cannot listen on {config.host}:{config.port} for gRPC") from exc
        self._shown = self._around.show(config, self._telemetry, self._heartbeat, self._is_ready)
        self.metrics_port = self._shown.port
        # Not before everything is there that a start can fail for: threads keep a process alive.
        self._workers.start()
        self._decoder.start()
        self._beating = asyncio.create_task(self._heartbeat.run())
        await self._report(False)  # noqa: FBT003
        await self._server.start()
        self._watching = [
            asyncio.create_task(self._watch.run()),
            asyncio.create_task(self._telemetry.tritons.run()),
        ]
        if self._certificate:
            self._watching.append(
                asyncio.create_task(
                    self._certificate.watch(
                        config.host, self.port, shares_port=not self._around.is_alone
                    )
                )
            )
        log.info(
            "gateway listens on %s:%d, metrics on %s:%d, %d worker threads, Triton at %s, "
            "memory stays below %.1f GiB",
            *(config.host, self.port, config.host, self.metrics_port or config.metrics_port),
            *(config.worker_threads, config.triton, config.memory_ceiling_bytes / 2**30),
        )

    async def stop(self) -> None:
        """Say NOT_SERVING, let the requests in flight finish, then close everything."""
        drain_s = self._config.drain_timeout_s
        log.info("draining, at most %g s", drain_s)
        for watching in self._watching:
            watching.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        self._ready = False
        # What is not done by then is cancelled by gRPC; a decoder would not notice.
        abandoning = self._loop.call_later(drain_s, self._decoder.abandon)
        await take_all(
            self._health.end,
            self._streams.drain,
            lambda: self._server.stop(drain_s),
            abandoning.cancel,
            self._decoder.abandon,
            # Renders end with their steps, which go on meanwhile, and then return their credits.
            lambda: asyncio.to_thread(self._workers.shutdown, _STOP_S),
            self._accounts.stop if self._accounts else _nothing,
            self._inference.close,
            self._shown.close,
            self._beating.cancel,
            self._decoder.close,
            lambda: asyncio.to_thread(self._telemetry.close),
        )
        log.info("stopped")

    def _decoder_changed(self) -> None:
        """Have readiness checked now; from any thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._watch.probe_now)

    def _build_decoder(self) -> Decoder:
        config = self._config
        if not config.worker_processes:
            return ThreadDecoder()
        return ProcessDecoder(
            config.worker_processes,
            config.decode_timeout_s,
            config.limits,
            self._metrics.decode_workers_lost.inc,
            config.log_format,
            self._decoder_changed,
        )

    def _build_server(self) -> grpc.aio.Server:
        config = self._config
        replies = Replies(
            config.send_timeout_s,
            drop_connection,
            self._metrics.connections_dropped.inc,
        )
        admission = Admission(config.admission_limits, self._count_refusal, replies.make_room)
        receiving = AdmissionInterceptor(
            admission, self._calls, config.max_receiving, config.default_timeout_s, replies
        )
        options = OptionReader(config.default_model, config.max_photo_pixels, load_presets())
        holds: CreditHolds = self._accounts.holds if self._accounts else NoCreditHolds()
        server = grpc.aio.server(
            # A render that either refuses is not even received.
            interceptors=[*([self._accounts.interceptor] if self._accounts else []), receiving],
            options=server_options(
                config.max_message_bytes,
                most_connections(config.max_connections),
                config.max_connection_age_s,
                config.connection_age_grace_s,
                shares_port=not self._around.is_alone,
            ),
            maximum_concurrent_rpcs=MAX_CALLS,
        )
        steps = Steps(self._workers)
        renderer = Renderer(
            self._inference,
            steps,
            self._decoder,
            config.limits,
            config.max_core_s,
            self._metrics,
            self._telemetry.tracing,
        )
        calls = CallRunner(self._calls)
        renders = RenderHandler(
            renderer, steps, options, admission, holds, self._metrics, self._inference.answers
        )
        self._streams = PhotoStreams(
            calls,
            renders,
            replies,
            window=config.stream_window,
            max_streams=config.max_streams,
            first_timeout_s=min(config.default_timeout_s, config.stream_idle_timeout_s),
            idle_timeout_s=config.stream_idle_timeout_s,
            photo_timeout_s=config.default_timeout_s,
            max_message_bytes=config.max_message_bytes,
        )
        service = PackshotService(
            calls,
            renders,
            self._streams,
            self._inference,
            options,
            holds,
            replies,
            config.default_timeout_s,
        )
        self._telemetry.watch(
            admission, self._streams, lambda: receiving.renders, self._decoder.pids
        )
        add_PackshotServiceServicer_to_server(service, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (SERVICE_NAME, HEALTH_SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        return server

    def _bind(self, address: str) -> int:
        if self._certificate:
            return self._server.add_secure_port(address, self._certificate.credentials())
        return self._server.add_insecure_port(address)

    def _report_circuit(self, model: str, is_open: bool) -> None:  # noqa: FBT001  a state
        self._metrics.circuit_open.labels(model).set(is_open)
        self._watch.probe_now()

    def _count_retry(self, allowed: bool) -> None:  # noqa: FBT001  what the budget said
        self._metrics.inference_retries.labels("yes" if allowed else "no").inc()

    def _count_refusal(self, bound: Limit, priority: Priority) -> None:
        self._metrics.admission_refusals.labels(bound, priority).inc()

    def _is_ready(self) -> bool:
        # A model may answer, and the loop that would ask it be stuck.
        return self._ready and self._heartbeat.may_be_ready

    async def _report(self, ready: bool) -> None:  # noqa: FBT001  a state, no switch
        self._ready = ready
        for name in ("", SERVICE_NAME):
            self._health.set(name, serving=ready)


def _nothing() -> None:
    pass
