"""The threads that decode, compose and encode: interactive work goes before bulk work."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from gateway.priority import Priority

T = TypeVar("T")

log = logging.getLogger(__name__)

# While both wait, every so manieth job is a bulk one: bulk is slow then, but never stands still.
_BULK_TURN: Final = 8


class _Job(NamedTuple):
    future: Future[Any]
    work: Callable[[], Any]


def _run(job: _Job) -> None:
    if not job.future.set_running_or_notify_cancel():
        return
    try:
        result = job.work()
    except BaseException as exc:  # noqa: BLE001  it is the caller's, whatever it is
        job.future.set_exception(exc)
        # The future holds the exception, whose traceback holds this frame: a cycle, with a photo.
        del job
    else:
        job.future.set_result(result)


class PriorityWorkers:
    """A pool of threads with a queue for each priority.

    A job that is cancelled before it has begun leaves its queue at once, and what it holds is free.

    Args:
        threads: How many jobs run at once.
        name: Begins the threads' names.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._queues: dict[Priority, deque[_Job]] = {each: deque() for each in Priority}
        self._changed = threading.Condition()
        self._closing = False
        self._turns = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def submit(self, priority: Priority, work: Callable[[], T]) -> Future[T]:
        """Queue a job.

        Raises:
            RuntimeError: The pool has been shut down.
        """
        future: Future[T] = Future()
        job = _Job(future, work)
        with self._changed:
            if self._closing:
                raise RuntimeError("the workers have been shut down")
            self._queues[priority].append(job)
            self._changed.notify()
        # Without a reference to the future itself, which would be one from it to itself.
        future.add_done_callback(partial(self._drop, priority))
        return future

    def waiting(self, priority: Priority) -> int:
        """Count the jobs of a priority that have not begun."""
        return len(self._queues[priority])

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
        if any(thread.is_alive() for thread in self._threads):
            log.warning("a step has not ended within %g s; it ends with the process", timeout_s)

    def _drop(self, priority: Priority, future: Future[Any]) -> None:
        if not future.cancelled():
            return
        with self._changed:
            queue = self._queues[priority]
            job = next((job for job in queue if job.future is future), None)
            if job:
                queue.remove(job)

    def _work(self) -> None:
        while job := self._next():
            _run(job)
            # A thread that waits must not hold the last photo.
            del job

    def _next(self) -> _Job | None:
        urgent, bulk = self._queues[Priority.INTERACTIVE], self._queues[Priority.BULK]
        with self._changed:
            while not (urgent or bulk):
                if self._closing:
                    return None
                self._changed.wait()
            if urgent and bulk:
                self._turns = (self._turns + 1) % _BULK_TURN
                return (urgent if self._turns else bulk).popleft()
            return (urgent or bulk).popleft()
