"""What is watched of a gateway under attack: its memory, and what it says of its readiness."""

import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Self

import psutil

from tests.attack.target import Target

_INTERVAL_S = 0.1
_PROBE_TIMEOUT_S = 5.0


class Watch:
    """Samples a gateway from threads of its own for the time of a block.

    Attributes:
        most_bytes: The most resident memory of the gateway's process that was seen.
        most_bytes_in_all: The same with its decode workers.
        readiness: Times on the monotonic clock, s, and what /readyz said: True, False, or None
            where it did not answer.
    """

    def __init__(self, target: Target) -> None:
        self._process = psutil.Process(target.pid)
        self._metrics_address = target.metrics_address
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in (self._watch_memory, self._watch_readiness)
        ]
        self.most_bytes = self.most_bytes_in_all = 0
        self.readiness: list[tuple[float, bool | None]] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _watch_memory(self) -> None:
        while not self._ended.wait(_INTERVAL_S):
            with suppress(psutil.NoSuchProcess):
                own = self._process.memory_info().rss
                self.most_bytes = max(self.most_bytes, own)
                in_all = own + sum(map(_resident, self._process.children(recursive=True)))
                self.most_bytes_in_all = max(self.most_bytes_in_all, in_all)

    def _watch_readiness(self) -> None:
        while not self._ended.wait(_INTERVAL_S):
            self.readiness.append((time.monotonic(), ask(self._metrics_address, "/readyz")))


def ask(address: str, path: str) -> bool | None:
    """Tell whether a path of the metrics port answers 200; None if it does not answer."""
    connection = HTTPConnection(address, timeout=_PROBE_TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
