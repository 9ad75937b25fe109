"""How the processes log: to standard error, by fields, and never in the way of their work."""

import logging
import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO, cast

import structlog

if TYPE_CHECKING:
    from structlog.typing import Processor


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


class LogFormat(StrEnum):
    """How lines look."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


def set_up_logging(level: str | int, log_format: LogFormat) -> None:
    """Log to standard error from now on; a line that cannot be written is lost, and no more.

    Each line is an event with its fields: those of `logging`'s `extra`, and those bound by
    `structlog.contextvars`, which are part of every line of their context.

    Args:
        level: The least level that is logged.
        log_format: Text for people, an object of JSON for machines, or the one that standard error
            is made for.
    """
    terminal = sys.stderr.isatty()
    handler = _LossyHandler(cast("TextIO", _Descriptor(sys.stderr.fileno())))
    as_text = log_format is LogFormat.CONSOLE or (log_format is LogFormat.AUTO and terminal)
    before: list[Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ExtraAdder(),
    ]
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=terminal)]
        if as_text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
