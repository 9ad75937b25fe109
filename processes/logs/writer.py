"""Lines for a file descriptor that may block: queued up to a limit, written by one thread.

The reader of standard error may pause, and a write to a full pipe waits. So only one thread writes.
Lines that do not fit into the queue meanwhile are dropped and counted.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Final

# What may wait. A line of a call takes about 600 bytes.
MAX_WAITING_BYTES: Final = 4 * 2**20
# What a line costs beyond its text.
_OVERHEAD_BYTES: Final = 100
_CUT: Final = " (cut)\n"
_MAX_LINE_CHARS: Final = 2**16
_RETRY_S: Final = 0.05


class LineWriter:
    """Writes lines to a file descriptor from a thread of its own, in their order.

    Args:
        descriptor: The file descriptor; it stays open.
        notice: Makes the line that says how many lines were dropped, once one can be written again.
        max_waiting_bytes: What may wait; a line beyond is dropped.
    """

    def __init__(
        self,
        descriptor: int,
        notice: Callable[[int], str],
        max_waiting_bytes: int = MAX_WAITING_BYTES,
    ) -> None:
        self._descriptor = descriptor
        self._notice = notice
        self._max_waiting_bytes = max_waiting_bytes
        # A destructor may log while the same thread is in `put`, so this queue allows it; the
        # lock is reentrant for the same reason.
        self._lines: SimpleQueue[bytes] = SimpleQueue()
        self._lock = threading.RLock()
        self._waiting_bytes = 0
        self._dropped = 0
        self._told = 0
        self._idle = threading.Event()
        self._idle.set()
        self._thread: threading.Thread | None = None

    @property
    def dropped(self) -> int:
        """The lines dropped so far."""
        return self._dropped

    def put(self, line: str) -> None:
        """Have a line written; never waits.

        Args:
            line: Text that ends in a newline; what is longer than 65 536 characters is cut.
        """
        if len(line) > _MAX_LINE_CHARS:
            line = line[:_MAX_LINE_CHARS] + _CUT
        content = line.encode(errors="backslashreplace")
        with self._lock:
            cost = len(content) + _OVERHEAD_BYTES
            if self._waiting_bytes + cost > self._max_waiting_bytes or not self._started():
                self._dropped += 1
                return
            self._waiting_bytes += cost
            self._idle.clear()
            self._lines.put(content)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all lines are written, at most for a time; returns whether they are."""
        return self._idle.wait(timeout_s)

    def _started(self) -> bool:
        """Start the thread with the first line; tells whether it runs."""
        if self._thread is None:
            thread = threading.Thread(target=self._write_all, name="log", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False  # the machine has no thread for us now: the next line tries again
            self._thread = thread
        return True

    def _write_all(self) -> None:
        while True:
            line = self._lines.get()
            self._write(line)
            with self._lock:
                self._waiting_bytes -= len(line) + _OVERHEAD_BYTES
                untold = self._dropped - self._told
                self._told += untold
            if untold:
                self._write(self._notice(untold).encode(errors="backslashreplace"))
            with self._lock:
                if not self._waiting_bytes:
                    self._idle.set()

    def _write(self, content: bytes) -> None:
        """Write all of it; what a full disk or a closed pipe refuses is lost."""
        with suppress(OSError):
            while content:
                try:
                    content = content[os.write(self._descriptor, content) :]
                except BlockingIOError:
                    # Another user of the descriptor has made it non-blocking.
                    time.sleep(_RETRY_S)
