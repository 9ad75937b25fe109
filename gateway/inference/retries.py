"""Retries at the inference server: only where they are safe, and on a budget.

An inference changes nothing. So a request that found Triton or its model away may be sent again,
and with several Tritons it then goes to the next one. A request that was answered, even by an
error of the model, is not sent again. Neither is one whose time was up.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from gateway.errors import InferenceUnavailableError

T = TypeVar("T")

# gRPC deals all callers' calls out in turn: a further attempt may meet the same broken Triton.
ATTEMPTS: Final = 4
# A sole Triton that was away twice is away; each attempt at a dead model process takes a second.
ATTEMPTS_AT_ONE: Final = 2

# The least time left for which a retry is sent.
_LEAST_TIME_S: Final = 0.01


class Retries:
    """Sends requests again on a budget.

    The budget is a bucket of retries: full at first, a retry takes one, and each request puts a
    share back. However bad an outage, requests and retries together are at most `1 + share` times
    the requests, once the bucket is empty.

    Args:
        share: Retries that each request puts back.
        most: How many the bucket holds.
        on_retry: Called with whether the budget allowed a retry.
        attempts: The most attempts for one request.
    """

    def __init__(
        self, share: float, most: float, on_retry: Callable[[bool], None], attempts: int = ATTEMPTS
    ) -> None:
        self._share = share
        self._most = self._left = most
        self._on_retry = on_retry
        self._attempts = attempts

    async def run(self, ask: Callable[[float], Awaitable[T]], timeout_s: float) -> T:
        """Send a request until it is answered, or may not be sent again.

        Args:
            ask: Sends it once, with so many seconds left.
            timeout_s: Seconds for all attempts together.

        Raises:
            InferenceUnavailableError: The last attempt raised this.
        """
        give_up_s = time.monotonic() + timeout_s
        self._left = min(self._most, self._left + self._share)
        for attempt in range(1, self._attempts + 1):
            left_s = timeout_s if attempt == 1 else give_up_s - time.monotonic()
            try:
                return await ask(left_s)
            except InferenceUnavailableError:
                if attempt == self._attempts or give_up_s - time.monotonic() < _LEAST_TIME_S:
                    raise
                allowed = self._left >= 1
                self._on_retry(allowed)
                if not allowed:
                    raise
                self._left -= 1
        raise AssertionError("the last attempt returns or raises")
