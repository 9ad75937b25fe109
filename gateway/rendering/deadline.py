"""The moment until which somebody waits for an answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self

from gateway.errors import DeadlineError

# gRPC ends a call by itself at the deadline that its caller set, and the steps of a render check
# the time as they begin. The cancellation from within comes after both.
_GRACE_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment after which nobody waits for an answer any more.

    Attributes:
        at_s: That moment, as `time.monotonic` tells it.
        allowed_s: The time that there was when the deadline was made, s; for messages.
    """

    at_s: float
    allowed_s: float

    @classmethod
    def after(cls, allowed_s: float) -> Self:
        """Make the deadline that is a number of seconds away."""
        return cls(time.monotonic() + allowed_s, allowed_s)

    @property
    def left_s(self) -> float:
        """The seconds left; below 0 once it has passed."""
        return self.at_s - time.monotonic()

    def remaining_s(self) -> float:
        """Return the seconds left.

        Raises:
            DeadlineError: There are none.
        """
        left_s = self.left_s
        if left_s <= 0:
            raise DeadlineError(f"the time for this request, {self.allowed_s:.3g} s, is up")
        return left_s

    def sooner(self, allowed_s: float) -> "Deadline":
        """Return this deadline, or the one that is `allowed_s` away if that comes first."""
        other = Deadline.after(allowed_s)
        return other if other.at_s < self.at_s else self

    @asynccontextmanager
    async def enforced(self) -> AsyncIterator[None]:
        """Cancel a block soon after the deadline.

        Raises:
            DeadlineError: It was cancelled for that, or the deadline had passed before.
        """
        timeout = asyncio.timeout(self.remaining_s() + _GRACE_S)
        try:
            async with timeout:
                yield
        except TimeoutError:
            if not timeout.expired():
                raise
            raise DeadlineError(
                f"the time for this request, {self.allowed_s:.3g} s, is up"
            ) from None
