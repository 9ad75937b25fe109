"""Many jobs, some at once, until all are done or somebody wants an end."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from itertools import islice
from types import FrameType
from typing import TypeVar

_Job = TypeVar("_Job")
_Outcome = TypeVar("_Outcome")

INTERRUPTED = 128 + signal.SIGINT
# How long a file that is being written is waited for at the second signal, s.
_LAST_WRITE_S = 1.0
_NOTICE = b"\nending after the photos under way; once more ends at once\n"


class Interruption:
    """The wish for an end: the first SIGINT or SIGTERM, while this is in force."""

    def __init__(self) -> None:
        self._wished = threading.Event()
        self.status = 0
        """What a shell expects of a process that such a signal ended; 0: there was none."""

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Take the first signal for a wish; the second raises KeyboardInterrupt."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            # What the parent has told us to ignore stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, self._take)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def __bool__(self) -> bool:
        return self._wished.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the wish; return whether it came."""
        return self._wished.wait(timeout_s)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if self._wished.is_set():
            raise KeyboardInterrupt
        self.status = 128 + number
        self._wished.set()
        # Python's own streams cannot be written to while they are being written to.
        with suppress(OSError):
            os.write(2, _NOTICE)


def run(
    jobs: Sequence[_Job],
    work: Callable[[_Job], _Outcome],
    report: Callable[[_Job, Future[_Outcome]], None],
    *,
    at_once: int,
    interruption: Interruption,
    abandon: Callable[[], None],
) -> int:
    """Do jobs in threads; after a wish for an end, those under way only.

    Args:
        jobs: What is to be done.
        work: Does one job.
        report: Takes what became of it, in this thread.
        at_once: Most jobs under way.
        interruption: The wish for an end.
        abandon: Ends what is under way, at the second signal.

    Returns:
        How many jobs were not begun.
    """
    waiting, begun = iter(jobs), 0
    under_way: dict[Future[_Outcome], _Job] = {}
    pool = ThreadPoolExecutor(at_once)
    try:
        while True:
            room = 0 if interruption else at_once - len(under_way)
            for job in islice(waiting, room):
                under_way[pool.submit(work, job)] = job
                begun += 1
            if not under_way:
                break
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                report(under_way.pop(future), future)
    except KeyboardInterrupt:
        abandon()
        wait(under_way, timeout=_LAST_WRITE_S)
        os._exit(
            interruption.status or INTERRUPTED
        )  # threads that hang in a call of the system end with us
    pool.shutdown()
    return len(jobs) - begun
