"""Whether decode workers can be started, and when to try again after one could not."""

import logging
import time
from typing import Final

log = logging.getLogger(__name__)

# After a start that failed the next one waits so long, twice as long after each further one.
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0


class Starts:
    """The starts of late; not safe to share between threads by itself.

    Attributes:
        failure: Why the last one failed; empty if it did not.
        try_at_s: When the next one may be tried, on the monotonic clock.
    """

    def __init__(self) -> None:
        self.failure = ""
        self.try_at_s = 0.0
        self._failures = 0
        self._pause_s = _FIRST_PAUSE_S

    @property
    def fail(self) -> bool:
        """Whether they fail: one worker that is killed while it starts is no sign of that."""
        return self._failures > 1

    def failed(self, why: str) -> None:
        """Note one that failed."""
        if not self.failure:
            log.warning("a decode worker cannot be started: %s; this is tried again", why)
        self.failure = why
        self._failures += 1
        self.try_at_s = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def succeeded(self) -> None:
        """Note one that has said that it is ready."""
        if self.failure:
            log.info("decode workers start again")
        self.failure, self._failures = "", 0

    def served(self) -> None:
        """Note that a worker has done something: the next failure is a first one again."""
        self._pause_s = _FIRST_PAUSE_S

    def why(self) -> str:
        """Return the end of a sentence about the last failure, if there is one."""
        return f"; the last one that was started failed: {self.failure}" if self.failure else ""
