"""How the processes log: to standard error, and never in the way of their work."""

import logging
import os
import sys
from typing import TextIO, cast


class _Descriptor:
    """Writes to a file descriptor with nothing in between that would keep what failed.

    `sys.stderr` keeps it: a disk that was full for a moment would still make the process end with
    status 120, Python's for a failed last flush.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, text: str) -> int:
        """Write a text; what a full disk refuses is lost."""
        return os.write(self._descriptor, text.encode(errors="backslashreplace"))

    def flush(self) -> None:
        """There is nothing to flush."""


class _LossyHandler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging names it
        # The report of a line that could not be written would go where the line could not.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def set_up_logging(level: str | int, line_format: str) -> None:
    """Log to standard error from now on; a line that cannot be written is lost, and no more.

    Args:
        level: The least level that is logged.
        line_format: The lines' format, as `logging.Formatter` takes it.
    """
    handler = _LossyHandler(cast("TextIO", _Descriptor(sys.stderr.fileno())))
    logging.basicConfig(level=level, format=line_format, handlers=[handler], force=True)
