"""What one request holds of the bounds while it is inside."""

import copy
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gateway.admission.bounds import HELD, Bound
from gateway.admission.priority import Priority

if TYPE_CHECKING:
    from gateway.admission.admission import Admission


class Place:
    """What one request holds; given back by `release`, or at the end of a `with` block."""

    def __init__(
        self, admission: "Admission", caller: str, priority: Priority, cost: float
    ) -> None:
        self._admission = admission
        self._caller = caller
        self._priority = priority
        self._cost = cost
        self._held = dict.fromkeys(HELD, 0)
        self._began = admission.pace.begin(cost, admission.now_s())
        admission.ledger(priority).backlog.enter(caller, cost)
        self._ended = False

    def charge_pixels(self, pixels: int, cost: float | None = None) -> None:
        """Take the room for pixels, before any of them is decoded.

        Args:
            pixels: How many.
            cost: The render's cost, now that they are known; None: as it was.

        Raises:
            OverloadedError: There is none, or a render of such a cost would wait for too long.
        """
        self._admission.check_room(self._caller, self._priority, Bound.PIXELS, pixels)
        if cost is not None:
            self._admission.pace.change(self._cost, cost, self._admission.now_s())
            self._admission.ledger(self._priority).backlog.change(self._caller, cost - self._cost)
            self._cost = cost
            self._admission.check_wait(self._caller, self._priority, cost, inside=True)
        self.take(Bound.PIXELS, pixels)

    def rendered(self, reply_bytes: int) -> None:
        """Give back all but the room for the reply, which stays until it is sent."""
        self._end(rendered=True)
        self.take(Bound.BYTES, reply_bytes)

    def given_up(self) -> None:
        """Note that its caller does not wait for it any more, though work for it had begun."""
        self._admission.ledger(self._priority).backlog.owe(self._caller, self._cost)

    def hand_over(self) -> "Place":
        """Return another that holds what this one holds; this one then holds nothing."""
        other = copy.copy(self)
        self._held, self._ended = dict.fromkeys(HELD, 0), True
        return other

    def release(self) -> None:
        """Give everything back; a second time does nothing."""
        self._end(rendered=False)

    def take(self, bound: Bound, amount: int) -> None:
        """Write an amount into the books that has been checked."""
        self._held[bound] += amount
        self._admission.ledger(self._priority).take(self._caller, bound, amount)

    def _end(self, *, rendered: bool) -> None:
        if not self._ended:
            self._ended = True
            now_s = self._admission.now_s()
            self._admission.pace.end(self._began, self._cost, now_s, rendered=rendered)
            self._admission.ledger(self._priority).backlog.leave(self._caller, self._cost)
        for bound, amount in self._held.items():
            if amount:
                self.take(bound, -amount)
        self._admission.wake()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
