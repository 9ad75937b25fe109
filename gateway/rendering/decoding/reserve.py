"""Descriptors that are kept for decoding, whoever takes all others.

Every connection takes a descriptor, and strangers decide how many there are. So the process' own
limit is lowered by some, and raised again for the moments in which decoding makes one: a file in
memory, a mapping, a worker. Those made then stay valid when the limit is lowered again.
"""

import contextlib
import resource
import threading
from collections.abc import Iterator
from typing import Final

# A render holds up to six: two files, and what two pictures are mapped by, twice for a moment.
KEPT: Final = 64
# Of the limit, at most.
_MOST_SHARE: Final = 0.25

# The limit is the process', and so is what guards it.
_lock = threading.Lock()


class DescriptorReserve:
    """Keeps descriptors back; not before `keep`, and until `free`."""

    def __init__(self) -> None:
        self._kept = 0
        self._open = 0

    def keep(self) -> None:
        """Lower the process' limit."""
        with _lock:
            soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            if soft != resource.RLIM_INFINITY and not self._kept:
                self._kept = min(KEPT, int(soft * _MOST_SHARE))
                _move(-self._kept)

    def free(self) -> None:
        """Raise it again."""
        with _lock:
            kept, self._kept = self._kept, 0
            if not self._open:
                _move(kept)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Let the block, and whoever asks in the same moment, have what is kept."""
        with _lock:
            self._open += 1
            if self._open == 1:
                _move(self._kept)
        try:
            yield
        finally:
            with _lock:
                self._open -= 1
                if not self._open:
                    _move(-self._kept)


def _move(by: int) -> None:
    """Move the soft limit, within the hard one; the lock is held."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    moved = soft + by if hard == resource.RLIM_INFINITY else min(soft + by, hard)
    if by:
        resource.setrlimit(resource.RLIMIT_NOFILE, (moved, hard))
