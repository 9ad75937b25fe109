"""The gateway's door: how many requests are inside at once."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import OverloadedError

# Weight of the newest request in the running mean of their durations.
_NEWEST = 0.1
_SHORTEST_RETRY_S = 0.1


class Admission:
    """Lets a bounded number of requests in and tells the others when to come back.

    Args:
        max_in_flight: Most requests inside at once.
    """

    def __init__(self, max_in_flight: int) -> None:
        self._max_in_flight = max_in_flight
        self._in_flight = 0
        self._mean_duration_s = 1.0
        self._left = asyncio.Event()

    async def room(self) -> None:
        """Wait until a place is free; it stays free until the caller suspends."""
        while self._in_flight >= self._max_in_flight:
            self._left.clear()
            await self._left.wait()

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Hold one place for the time of a request.

        Raises:
            OverloadedError: Every place is taken; it says to come back after about the time that
                a request takes at present.
        """
        if self._in_flight >= self._max_in_flight:
            raise OverloadedError(
                f"the service holds {self._in_flight} requests; the limit is {self._max_in_flight}",
                retry_after_s=max(self._mean_duration_s, _SHORTEST_RETRY_S),
                figures={"limit": self._max_in_flight, "value": self._in_flight},
            )
        self._in_flight += 1
        start_s = time.monotonic()
        try:
            yield
        finally:
            self._in_flight -= 1
            self._left.set()
            duration_s = time.monotonic() - start_s
            self._mean_duration_s += _NEWEST * (duration_s - self._mean_duration_s)
