"""Triton's process: its command line, its start, its signals and its end."""

import ctypes
import logging
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from serving.config import LOG_LEVELS, ServingConfig
from serving.output import OutputRelay
from serving.runtime import Runtime
from serving.scratch import Scratch
from serving.stubs import stubs_of

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_SETTLE_S = 1.0
_KILL_AFTER_S = 10.0
_LAST_LINES_S = 2.0
# No request waits in Triton's queue for longer than a minute.
_AGE_GRACE_MS = 90_000


class TritonProcess:
    """A started Triton.

    Args:
        command: Its command line.
        runtime: What to start.
        folder: Its working directory.
        exit_timeout_s: What Triton has been told about its exit.
    """

    def __init__(
        self, command: Sequence[str], runtime: Runtime, folder: Path, exit_timeout_s: float
    ) -> None:
        # Found before the fork: other threads run already, and all that the child then does is one
        # system call.
        prctl = ctypes.CDLL(None).prctl
        # In a session of its own it gets a terminal's Ctrl-C once, from us; and a signal from the
        # kernel should we be killed.
        self._popen = subprocess.Popen(
            command,
            env=dict(runtime.environ),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),  # noqa: PLW1509 - as above
        )
        self._output = OutputRelay(cast("BinaryIO", self._popen.stdout))
        self._exit_timeout_s = exit_timeout_s
        self._stop_asked_s: float | None = None
        self._given_up = False
        self._keeps_corpse = False

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    @property
    def stopping(self) -> bool:
        """Whether a signal has been passed on."""
        return self._stop_asked_s is not None

    def send_signal(self, number: int) -> None:
        """Pass a signal on."""
        if self._stop_asked_s is None:
            self._stop_asked_s = time.monotonic()
        self._popen.send_signal(number)

    def note_dead_stub(self) -> None:
        """Take notice that a stub died: Triton will never be done with what is left of it."""
        self._keeps_corpse = True

    def ended(self, within_s: float) -> bool:
        """Wait for its end.

        Args:
            within_s: How long.

        Returns:
            Whether it has ended.
        """
        try:
            self._popen.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def wait(self) -> int:
        """Wait for its end, and end it when only a corpse or nothing at all keeps it.

        Returns:
            Its exit status, 128 + N for a death by signal N. It is 0 after a requested stop that
            had to be forced because a dead stub was all that Triton waited for.
        """
        no_stub_since_s: float | None = None
        told = False
        while not self.ended(within_s=0.2):
            if self._stop_asked_s is None:
                continue
            if not told:
                log.info("stopping Triton: it finishes what is in flight")
                told = True
            now_s = time.monotonic()
            # A model whose stub was killed is never unloaded: Triton would wait for it in vain.
            # The other stubs leave when their requests are answered and their models unloaded.
            if self._keeps_corpse and not stubs_of(self.pid):
                no_stub_since_s = no_stub_since_s or now_s
                if now_s - no_stub_since_s > _SETTLE_S:
                    log.info("only a dead stub keeps Triton: ending it")
                    self._given_up = True
                    self._popen.kill()
            if now_s - self._stop_asked_s > self._exit_timeout_s + _KILL_AFTER_S:
                log.error("Triton outlived its exit timeout: killing it")
                self._popen.kill()
        # Stubs outlive a Triton that was killed, for a while.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._output.join(_LAST_LINES_S)
        status = self._popen.returncode
        if self._given_up:
            return 0
        return 128 - status if status < 0 else status


def triton_command(
    config: ServingConfig, runtime: Runtime, scratch: Scratch, models: Sequence[str], *, gpu: bool
) -> list[str]:
    """Write Triton's command line.

    Args:
        config: Serving's settings.
        runtime: The Triton.
        scratch: This run's names.
        models: The models to load.
        gpu: Whether there is a GPU to report on.

    Returns:
        The arguments, the binary first.
    """
    verbosity = LOG_LEVELS.index(config.triton_log_level)
    options = {
        "model-repository": scratch.link_repository(config.model_repository),
        "model-control-mode": "explicit",
        "http-address": config.host,
        "http-port": config.http_port,
        "grpc-address": config.host,
        "grpc-port": config.grpc_port,
        "metrics-address": config.host,
        "metrics-port": config.metrics_port,
        "allow-gpu-metrics": str(gpu).lower(),
        "exit-timeout-secs": config.exit_timeout_s,
        "log-warning": str(verbosity >= LOG_LEVELS.index("warning")).lower(),
        "log-info": str(verbosity >= LOG_LEVELS.index("info")).lower(),
        "log-verbose": int(verbosity >= LOG_LEVELS.index("verbose")),
    }
    if not gpu:
        # Memory pinned for a GPU; without one Triton only warns that there is none.
        options["pinned-memory-pool-byte-size"] = 0
    if config.max_connection_age_s:
        options["grpc-max-connection-age"] = round(config.max_connection_age_s * 1000)
        options["grpc-max-connection-age-grace"] = _AGE_GRACE_MS
    # Of the calls alone whose caller passes a trace on, as the gateway does for those it samples.
    tracing = (
        (
            "--trace-config=mode=opentelemetry",
            "--trace-config=level=TIMESTAMPS",
            "--trace-config=rate=0",
            f"--trace-config=opentelemetry,url={config.otlp_endpoint.rstrip('/')}/v1/traces",
            "--trace-config=opentelemetry,resource=service.name=packshot-triton",
        )
        if config.otlp_endpoint
        else ()
    )
    if runtime.backends:
        options["backend-directory"] = runtime.backends
    return [
        str(runtime.binary),
        *(f"--{name}={value}" for name, value in options.items()),
        *tracing,
        f"--backend-config=python,shm-region-prefix-name={scratch.shm_prefix}",
        *(f"--load-model={model}" for model in models),
    ]
