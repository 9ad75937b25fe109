"""How the processes log: to standard error, with fields, without ever waiting."""

import logging
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import structlog

from processes.logs.descriptors import unblock
from processes.logs.stream import LineStream
from processes.logs.writer import LineWriter

if TYPE_CHECKING:
    from structlog.typing import Processor

# How long the end of the process waits for its last lines.
_LAST_LINES_S: Final = 1.0

_writer: LineWriter | None = None


# The levels of the log, the most detailed first.
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


class LogFormat(StrEnum):
    """How lines look."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


def set_up_logging(level: str | int, log_format: LogFormat, **facts: str | int) -> None:
    """Log to standard error from now on, once for a process.

    Each line is an event with its fields: those of `logging`'s `extra`, and those bound by
    `structlog.contextvars`, which are part of every line of their context.

    No call that logs ever waits: a thread writes, up to 4 MiB wait for it, and a line beyond is
    dropped and counted by `dropped_lines`. A line that cannot be written is lost, and no more. The
    end of the process waits for its last lines for 1 s at most. What libraries write to standard
    output and standard error by themselves is lost where it would have to wait.

    Args:
        level: The least level that is logged.
        log_format: Text for people, an object of JSON for machines, or the one that standard error
            is made for.
        facts: Fields of every line.
    """
    global _writer  # noqa: PLW0603  a process has one standard error
    terminal = sys.stderr.isatty()
    formatter = _formatter(log_format, facts, terminal=terminal)

    def notice(dropped: int) -> str:
        text = "%d lines were dropped: standard error could not be written to"
        record = logging.LogRecord("logs", logging.WARNING, "", 0, text, (dropped,), None)
        return formatter.format(record) + "\n"

    descriptor = sys.stderr.fileno()
    unblock(sys.stdout.fileno())
    _writer = LineWriter(unblock(descriptor), notice)
    # Lines that Python itself and `print` write go the same way.
    sys.stderr = LineStream(_writer, descriptor, terminal=terminal)
    handler = _QueueHandler(_writer)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)


def dropped_lines() -> int:
    """Return how many lines this process has dropped because nobody read them."""
    return _writer.dropped if _writer else 0


def pass_on(line: str) -> None:
    """Write a line of another process as it is, in turn with this one's."""
    if _writer:
        _writer.put(line)


class _QueueHandler(logging.Handler):
    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            # Made here and not by the thread that writes: the context is the caller's.
            self._writer.put(self.format(record) + "\n")
        except Exception:  # noqa: BLE001  as every handler: no line may harm whoever logs it
            self.handleError(record)

    def close(self) -> None:
        self._writer.flush(_LAST_LINES_S)
        # From here on no thread writes.
        if sys.__stderr__:
            sys.stderr = sys.__stderr__
        super().close()


def _formatter(
    log_format: LogFormat, facts: Mapping[str, str | int], *, terminal: bool
) -> logging.Formatter:
    as_text = log_format is LogFormat.CONSOLE or (log_format is LogFormat.AUTO and terminal)
    before: list[Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        lambda _logger, _name, event: {**event, **facts},
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ExtraAdder(),
    ]
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=terminal)]
        if as_text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
