"""Rate limits: one token bucket per key, in this process's memory."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

# A key that has not called for longest is forgotten beyond this many; it comes back with a full
# bucket, which is what it would have earned by then.
_MAX_BUCKETS = 100_000


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How often a key may call.

    Attributes:
        per_s: Calls a second on average; 0: no limit.
        burst: Calls at once after a pause, at least 1.
    """

    per_s: float
    burst: int


class Rates(Protocol):
    """Counts the calls of each key."""

    def take(self, key_id: str, limit: RateLimit) -> float:
        """Take one token of a key's bucket, or say when there will be one.

        Returns:
            0 if it was taken, else the seconds until the next is there.
        """


@dataclass(slots=True)
class Bucket:
    """The tokens of one key.

    Attributes:
        tokens: How many there were.
        filled_s: When, by the limiter's clock.
    """

    tokens: float
    filled_s: float

    def take(self, limit: RateLimit, now_s: float) -> float:
        """Take one token; what is returned is as in `Rates`."""
        earned = (now_s - self.filled_s) * limit.per_s
        self.tokens = min(self.tokens + earned, limit.burst)
        self.filled_s = now_s
        if self.tokens < 1:
            return (1 - self.tokens) / limit.per_s
        self.tokens -= 1
        return 0.0


class RateLimiter:
    """Counts the calls of each key.

    Args:
        clock: Seconds that only rise.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, key_id: str, limit: RateLimit) -> float:
        """Take one token of a key's bucket, or say when there will be one; as in `Rates`."""
        if not limit.per_s:
            return 0.0
        now_s = self._clock()
        bucket = self._buckets.setdefault(key_id, Bucket(limit.burst, now_s))
        self._buckets.move_to_end(key_id)
        if len(self._buckets) > _MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return bucket.take(limit, now_s)
