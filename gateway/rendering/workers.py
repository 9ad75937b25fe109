"""The threads that decode, compose and encode, in the order of `gateway.rendering.fair_queue`."""

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from gateway.admission.priority import Priority
from gateway.rendering.fair_queue import Begun, FairQueue

T = TypeVar("T")

log = logging.getLogger(__name__)

# Whether a job may begin can change with time alone, so threads check again at least this often.
_CHECK_AGAIN_S: Final = 0.25


class _Job(NamedTuple):
    future: Future[Any]
    work: Callable[[], Any]


def _run(job: _Job) -> None:
    if not job.future.set_running_or_notify_cancel():
        return
    try:
        result = job.work()
    except BaseException as exc:  # noqa: BLE001  the job's caller gets it
        job.future.set_exception(exc)
        # The future holds the exception, whose traceback holds this frame: a cycle, with a photo.
        del job
    else:
        job.future.set_result(result)


class PriorityWorkers:
    """A pool of threads, shared fairly between priorities and callers.

    A job that is cancelled before it has begun leaves the queue at once and frees what it holds.

    Args:
        threads: How many jobs of one priority run at once. There is one thread more, so that an
            interactive job need not wait for a bulk one to end.
        name: Begins the threads' names.

    Attributes:
        abandoned: Whether threads have been left to end with the process.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._queue = FairQueue[_Job](threads)
        self._changed = threading.Condition()
        self._idle = 0
        self._closing = False
        self.abandoned = False
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(threads + 1)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def submit(
        self,
        priority: Priority,
        work: Callable[[], T],
        *,
        caller: str = "",
        arrived_s: float = 0.0,
        expected_s: float = 0.0,
        render: Hashable = None,
    ) -> Future[T]:
        """Queue a job.

        Args:
            priority: Its priority; `gateway.rendering.turns` says what follows from it.
            work: The job.
            caller: Whose it is; callers share the threads' time.
            arrived_s: When what it belongs to arrived.
            expected_s: What the job may take, by an estimate.
            render: What it is a step of; None for none.

        Raises:
            RuntimeError: The pool has been shut down.
        """
        future: Future[T] = Future()
        job = _Job(future, work)
        with self._changed:
            if self._closing:
                raise RuntimeError("the workers have been shut down")
            self._queue.push(priority, caller, arrived_s, job, expected_s, render)
            self._wake_one()
        # Without a reference to the future itself, which would be one from it to itself.
        future.add_done_callback(partial(self._drop, caller, priority))
        return future

    @contextmanager
    def render(self, priority: Priority, render: Hashable) -> Iterator[None]:
        """Count a render as under way for the time of a block."""
        with self._changed:
            self._queue.turns.enter(priority, render)
        try:
            yield
        finally:
            with self._changed:
                self._queue.turns.leave(render)
                self._wake_one()

    @contextmanager
    def passing(self, render: Hashable) -> Iterator[None]:
        """Count a render as being in the inference server for the time of a block."""
        with self._changed:
            self._queue.turns.begin_pass(render)
        try:
            yield
        finally:
            with self._changed:
                self._queue.turns.end_pass(render)
                self._wake_one()

    def waiting(self, priority: Priority) -> int:
        """Count the jobs of a priority that have not begun."""
        with self._changed:
            return self._queue.waiting(priority)

    def shutdown(self, timeout_s: float | None = None) -> None:
        """Finish what is queued, then end the threads.

        Args:
            timeout_s: Seconds after which threads are left to end with the process; None: never.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        end_s = None if timeout_s is None else time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(None if end_s is None else max(end_s - time.monotonic(), 0))
        self.abandoned = any(thread.is_alive() for thread in self._threads)
        if self.abandoned:
            log.warning("a step has not ended within %g s; it ends with the process", timeout_s)

    def _drop(self, caller: str, priority: Priority, future: Future[Any]) -> None:
        if future.cancelled():
            with self._changed:
                self._queue.remove(caller, priority, lambda job: job.future is future)

    def _work(self) -> None:
        while begun := self._next():
            caller, priority, began_s, job = begun
            _run(job)
            # A thread that waits must not hold the last photo.
            del begun, job
            with self._changed:
                self._queue.ended(caller, priority, began_s)

    def _next(self) -> Begun[_Job] | None:
        with self._changed:
            while True:
                begun = self._queue.pop()
                if begun:
                    self._wake_one()
                    return begun
                waiting = self._queue.waiting()
                if self._closing and not waiting:
                    return None
                self._idle += 1
                self._changed.wait(_CHECK_AGAIN_S if waiting else None)
                self._idle -= 1

    def _wake_one(self) -> None:
        """Wake a thread if there is one that waits, and a job that may begin.

        A thread that is woken in vain takes the interpreter's lock from those that work. One that
        takes a job wakes the next.
        """
        if self._idle and self._queue.has_next():
            self._changed.notify()
