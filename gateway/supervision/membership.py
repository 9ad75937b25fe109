"""A gateway's place among several processes: it reports to their supervisor."""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client import values

from gateway.accounts.shared_rate import SharedRateLimiter
from gateway.config import GatewayConfig
from gateway.observability.heartbeat import Heartbeat
from gateway.observability.telemetry import Telemetry
from gateway.supervision.reports import INTERVAL_S, MAX_BYTES, Report, collected

if TYPE_CHECKING:
    from gateway.accounts.rate import Rates

log = logging.getLogger(__name__)

_SEND_S: Final = 1.0
_JOIN_S: Final = 2.0


class OneOfSeveral:
    """The surroundings of a gateway that is one of several processes.

    Args:
        number: Its number, from 1: its successor has the same, and goes on with its counters.
        supervisor: The socket to the supervisor.
        rates: The file in which all count the calls of each API key.
    """

    is_alone = False

    def __init__(self, number: int, supervisor: socket.socket, rates: Path) -> None:
        # From here on metrics are kept in files of this number, in the folder of prometheus_client.
        made = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]
        values.ValueClass = made
        self._supervisor = supervisor
        self.rates: Rates = SharedRateLimiter(rates)

    def show(
        self,
        config: GatewayConfig,  # noqa: ARG002  the supervisor has the port
        telemetry: Telemetry,
        heartbeat: Heartbeat,
        is_ready: Callable[[], bool],
    ) -> "Reporter":
        """Report them to the supervisor."""
        return Reporter(self._supervisor, telemetry, heartbeat, is_ready)


class Reporter:
    """Reports to the supervisor from a thread of its own, so that it can tell of a stuck loop.

    Args:
        supervisor: The socket to it.
        telemetry: The gateway's metrics.
        heartbeat: Tells whether the event loop turns.
        is_ready: Tells whether the gateway renders photos.

    Attributes:
        port: 0: the supervisor shows what is reported.
    """

    def __init__(
        self,
        supervisor: socket.socket,
        telemetry: Telemetry,
        heartbeat: Heartbeat,
        is_ready: Callable[[], bool],
    ) -> None:
        self.port = 0
        self._supervisor = supervisor
        self._supervisor.settimeout(_SEND_S)
        self._telemetry = telemetry
        self._heartbeat = heartbeat
        self._is_ready = is_ready
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Report once more and then no more."""
        self._stop.set()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while True:
            is_last = self._stop.is_set()
            try:
                self._report()
            except Exception:  # the next one may be sent
                log.exception("the supervisor cannot be told of this process's state")
            if is_last:
                return
            self._stop.wait(INTERVAL_S)

    def _report(self) -> None:
        metrics = self._telemetry.metrics
        metrics.publish()
        (images,) = metrics.images.collect()
        report = Report(
            is_ready=self._is_ready(),
            silence_s=self._heartbeat.silence_s,
            images=images.samples[0].value,
            families=collected(self._telemetry.collected.collect()),
        )
        message = report.encoded()
        if len(message) > MAX_BYTES:
            log.error("%d bytes of collected metrics are not shown: too many", len(message))
            message = replace(report, families=()).encoded()
        # A supervisor that stands still for a moment hears the next one.
        with suppress(TimeoutError):
            self._supervisor.send(message)
