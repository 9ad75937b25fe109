"""Admission: a request is let in if there is room for it, or is told at once when to come back."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from gateway.admission.bounds import HELD, Bound, Bounds
from gateway.admission.ledger import Ledger
from gateway.errors import DeadlineTooShortError, GatewayError, OverloadedError
from gateway.priority import Priority

_SHORTEST_RETRY_S: Final = 0.1
_LONGEST_RETRY_S: Final = 10.0
# Estimates fall with time alone, so whoever waits for room looks again at least this often.
_LOOK_AGAIN_S: Final = 0.25


class Place:
    """What one request holds; given back by `release`, or at the end of a `with` block."""

    def __init__(self, admission: "Admission", caller: str, priority: Priority) -> None:
        self._admission = admission
        self._caller = caller
        self._priority = priority
        self._held = dict.fromkeys(HELD, 0)
        self._began = admission.ledger(priority).pace.begin(time.monotonic())
        self._ended = False

    def charge_pixels(self, pixels: int) -> None:
        """Take the room for pixels, before any of them is decoded.

        Raises:
            OverloadedError: There is none.
        """
        self._admission.check_room(self._caller, self._priority, Bound.PIXELS, pixels)
        self.take(Bound.PIXELS, pixels)

    def rendered(self, reply_bytes: int) -> None:
        """Give back all but the room for the reply, which stays until it is sent."""
        self._end(rendered=True)
        self.take(Bound.BYTES, reply_bytes)

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
            pace = self._admission.ledger(self._priority).pace
            pace.end(self._began, time.monotonic(), rendered=rendered)
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


class Admission:
    """Lets work in as far as the bounds allow.

    Not safe to share between threads: all of it happens on the event loop.

    Args:
        bounds: What may be inside at once.
        on_refused: Told of every refusal for want of room.
        make_room: Has others give up bytes that they hold for nothing, for a caller who wants a
            number of them of so many; tells whether any were.
    """

    def __init__(
        self,
        bounds: Bounds,
        on_refused: Callable[[Bound, Priority], None],
        make_room: Callable[[str, int, int], bool] = lambda _caller, _wanted, _limit: False,
    ) -> None:
        self._bounds = bounds
        self._on_refused = on_refused
        self._make_room = make_room
        self._ledgers = {priority: Ledger() for priority in Priority}
        self._changed = asyncio.Event()

    def admit(self, caller: str, priority: Priority, size_bytes: int, timeout_s: float) -> Place:
        """Let one request in.

        Args:
            caller: Who asks, by `gateway.caller`.
            priority: How urgent it is.
            size_bytes: The size of the request's message.
            timeout_s: The time that its caller leaves for it.

        Raises:
            OverloadedError: A bound is reached; it names the bound, the limit and the value, and
                says when to come back.
            DeadlineTooShortError: It would not be done in time.
        """
        self.check(caller, priority, timeout_s)
        # A message over the photo's limit is let in to hear of that limit.
        size_bytes = min(size_bytes, self._bounds.bytes)
        self.check_room(caller, priority, Bound.BYTES, size_bytes)
        place = Place(self, caller, priority)
        place.take(Bound.REQUESTS, 1)
        place.take(Bound.BYTES, size_bytes)
        return place

    def check(self, caller: str, priority: Priority, timeout_s: float) -> None:
        """Do what `admit` does before it looks at a request's size, and let nobody in.

        Raises:
            OverloadedError: As `admit`.
            DeadlineTooShortError: As `admit`.
        """
        ledger, now_s = self._ledgers[priority], time.monotonic()
        ledger.ask(caller, now_s)
        self.check_room(caller, priority, Bound.REQUESTS, 1)
        if ledger.pace.under_way < self._bounds.workers:
            return
        wait_s, limit_s = ledger.pace.wait_s(now_s), self._bounds.longest_wait_s(priority)
        if wait_s > limit_s:
            raise self._full(
                priority,
                Bound.WAIT,
                f"{priority.label} work would wait for {wait_s:.2f} s; the limit is {limit_s:g} s",
                {"limit_s": f"{limit_s:g}", "value_s": f"{wait_s:.2f}"},
            )
        estimate_s = wait_s + ledger.pace.least_s(now_s)
        if estimate_s > timeout_s:
            raise DeadlineTooShortError(
                f"a photo takes about {estimate_s:.2f} s now, and {timeout_s:.2f} s are left",
                figures={"estimate_s": f"{estimate_s:.2f}", "remaining_s": f"{timeout_s:.2f}"},
            )

    def check_room(self, caller: str, priority: Priority, bound: Bound, amount: int) -> None:
        """Raise `OverloadedError` if a bound leaves no room for an amount."""
        bounds, ledger, now_s = self._bounds, self._ledgers[priority], time.monotonic()
        limit, held = bounds.of(bound), sum(each.held(bound) for each in self._ledgers.values())
        bulk_asks = self._ledgers[Priority.BULK].asks(now_s)
        share, mine = bounds.share(bound, priority, bulk_asks=bulk_asks), ledger.held(bound)
        fair, own = ledger.fair_share(share, now_s), ledger.held(bound, caller)
        # Whoever holds nothing of it may have as much as there is room for.
        for whose, most, value in (
            ("the service holds", limit, held),
            (f"{priority.label} work holds", share if mine else limit, mine),
            ("the caller holds", fair if own else limit, own),
        ):
            if value + amount > most:
                others = bound is Bound.BYTES and value != own
                if others and self._make_room(caller, amount, limit):
                    return self.check_room(caller, priority, bound, amount)
                ledger.refuse(now_s)
                more = "" if bound is Bound.REQUESTS else f", and {amount} more are wanted"
                raise self._full(
                    priority,
                    bound,
                    f"{whose} {value} {bound}{more}; the limit is {int(most)}",
                    {"limit": int(most), "value": value},
                )
        return None

    def receiving_full(
        self, priority: Priority, message: str, figures: dict[str, object]
    ) -> GatewayError:
        """Return the refusal of a photo that may not be received, or not further, and count it."""
        return self._full(priority, Bound.RECEIVING, message, figures)

    async def room(self, caller: str, priority: Priority, timeout_s: float) -> None:
        """Wait until a request would be let in as far as its size is not known.

        It says that there is room, not that it is reserved: `admit` may still refuse.

        Raises:
            DeadlineTooShortError: It would not be done in time.
            TimeoutError: There was no room in that time.
        """
        async with asyncio.timeout(timeout_s):
            while True:
                with contextlib.suppress(OverloadedError):
                    return self.check(caller, priority, timeout_s)
                await self.change()

    async def change(self) -> None:
        """Wait until somebody has left, or for so long that estimates may have fallen."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), _LOOK_AGAIN_S)

    def wake(self) -> None:
        """Tell whoever waits for room that there may be some."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def held(self, bound: Bound, priority: Priority) -> int:
        """Return what work of a priority holds of a bound."""
        return self._ledgers[priority].held(bound)

    def wait_s(self, priority: Priority) -> float:
        """Estimate the time until all that a priority has inside is done."""
        return self._ledgers[priority].pace.wait_s(time.monotonic())

    def ledger(self, priority: Priority) -> Ledger:
        """Return the books of a priority."""
        return self._ledgers[priority]

    def _full(
        self, priority: Priority, bound: Bound, message: str, figures: dict[str, object]
    ) -> GatewayError:
        self._on_refused(bound, priority)
        pace = self._ledgers[priority].pace
        retry_s = min(max(pace.wait_s(time.monotonic()), _SHORTEST_RETRY_S), _LONGEST_RETRY_S)
        return OverloadedError(message, retry_after_s=retry_s, figures={"bound": bound, **figures})
