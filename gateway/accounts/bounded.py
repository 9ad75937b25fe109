"""Connections to PostgreSQL that nobody waits for without end.

A server's own timeouts end nothing once the server, or the one process of it that serves a
connection, stands still. TCP does not help: the kernel of a stopped process acknowledges on. So the
waiting itself is bounded here, and a connection that did not answer in time is closed. What it had
been asked for may still come to its effect.
"""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")

# More than a statement may take, so that a server that is alive gives up first and says so.
READ_LIMIT_S: Final = 2.5


@dataclass(slots=True, eq=False)
class TimeLimit:
    """When an operation's time is up.

    Attributes:
        at_s: By `time.monotonic`; may be moved while the operation runs.
    """

    at_s: float


class _Current(threading.local):
    limit: TimeLimit | None = None


_current: Final = _Current()


@contextmanager
def within(limit: TimeLimit) -> Iterator[None]:
    """Let no connection of this thread wait for longer than a limit, for the time of a block."""
    _current.limit = limit
    try:
        yield
    finally:
        _current.limit = None


class BoundedConnection(psycopg.Connection[Any]):
    """A connection whose every answer comes in time, or not at all.

    Attributes:
        read_limit_s: Seconds that one answer may take; None: as long as the thread's limit says.
    """

    read_limit_s: float | None = READ_LIMIT_S

    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        """Wait for an answer; psycopg calls it for each.

        Raises:
            psycopg.OperationalError: There was none in time; the connection is closed.
        """
        return super().wait(self._bounded(gen), *args, **kwargs)

    def _bounded(self, gen: PQGen[T]) -> Generator[Any, Any, T]:
        # psycopg resumes the generator when the socket is ready, and ten times a second besides.
        start_s = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                waited_s = time.monotonic() - start_s
                if not ready and self._is_late(waited_s):
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"no answer within {waited_s:.1f} s")
                wanted = gen.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result

    def _is_late(self, waited_s: float) -> bool:
        if self.read_limit_s is not None and waited_s >= self.read_limit_s:
            return True
        limit = _current.limit
        return limit is not None and time.monotonic() >= limit.at_s
