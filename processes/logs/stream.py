"""A replacement of `sys.stderr` whose lines go through the log's writer and never wait."""

import io
import threading

from processes.logs.writer import LineWriter


class LineStream(io.TextIOBase):
    """A text stream that puts whole lines into a writer's queue.

    Args:
        writer: The writer.
        descriptor: What `fileno` returns, for those who go past this stream.
        terminal: Whether a terminal is behind it.
    """

    def __init__(self, writer: LineWriter, descriptor: int, *, terminal: bool) -> None:
        self._writer = writer
        self._descriptor = descriptor
        self._terminal = terminal
        # Reentrant: a destructor may write during a write.
        self._lock = threading.RLock()
        self._begun = ""

    def write(self, text: str) -> int:
        """Queue the lines that are whole; what follows the last newline waits for its end."""
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._writer.put(line + "\n")
        return len(text)

    def flush(self) -> None:
        """Do nothing: whole lines are on their way."""

    def writable(self) -> bool:
        """Return whether it can be written to: always."""
        return True

    def isatty(self) -> bool:
        """Return whether a terminal is behind it."""
        return self._terminal

    def fileno(self) -> int:
        """Return the descriptor of standard error."""
        return self._descriptor
