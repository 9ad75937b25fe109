"""The supervisor: it starts gateway processes, replaces those that end, and drains all together."""

import asyncio
import dataclasses
import logging
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from gateway.config import GatewayConfig
from gateway.observability.heartbeat import Heartbeat
from gateway.rendering.decoding.worker_process import ending
from gateway.start import StartError
from gateway.supervision.kernel import adopt_orphans, bury_orphans
from gateway.supervision.member import Member
from gateway.supervision.metrics import ReportCollector, SupervisorMetrics
from gateway.supervision.place import Place
from gateway.supervision.port import HeldPort
from gateway.supervision.shares import share
from gateway.surroundings import serve_metrics

log = logging.getLogger(__name__)

# After a process has ended its successor waits so long, twice as long after each further one.
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
# A process that lived for so long has ended for the first time.
_LONG_LIFE_S: Final = 60.0
_LOOK_S: Final = 0.5
# Looks that are further apart: this process has stood still and heard nothing.
_STOOD_STILL_S: Final = 5.0
# Beyond the drain: steps that cannot be interrupted, the return of credits, the end of workers.
_END_S: Final = 10.0


async def supervise(config: GatewayConfig) -> int:
    """Run gateway processes until SIGTERM or SIGINT, then drain them.

    Args:
        config: The settings of all of them.

    Returns:
        The exit status: 0 if all have drained, 1 if one had to be killed or failed meanwhile.

    Raises:
        StartError: They cannot start.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    adopt_orphans()
    heartbeat = Heartbeat()
    with HeldPort(config) as held, _folder() as folder:
        supervisor = Supervisor(dataclasses.replace(config, port=held.port), Path(folder))
        shown = serve_metrics(
            config, supervisor.registry, supervisor.is_ready, lambda: heartbeat.is_alive
        )
        beating = asyncio.create_task(heartbeat.run())
        try:
            log.info("metrics on %s:%d", config.host, shown.port)
            return await supervisor.run(stop)
        finally:
            beating.cancel()
            await asyncio.to_thread(shown.close)


def _folder() -> TemporaryDirectory[str]:
    try:
        return TemporaryDirectory(prefix="packshot-gateway-")
    except OSError as exc:
        raise StartError(f"there is no folder for the processes' files: {exc}") from exc


class Supervisor:
    """Keeps `config.processes` gateway processes running.

    Args:
        config: The settings of all of them, with the port that they share.
        folder: For files that they share; whoever made it removes it.

    Attributes:
        registry: The metrics of all of them.
    """

    def __init__(self, config: GatewayConfig, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self.registry = CollectorRegistry()
        self._metrics = SupervisorMetrics(self.registry)
        self._reports = ReportCollector(self._metrics, config.processes)
        self.registry.register(self._reports)
        MultiProcessCollector(self.registry, str(folder))  # type: ignore[no-untyped-call]
        self._members = [self._member(number + 1) for number in range(config.processes)]
        self._metrics.processes.set(config.processes)
        self._metrics.follow(self._metrics.processes_ready, self._ready)
        self._stopping = asyncio.Event()
        self._all_were_ready = False

    def is_ready(self) -> bool:
        """Tell whether enough of them render photos: all at first, later half; from any thread."""
        ready, all_of_them = self._ready(), len(self._members)
        self._all_were_ready |= ready == all_of_them
        enough = all_of_them / 2 if self._all_were_ready else all_of_them
        return ready >= enough and not self._stopping.is_set()

    async def run(self, stop: asyncio.Event) -> int:
        """Start them, replace those that end until told to stop, and drain all.

        Returns:
            As `supervise`.

        Raises:
            StartError: One of the first cannot start.
        """
        stopped = asyncio.create_task(stop.wait())
        watching = asyncio.create_task(self._watch())
        keeping: list[asyncio.Task[int]] = []
        try:
            # The first one brings tables up to date, and finds most of what a start can fail for.
            for some in (self._members[:1], self._members[1:]):
                keeping += [asyncio.create_task(self._keep(each)) for each in some]
                started = asyncio.gather(*(each.started for each in some))
                await asyncio.wait((started, stopped), return_when=asyncio.FIRST_COMPLETED)
                if stopped.done():
                    started.cancel()
                    await asyncio.gather(started, return_exceptions=True)
                    break
                await started
            else:
                log.info(
                    "%d processes listen on %s:%d, %d worker threads in all, Triton at %s, "
                    "memory stays below %.1f GiB",
                    *(len(self._members), self._config.host, self._config.port),
                    *(self._sum("worker_threads"), self._config.triton),
                    self._sum("memory_ceiling_bytes") / 2**30,
                )
                # None of the others ends before it is told to, but by a defect.
                await asyncio.wait(
                    (stopped, watching, *keeping), return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            statuses = await self._drain(keeping)
            for task in (stopped, watching):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        return int(any(statuses))

    def _member(self, number: int) -> Member:
        own = share(self._config, number)
        place = Place(number, os.getpid(), own, self._folder / "rates")
        return Member(place, self._folder, self._reports.hear)

    def _ready(self) -> int:
        return sum(each.is_ready for each in self._members)

    def _sum(self, setting: str) -> int:
        numbers = range(1, len(self._members) + 1)
        return sum(getattr(share(self._config, number), setting) for number in numbers)

    async def _keep(self, member: Member) -> int:
        """Run one process after the other until stopping; returns the last one's exit status."""
        pause_s = _FIRST_PAUSE_S
        while True:
            born_s = time.monotonic()
            status: int | None = None
            try:
                status = await member.live()
                ended = f"ended {ending(status)}"
            except OSError as exc:
                ended = f"cannot be started: {exc}"
            self._reports.forget(member.number)
            mark_process_dead(member.number, str(self._folder))  # type: ignore[no-untyped-call]
            if not member.started.done():
                why = f"gateway process {member.number} {ended} before it had started"
                member.started.set_exception(StartError(why))
            if self._stopping.is_set():
                # One that had not begun to serve had nothing to drain.
                return status or 0 if member.has_served else 0
            if member.started.exception():
                return 1
            if time.monotonic() - born_s > _LONG_LIFE_S:
                pause_s = _FIRST_PAUSE_S
            log.error(
                "gateway process %d %s; another one starts in %g s", member.number, ended, pause_s
            )
            self._metrics.restarts.inc()
            try:
                async with asyncio.timeout(pause_s):
                    await self._stopping.wait()
            except TimeoutError:
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                return 0

    async def _watch(self) -> None:
        """Kill processes that are stuck, and bury what killed ones have left."""
        looked_s = time.monotonic()
        while True:
            await asyncio.sleep(_LOOK_S)
            bury_orphans({each.pid for each in self._members})
            stood_still = time.monotonic() - looked_s > _STOOD_STILL_S
            looked_s = time.monotonic()
            for member in self._members:
                if stood_still:
                    member.excuse()
                elif member.is_stuck:
                    log.error("gateway process %d shows no sign of life: killed", member.number)
                    member.kill()

    async def _drain(self, keeping: list[asyncio.Task[int]]) -> list[int]:
        """Have all end, and return their exit statuses."""
        self._stopping.set()
        drain_s = self._config.drain_timeout_s
        log.info("draining %d processes, at most %g s", len(keeping), drain_s)
        for member in self._members:
            member.end()
        _, late = await asyncio.wait(keeping, timeout=drain_s + _END_S)
        for member in self._members if late else ():
            if member.pid:
                log.error("gateway process %d has not ended in time: killed", member.number)
                member.kill()
        statuses = await asyncio.gather(*keeping)
        log.info("stopped")
        return statuses
