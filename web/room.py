"""What the face holds of its callers' bytes at once, and no more."""

from collections.abc import Iterator
from contextlib import contextmanager

from web.errors import overloaded
from web.metrics import Metrics


class Room:
    """Room for uploads and answers, shared by all requests.

    Args:
        max_requests: Most requests inside.
        max_bytes: Most bytes of them all.
        metrics: Show what is inside, and count what is refused.
    """

    def __init__(self, max_requests: int, max_bytes: int, metrics: Metrics) -> None:
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self._metrics = metrics
        self.requests = 0
        self.bytes = 0
        metrics.in_flight_limit.set(max_requests)
        metrics.bytes_limit.set(max_bytes)

    @contextmanager
    def place(self) -> Iterator["Place"]:
        """Take a request's place for a block.

        Raises:
            WebError: All are taken.
        """
        if self.requests >= self._max_requests:
            self._metrics.refusals.labels("requests").inc()
            raise overloaded(f"{self.requests} requests are inside; the limit is the same")
        self.requests += 1
        place = Place(self)
        try:
            yield place
        finally:
            self.requests -= 1
            self.move(-place.bytes)

    def take(self, count: int) -> None:
        """Take room for so many bytes.

        Raises:
            WebError: There is none.
        """
        if self.bytes + count > self._max_bytes:
            self._metrics.refusals.labels("bytes").inc()
            raise overloaded(
                f"{self.bytes} bytes of uploads and answers are inside, and {count} more would "
                f"exceed the limit of {self._max_bytes}"
            )
        self.move(count)

    def move(self, count: int) -> None:
        """Count bytes that came, or went if negative."""
        self.bytes += count
        self._metrics.in_flight.set(self.requests)
        self._metrics.bytes.set(self.bytes)


class Place:
    """One request's share of the room.

    Attributes:
        bytes: What it holds.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self.bytes = 0

    def add(self, count: int) -> None:
        """Count so many bytes more, whether there is room or not: what is paid for is delivered."""
        self._room.move(count)
        self.bytes += count

    def take(self, count: int) -> None:
        """Take room for so many bytes more, until the request ends.

        Raises:
            WebError: There is none.
        """
        self._room.take(count)
        self.bytes += count
