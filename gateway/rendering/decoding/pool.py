"""The decode workers that there are: lent, given back, and replaced by a thread of its own.

A new worker cannot always be started: a process needs descriptors, memory and a place in the
kernel's table. One thread keeps trying, so that workers come back as soon as the machine lets them.
Nobody who wants one waits for that: while there is no worker and starts fail, they hear so at once.
"""

import contextlib
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from gateway.errors import DecodingUnavailableError
from gateway.rendering.decoding.parcels import ParcelError, ShortageError
from gateway.rendering.decoding.starts import Starts
from gateway.rendering.decoding.worker_process import WorkerProcess, ending

log = logging.getLogger(__name__)

# After an error of the keeping thread's own.
_PAUSE_S: Final = 0.1
# What it takes to start is some tenths of a second on an idle machine. Who wants a worker while
# there is none waits for this long; one that has not spoken after the longer time is given up.
_PATIENCE_S: Final = 5.0
_START_S: Final = 30.0
# The keeping thread ends at once, unless the kernel keeps it waiting for a process.
_STOP_S: Final = 5.0


class WorkerPool:
    """Keeps a number of workers.

    Args:
        size: How many.
        spawn: Starts one; raises `OSError` where it cannot.
        on_loss: Called for each worker that was ready and has to be replaced.
        on_change: Called, from any thread, when `hindrance` may have changed.
    """

    def __init__(
        self,
        size: int,
        spawn: Callable[[], WorkerProcess],
        on_loss: Callable[[], None],
        on_change: Callable[[], None],
    ) -> None:
        self._size = size
        self._spawn = spawn
        self._on_loss = on_loss
        self._on_change = on_change
        self._changed = threading.Condition()
        self._starting: dict[WorkerProcess, float] = {}
        self._idle: deque[WorkerProcess] = deque()
        self._lent: set[WorkerProcess] = set()
        self._dead: list[WorkerProcess] = []
        self._closing = False
        self._starts = Starts()
        self._away_since_s = 0.0
        self._was_ready = False
        self._told = ""
        self._woken = self._wake = -1
        self._thread = threading.Thread(target=self._keep, name="decode-workers", daemon=True)

    def start(self) -> None:
        """Begin to start the workers; they are ready some tenths of a second later.

        Raises:
            OSError: There is no descriptor left.
            RuntimeError: There is no thread left.
        """
        self._woken, self._wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._away_since_s = time.monotonic()
        self._thread.start()

    @property
    def is_closing(self) -> bool:
        """Whether workers are ended for good."""
        return self._closing

    def pids(self) -> tuple[int, ...]:
        """Return the process ids of the workers."""
        with self._changed:
            return tuple(each.pid for each in (*self._starting, *self._idle, *self._lent))

    def hindrance(self) -> str:
        """Say why nothing can be decoded at present; empty if something can, or soon will."""
        with self._changed:
            if not self._was_ready:
                return "no decode worker has started yet" + self._starts.why()
            return self._away(time.monotonic())

    def take(self) -> WorkerProcess:
        """Take a worker that is ready; wait for one if others have them all.

        Raises:
            DecodingUnavailableError: There is none, and none is about to be.
        """
        with self._changed:
            while True:
                if self._closing:
                    raise DecodingUnavailableError("the service is about to stop")
                while self._idle:
                    worker = self._idle.pop()  # the last one used is warm
                    if not worker.has_spoken():
                        self._lent.add(worker)
                        return worker
                    # Nothing was asked of it: it has ended.
                    self._dead.append(worker)
                    self._missing()
                now_s = time.monotonic()
                if away := self._away(now_s):
                    raise DecodingUnavailableError(f"no photo can be decoded at present: {away}")
                self._changed.wait(None if self._lent else self._away_since_s + _PATIENCE_S - now_s)

    def give(self, worker: WorkerProcess) -> None:
        """Give a worker back that is well."""
        with self._changed:
            self._lent.discard(worker)
            self._starts.served()
            closing = self._closing
            if not closing:
                self._idle.append(worker)
            self._changed.notify()
        if closing:
            worker.kill()
        else:
            self._nudge()

    def lose(self, worker: WorkerProcess, when: str) -> int | None:
        """Give a worker back that is to be replaced; return the status that it ended with."""
        status = worker.kill()
        with self._changed:
            self._lent.discard(worker)
            closing = self._closing
            self._missing()
        if not closing:
            self._report(status, when)
        return status

    def abandon(self) -> None:
        """Kill every worker and do not wait: what is being decoded fails, and nothing begins."""
        with self._changed:
            self._closing = True
            for worker in (*self._starting, *self._idle, *self._lent):
                worker.end()
            self._changed.notify_all()
        self._nudge()

    def close(self) -> None:
        """End all workers: those that have nothing to do by themselves, the others at once."""
        with self._changed:
            self._closing = True
            resting, lent = [*self._starting, *self._idle], list(self._lent)
            for worker in resting:
                worker.hang_up()
            for worker in lent:
                worker.end()
            self._starting.clear()
            self._idle.clear()
            self._changed.notify_all()
        self._nudge()
        for worker in resting:
            worker.join()
        if self._wake < 0:
            return
        self._thread.join(_STOP_S)
        if not self._thread.is_alive():
            for descriptor in (self._woken, self._wake):
                os.close(descriptor)
            self._woken = self._wake = -1
        with self._changed:
            last, self._starting = [*self._starting, *self._dead], {}
        # What the thread has started or found in its last moment.
        for worker in last:
            worker.kill()

    def _missing(self) -> None:
        """Note that a worker is gone; the lock is held."""
        if not (self._idle or self._lent):
            self._away_since_s = time.monotonic()
        self._changed.notify_all()
        self._nudge()

    def _report(self, status: int | None, when: str) -> None:
        log.warning("a decode worker is replaced; the last one ended %s %s", ending(status), when)
        self._on_loss()

    def _away(self, now_s: float) -> str:
        """Say why there is no worker; empty if there is one, or one may come any moment."""
        if self._idle or self._lent:
            return ""
        if (self._starts.fail and not self._starting) or now_s - self._away_since_s >= _PATIENCE_S:
            return "no decode worker is ready" + self._starts.why()
        return ""

    def _nudge(self) -> None:
        """Have the keeping thread look again."""
        if self._wake < 0 or threading.current_thread() is self._thread:
            return
        with contextlib.suppress(BlockingIOError):  # it has been told already
            os.write(self._wake, b"\0")

    def _keep(self) -> None:
        """Start what is missing, and see who begins and who ends; until the pool is closed."""
        while True:
            with self._changed:
                if self._closing:
                    return
            try:
                self._bury()
                self._start_missing()
                self._tell()
                self._listen()
            except Exception:  # whatever it is, the workers must come back
                log.exception("the decode workers could not be looked after")
                time.sleep(_PAUSE_S)

    def _bury(self) -> None:
        """Reap the workers that ended while they waited."""
        with self._changed:
            dead, self._dead = self._dead, []
        for worker in dead:
            self._report(worker.kill(), "while it waited")

    def _tell(self) -> None:
        """Report a change of what hinders."""
        if (hindrance := self.hindrance()) != self._told:
            self._told = hindrance
            self._on_change()

    def _start_missing(self) -> None:
        while True:
            now_s = time.monotonic()
            with self._changed:
                there = len(self._starting) + len(self._idle) + len(self._lent)
                if self.is_closing or there >= self._size or now_s < self._starts.try_at_s:
                    return
            try:
                worker = self._spawn()
            except (OSError, MemoryError) as exc:
                with self._changed:
                    self._failed(str(exc) or type(exc).__name__)
                return
            with self._changed:
                self._starting[worker] = now_s

    def _listen(self) -> None:
        """Wait until a worker speaks or ends, or something else is due."""
        now_s = time.monotonic()
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        with self._changed:
            for worker in (*self._starting, *self._idle):
                poll.register(worker.fileno(), select.POLLIN)
            due_s = [started_s + _START_S for started_s in self._starting.values()]
            if len(self._starting) + len(self._idle) + len(self._lent) < self._size:
                due_s.append(self._starts.try_at_s)
            # Then whoever waits for a worker is told that there is none.
            told_s = self._away_since_s + _PATIENCE_S
            due_s += [told_s] if told_s > now_s and not (self._idle or self._lent) else []
        poll.poll(max(min(due_s) - now_s, 0) * 1000 + 1 if due_s else None)
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 4096)
        with self._changed:
            if self._closing:
                return
            self._hear_starting(time.monotonic())
            for worker in [each for each in self._idle if each.has_spoken()]:
                self._idle.remove(worker)
                self._dead.append(worker)
                self._missing()
            self._changed.notify_all()

    def _hear_starting(self, now_s: float) -> None:
        for worker, started_s in list(self._starting.items()):
            try:
                worker.hello()
            except TimeoutError:
                if now_s < started_s + _START_S:
                    continue
                del self._starting[worker]
                worker.kill()
                self._failed(f"it did not say within {_START_S:g} s that it is ready")
            except (ParcelError, ShortageError) as exc:
                del self._starting[worker]
                self._failed(f"{exc}; it ended {ending(worker.kill())}")
            else:
                del self._starting[worker]
                self._idle.append(worker)
                self._starts.succeeded()
                self._was_ready = True

    def _failed(self, why: str) -> None:
        self._starts.failed(why)
        self._changed.notify_all()
