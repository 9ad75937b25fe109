"""What one request holds of the limits while it is in the service."""

import copy
from typing import TYPE_CHECKING, Self

from gateway.admission.limits import HELD, Limit
from gateway.admission.priority import Priority

if TYPE_CHECKING:
    from gateway.admission.admission import Admission


class Reservation:
    """What one request holds; given back by `release`, or at the end of a `with` block."""

    def __init__(
        self, admission: "Admission", caller: str, priority: Priority, cost: float
    ) -> None:
        self._admission = admission
        self._caller = caller
        self._priority = priority
        self._cost = cost
        self._held = dict.fromkeys(HELD, 0)
        self._began = admission.throughput.begin(cost, admission.now_s())
        admission.usage(priority).backlog.enter(caller, cost)
        self._ended = False

    def reserve_pixels(self, pixels: int, cost: float | None = None) -> None:
        """Reserve the room for pixels, before any of them is decoded.

        Args:
            pixels: How many.
            cost: The render's cost, now that they are known; None: as it was.

        Raises:
            OverloadedError: There is no room, or a render of such a cost would wait for too long.
        """
        self._admission.check_room(self._caller, self._priority, Limit.PIXELS, pixels)
        if cost is not None:
            self._admission.throughput.change(self._cost, cost, self._admission.now_s())
            self._admission.usage(self._priority).backlog.change(self._caller, cost - self._cost)
            self._cost = cost
            self._admission.check_wait(self._caller, self._priority, cost, admitted=True)
        self.take(Limit.PIXELS, pixels)

    def rendered(self, reply_bytes: int) -> None:
        """Give back all but the room for the reply, which stays until the reply has left."""
        self._end(rendered=True)
        self.take(Limit.BYTES, reply_bytes)

    def accrue_cost(self) -> None:
        """Have the caller owe the cost: it has given up a render for which work had begun."""
        self._admission.usage(self._priority).backlog.accrue(self._caller, self._cost)

    def hand_over(self) -> "Reservation":
        """Return another that holds what this one holds; this one then holds nothing."""
        other = copy.copy(self)
        self._held, self._ended = dict.fromkeys(HELD, 0), True
        return other

    def release(self) -> None:
        """Give everything back; a second time does nothing."""
        self._end(rendered=False)

    def take(self, limit: Limit, amount: int) -> None:
        """Add an amount that has been checked to what is held."""
        self._held[limit] += amount
        self._admission.usage(self._priority).take(self._caller, limit, amount)

    def _end(self, *, rendered: bool) -> None:
        if not self._ended:
            self._ended = True
            now_s = self._admission.now_s()
            self._admission.throughput.end(self._began, self._cost, now_s, rendered=rendered)
            self._admission.usage(self._priority).backlog.leave(self._caller, self._cost)
        for limit, amount in self._held.items():
            if amount:
                self.take(limit, -amount)
        self._admission.wake()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()
