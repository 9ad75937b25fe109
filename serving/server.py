"""One run of Triton from start to end: checks, start, readiness, watch, signals, status."""

import logging
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from serving.client import TritonClient
from serving.config import ServingConfig
from serving.errors import StartError
from serving.host import has_nvidia_gpu
from serving.ports import check_ports, is_listening
from serving.repository import models_to_load
from serving.runtime import find_runtime
from serving.scratch import Scratch, scratch
from serving.stubs import stubs_of
from serving.supervisor import Supervisor
from serving.triton import TritonProcess, triton_command
from serving.watch import ModelWatch

log = logging.getLogger(__name__)

# What a shell adds to the number of a signal that ended a process.
_BY_SIGNAL = 128
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def serve(config: ServingConfig, environ: Mapping[str, str]) -> int:
    """Run Triton until it ends.

    Args:
        config: Serving's settings.
        environ: The process's environment.

    Returns:
        Triton's exit status; 128 + N if signal N killed it.

    Raises:
        ServingError: Triton could not be started, or did not become ready in time.
    """
    models = models_to_load(config.model_repository, config.models)
    check_ports(config)
    with _signals() as receiver, scratch() as own:
        triton = _start(config, environ, own, models)
        receiver.pass_to(triton)
        client = TritonClient(config.address(config.grpc_port))
        try:
            start_s = time.monotonic()
            if _wait_until_ready(triton, client, models, config):
                log.info(
                    "Triton serves %s: gRPC %s, HTTP %s, metrics http://%s/metrics (after %.1f s)",
                    ", ".join(models),
                    *(config.address(p) for p in config.ports),
                    time.monotonic() - start_s,
                )
                supervisor = _supervisor(config, triton, client)
                supervisor.start()
                status = triton.wait()
                supervisor.stop()
            else:
                status = triton.wait()
                if not triton.stopping:
                    log.error("Triton ended before it was ready; its messages above say why")
                    status = status or 1
        except BaseException:
            triton.send_signal(signal.SIGTERM)
            triton.wait()
            raise
        finally:
            client.close()
    level = logging.INFO if triton.stopping else logging.ERROR
    log.log(level, "Triton ended %s", _how(status))
    return status


def _how(status: int) -> str:
    """Tell how a process ended, by its exit status as a shell has it."""
    with suppress(ValueError):
        return f"by {signal.Signals(status - _BY_SIGNAL).name} (status {status})"
    return f"with status {status}"


def _start(
    config: ServingConfig, environ: Mapping[str, str], own: Scratch, models: Sequence[str]
) -> TritonProcess:
    runtime = find_runtime(config, environ, own.folder)
    log.info("starting %s on %s", runtime.description, config.model_repository.resolve())
    command = triton_command(config, runtime, own, models, gpu=has_nvidia_gpu())
    try:
        return TritonProcess(command, runtime, own.folder, config.exit_timeout_s)
    except OSError as exc:
        raise StartError(f"{runtime.binary} cannot be started: {exc.strerror}") from exc


def _wait_until_ready(
    triton: TritonProcess, client: TritonClient, models: Sequence[str], config: ServingConfig
) -> bool:
    start_s = time.monotonic()
    while not triton.ended(within_s=0.05):
        if triton.stopping:
            return False
        # The port of the metrics is the last that Triton opens, and no health call speaks of it.
        if client.is_ready(models) and is_listening(config.address(config.metrics_port)):
            return True
        if time.monotonic() - start_s > config.start_timeout_s:
            raise StartError(f"Triton was not ready after {config.start_timeout_s:g} s")
    return False


def _supervisor(config: ServingConfig, triton: TritonProcess, client: TritonClient) -> Supervisor:
    def watch(model: str) -> ModelWatch:
        return ModelWatch(
            model,
            client,
            list_stubs=lambda name: stubs_of(triton.pid, name),
            on_dead_stub=triton.note_dead_stub,
            probe_interval_s=config.probe_interval_s,
            hang_timeout_s=config.hang_timeout_s,
        )

    return Supervisor(client.ready_models, watch, lambda: triton.stopping, config.watch_interval_s)


class _Receiver:
    """Takes the process's signals: they stop a preparation, and go on to Triton once it runs."""

    def __init__(self) -> None:
        self._triton: TritonProcess | None = None
        self._early: int | None = None

    def pass_to(self, triton: TritonProcess) -> None:
        self._triton = triton
        # What is raised in a destructor is lost: then the preparation went on.
        if self._early is not None:
            self.handle(self._early, None)

    def handle(self, number: int, _frame: FrameType | None) -> None:
        if self._triton is None:
            self._early = number
            raise SystemExit(128 + number)
        # Triton knows no SIGHUP. Nothing is logged here: a handler may interrupt the log itself.
        self._triton.send_signal(signal.SIGTERM if number == signal.SIGHUP else number)


@contextmanager
def _signals() -> Iterator[_Receiver]:
    receiver = _Receiver()
    before = {number: signal.signal(number, receiver.handle) for number in _SIGNALS}
    try:
        yield receiver
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
