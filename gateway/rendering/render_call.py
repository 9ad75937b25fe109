"""One photo on its way: who waits for it, how urgently, until when, and what it holds and took."""

import time
from dataclasses import dataclass, field
from typing import Self

from opentelemetry.trace import INVALID_SPAN, Span

from gateway.admission import Reservation
from gateway.admission.caller import Caller
from gateway.admission.priority import Priority
from gateway.errors import DeadlineError
from gateway.rendering.deadline import Deadline
from gateway.rendering.timings import StageTime


@dataclass(eq=False, slots=True)
class RenderCall:
    """One photo that is to be rendered, from its arrival until its reply has left.

    What it holds of the service is given back at the end of a `with` block.

    Attributes:
        caller: Who waits for it.
        deadline: Until when.
        priority: Its priority, once its request has been read.
        span: The trace's span that the render is part of.
        arrived_s: The `time.monotonic` of its arrival.
        photo_bytes: The size of its file.
        reservation: What it holds of the service; None before it is admitted.
        threads_s: The estimate of its time on the worker threads, by `gateway.rendering.cost`, s.
        photo_counted: Whether the size of its photo has been counted.
        begun: Whether a first step of it has begun.
        cancelled: Whether its caller has given it up.
        queued_s: Seconds that it has waited for worker threads so far.
        timings: The stages that are over, of an attempt that there was no room for as well.
    """

    caller: Caller
    deadline: Deadline
    priority: Priority = Priority.INTERACTIVE
    span: Span = INVALID_SPAN
    arrived_s: float = field(default_factory=time.monotonic)
    photo_bytes: int = 0
    reservation: Reservation | None = None
    threads_s: float = 0.0
    photo_counted: bool = False
    begun: bool = False
    cancelled: bool = False
    queued_s: float = 0.0
    timings: list[StageTime] = field(default_factory=list)

    def check(self) -> None:
        """Raise `DeadlineError` if nobody waits any more; from any thread."""
        if self.cancelled:
            raise DeadlineError("the render was cancelled")
        self.deadline.remaining_s()

    @property
    def held(self) -> Reservation:
        """What it holds of the service.

        Raises:
            RuntimeError: It has not been admitted.
        """
        if self.reservation is None:
            raise RuntimeError("the photo has not been admitted")
        return self.reservation

    def start_again(self) -> None:
        """Give back what an attempt held that there was no room for, before the next one."""
        self.release()
        self.begun, self.queued_s = False, 0.0

    def release(self) -> None:
        """Give back what it holds; a second time does nothing."""
        if self.reservation is not None:
            self.reservation.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()
