"""What goes with one photo on its way: who waits for it, how urgently, until when, and how long."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Self

import grpc.aio

from gateway.admission.caller import Caller
from gateway.admission.priority import Priority
from gateway.errors import DeadlineError
from gateway.observability.labels import Stage

# gRPC ends a call by itself at the deadline that its caller set, and the steps of a render look at
# the time as they begin. Whoever cancels from within comes after both.
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


# Made by whoever sees a call first: gRPC runs its interceptors and its handler in one context.
_made: ContextVar[Deadline] = ContextVar("deadline")


def deadline_of(context: grpc.aio.ServicerContext[Any, Any], default_timeout_s: float) -> Deadline:
    """Return the deadline of the call that is being handled; it is made at the first asking.

    Args:
        context: The call.
        default_timeout_s: The time for a call whose caller set no deadline.
    """
    deadline = _made.get(None)
    if deadline is None:
        remaining_s = context.time_remaining()
        deadline = Deadline.after(default_timeout_s if remaining_s is None else remaining_s)
        _made.set(deadline)
    return deadline


@dataclass(slots=True)
class RenderCall:
    """One photo that is to be rendered, from its arrival to its reply.

    Attributes:
        caller: Who waits for it.
        priority: Who goes first wherever there is a queue.
        deadline: Until when.
        arrived_s: The `time.monotonic` of its arrival.
        threads_s: What it takes of the worker threads, by `gateway.rendering.cost`, s.
        begun: Whether a first step of it has begun.
        cancelled: Whether its caller has given it up.
        queued_s: Seconds that it has waited for worker threads so far.
        stages_s: Seconds that each stage took that is over.
    """

    caller: Caller
    priority: Priority
    deadline: Deadline
    arrived_s: float = field(default_factory=time.monotonic)
    threads_s: float = 0.0
    begun: bool = False
    cancelled: bool = False
    queued_s: float = 0.0
    stages_s: dict[Stage, float] = field(default_factory=dict)

    def check(self) -> None:
        """Raise `DeadlineError` if nobody waits any more; from any thread."""
        if self.cancelled:
            raise DeadlineError("the render was cancelled")
        self.deadline.remaining_s()
