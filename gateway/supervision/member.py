"""One gateway process as its supervisor sees it; its successors are the same member."""

import asyncio
import os
import pickle
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.observability.heartbeat import ALIVE_WITHIN_S, READY_WITHIN_S
from gateway.start import StartError
from gateway.supervision.place import Place
from gateway.supervision.reports import MAX_BYTES, Report

# Loading code and compiling what is not compiled yet may take long.
_START_WITHIN_S: Final = 120.0


class Member:
    """A gateway process.

    Args:
        place: What it is told.
        metrics: The folder of its files of metrics.
        heard: Called with each report.

    Attributes:
        number: Its number, from 1.
        started: Done once a process of this number has started; its exception says why the first
            could not.
        pid: The process id; 0 while there is no process.
        has_served: Whether the process, or the last one, had started.
    """

    def __init__(self, place: Place, metrics: Path, heard: Callable[[int, Report], None]) -> None:
        self.number = place.number
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pid = 0
        self.has_served = False
        self._ending = False
        self._place = place
        self._metrics = metrics
        self._heard = heard
        self._process: asyncio.subprocess.Process | None = None
        self._report: Report | None = None
        self._heard_s = 0.0

    async def live(self) -> int:
        """Start a process, hear its reports until it ends, and return its exit status.

        Raises:
            OSError: No process can be started.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            ours.settimeout(0)
            with theirs:
                for each in (ours, theirs):
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_BYTES)
                ours.send(pickle.dumps(self._place))
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "gateway.supervision.child", str(theirs.fileno())),
                    env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(self._metrics)},
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
            self.pid = self._process.pid
            self.has_served, self._heard_s = False, time.monotonic()
            if self._ending:  # since it was told to, there is a process
                self.end()
            with suppress(ConnectionError):
                while message := await asyncio.get_running_loop().sock_recv(ours, MAX_BYTES):
                    self._hear(Report.decoded(message))
        status = await self._process.wait()
        self.pid, self._report = 0, None
        return status

    @property
    def is_ready(self) -> bool:
        """Whether it has said lately that it renders photos; any thread may ask."""
        report = self._report
        silence_s = time.monotonic() - self._heard_s
        return report is not None and report.is_ready and silence_s < READY_WITHIN_S

    @property
    def is_stuck(self) -> bool:
        """Whether it has shown no sign of life for so long that it has to be replaced."""
        silence_s = time.monotonic() - self._heard_s
        if not self.pid:
            return False
        if self._report is None:
            return silence_s > _START_WITHIN_S
        return max(silence_s, self._report.silence_s) > ALIVE_WITHIN_S

    def excuse(self) -> None:
        """Count its silence from now: it was not listened to."""
        self._heard_s = time.monotonic()

    def end(self) -> None:
        """Have the process drain and end, and any that is being started."""
        self._ending = True
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self._process and self.pid:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _hear(self, report: Report) -> None:
        self._heard_s = time.monotonic()
        if not self.started.done():
            if report.error:
                self.started.set_exception(StartError(report.error))
            else:
                self.started.set_result(None)
        if not report.error:
            self._report, self.has_served = report, True
            self._heard(self.number, report)
