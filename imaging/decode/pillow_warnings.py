"""What Pillow warns of while it reads photos, to the log: seldom, so that no file can fill it."""

import logging
import time
import warnings
from collections.abc import Callable
from typing import Final

_MIN_INTERVAL_S: Final = 1.0


def log_oddities(clock: Callable[[], float] = time.monotonic) -> None:
    """Have Pillow's warnings logged for the whole process; no photo is stopped by one.

    Args:
        clock: Tells the time that has passed, s.
    """
    # Every one: to know which it has shown already, Python would keep all texts, and a file's
    # author can make up as many as they like.
    warnings.filterwarnings("always", module=r"PIL\.")
    logging.captureWarnings(capture=True)
    logging.getLogger("py.warnings").addFilter(_Seldom(clock))


class _Seldom(logging.Filter):
    """Lets one line through per interval, with the number of those before it that it did not."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._next_s = 0.0
        self._dropped = 0

    def filter(self, record: logging.LogRecord) -> bool:
        now_s = self._clock()
        if now_s < self._next_s:
            self._dropped += 1
            return False
        self._next_s = now_s + _MIN_INTERVAL_S
        if self._dropped:
            record.msg = f"({self._dropped} more before) {record.msg}"
            self._dropped = 0
        return True
