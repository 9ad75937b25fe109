"""When a call that met an absent service is made again.

gRPC's own retries know no `RetryInfo`, so the clients make theirs. A render changes nothing in the
service but the account, which is charged for a success only, so repeating it is safe.
"""

import math
import random
import threading
import time

from packshot._errors import PackshotError, UnavailableError

_ATTEMPTS = 4
_FIRST_BACKOFF_S, _MAX_BACKOFF_S = 0.2, 2.0
_JITTER = 0.2
# Callers that heard the same `RetryInfo` at once come back over so much more of it.
_SPREAD = 0.1
_TOKENS, _TOKENS_PER_SUCCESS = 20.0, 0.1


class RetryBudget:
    """What keeps a client from calling again and again while most calls fail.

    Every failure costs a token and every success returns a tenth of one; with half of the tokens
    gone nothing is repeated. Safe to share between threads.
    """

    def __init__(self) -> None:
        self._tokens = _TOKENS
        self._lock = threading.Lock()

    def succeeded(self) -> None:
        """Count a call that was answered."""
        with self._lock:
            self._tokens = min(_TOKENS, self._tokens + _TOKENS_PER_SUCCESS)

    def failed(self) -> bool:
        """Count a call that met nobody; return whether it may be repeated."""
        with self._lock:
            self._tokens = max(0.0, self._tokens - 1)
            return self._tokens > _TOKENS / 2


class Attempts:
    """The attempts of one call.

    Args:
        timeout_s: Seconds for all of them together; None: no end.
        budget: Of the client; None: nothing is repeated.

    Raises:
        ValueError: The time is not positive.
    """

    def __init__(self, timeout_s: float | None, budget: RetryBudget | None) -> None:
        if timeout_s is not None:
            check_timeout(timeout_s)
        self._end_s = None if timeout_s is None else time.monotonic() + timeout_s
        self._budget = budget
        self._count = 1

    def another(self) -> "Attempts":
        """Begin to count anew, for a part of the call, within the same time."""
        attempts = Attempts(None, self._budget)
        attempts._end_s = self._end_s
        return attempts

    @property
    def repeat(self) -> bool:
        """Whether there may be more than one."""
        return self._budget is not None

    @property
    def left_s(self) -> float | None:
        """Seconds that the next attempt may take; None: no end."""
        return None if self._end_s is None else max(0.0, self._end_s - time.monotonic())

    def succeeded(self) -> None:
        """Say that the last attempt was answered."""
        if self._budget:
            self._budget.succeeded()
        self._count = 1

    def pause_s(self, error: PackshotError) -> float:
        """Return how long to wait for the next attempt.

        It is what the service asks for by `RetryInfo`, else a time that doubles with each attempt.

        Raises:
            PackshotError: The error itself: it is none to repeat a call for, or neither the time,
                nor the number of attempts, nor the budget allows another.
        """
        if not self._budget or not isinstance(error, UnavailableError):
            raise error
        if not self._budget.failed() or self._count == _ATTEMPTS:
            raise error
        pause_s = error.retry_after_s
        if pause_s is None:
            backoff_s = min(_FIRST_BACKOFF_S * 2 ** (self._count - 1), _MAX_BACKOFF_S)
            pause_s = backoff_s * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  no secret
        else:
            pause_s *= random.uniform(1, 1 + _SPREAD)  # noqa: S311
        left_s = self.left_s
        if left_s is not None and pause_s >= left_s:
            raise error
        self._count += 1
        return pause_s


def check_timeout(timeout_s: float) -> None:
    """Refuse a time in which nothing can be done.

    Raises:
        ValueError: It is not a positive number.
    """
    if not (timeout_s > 0 and math.isfinite(timeout_s)):
        raise ValueError(f"timeout_s is {timeout_s}; allowed: more than 0 seconds")
