"""Admission: a request is let in if there is room for it, or is told at once when to come back."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

from gateway.admission.bounds import Bound, Bounds
from gateway.admission.ledger import Ledger
from gateway.admission.pace import Pace
from gateway.admission.place import Place
from gateway.admission.priority import BULK_TURN, Priority
from gateway.errors import DeadlineTooShortError
from imaging.errors import OverloadedError, ReasonedError

_SHORTEST_RETRY_S: Final = 0.1
_LONGEST_RETRY_S: Final = 10.0
# Estimates fall with time alone, so whoever waits for room looks again at least this often.
_LOOK_AGAIN_S: Final = 0.25


class Admission:
    """Lets work in as far as the bounds allow.

    Not safe to share between threads: all of it happens on the event loop.

    Args:
        bounds: What may be inside at once.
        on_refused: Told of every refusal for want of room.
        make_room: Has others give up bytes that they hold for nothing, for a caller who wants a
            number of them of so many; tells whether any were.
        clock: Seconds that only rise.

    Attributes:
        pace: How fast renders get done.
        now_s: The clock.
    """

    def __init__(
        self,
        bounds: Bounds,
        on_refused: Callable[[Bound, Priority], None],
        make_room: Callable[[str, int, int], bool] = lambda _caller, _wanted, _limit: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bounds = bounds
        self._on_refused = on_refused
        self._make_room = make_room
        self.now_s = clock
        self.pace = Pace(busy=max(1, bounds.workers // 2))
        self._paid_s = clock()
        self._ledgers = {priority: Ledger() for priority in Priority}
        self._changed = asyncio.Event()

    def admit(
        self,
        caller: str,
        priority: Priority,
        size_bytes: int,
        timeout_s: float,
        cost: float = 1.0,
    ) -> Place:
        """Let one request in.

        Args:
            caller: Who asks, by `gateway.admission.caller`.
            priority: How urgent it is.
            size_bytes: The size of the request's message.
            timeout_s: The time that its caller leaves for it.
            cost: What it costs, by `gateway.rendering.cost`.

        Raises:
            OverloadedError: A bound is reached; it names the bound, the limit and the value, and
                says when to come back.
            DeadlineTooShortError: It would not be done in time.
        """
        self.check(caller, priority, timeout_s, cost)
        # A message over the photo's limit is let in to hear of that limit.
        size_bytes = min(size_bytes, self._bounds.bytes)
        self.check_room(caller, priority, Bound.BYTES, size_bytes)
        place = Place(self, caller, priority, cost)
        place.take(Bound.REQUESTS, 1)
        place.take(Bound.BYTES, size_bytes)
        return place

    def check(
        self, caller: str, priority: Priority, timeout_s: float, cost: float | None = None
    ) -> None:
        """Do what `admit` does before it looks at a request's size, and let nobody in.

        Without a cost the request is taken for a typical one.

        Raises:
            OverloadedError: As `admit`.
            DeadlineTooShortError: As `admit`.
        """
        now_s = self.now_s()
        self._ledgers[priority].ask(caller, now_s)
        self.check_room(caller, priority, Bound.REQUESTS, 1)
        cost = self.pace.typical_cost if cost is None else cost
        wait_s = self.check_wait(caller, priority, cost)
        estimate_s = wait_s + self.pace.least_s(cost, now_s)
        busy = self._ledgers[priority].backlog.renders >= self._bounds.workers
        if busy and estimate_s > timeout_s:
            raise DeadlineTooShortError(
                f"a photo takes about {estimate_s:.2f} s now, and {timeout_s:.2f} s are left",
                figures={"estimate_s": f"{estimate_s:.2f}", "remaining_s": f"{timeout_s:.2f}"},
            )

    def check_wait(
        self, caller: str, priority: Priority, cost: float, *, inside: bool = False
    ) -> float:
        """Estimate how long a request waits for others' work, and its caller's; not for its own.

        Args:
            caller: Who makes it.
            priority: Its priority.
            cost: Its cost.
            inside: Whether it has been let in, and its cost is known better now.

        Raises:
            OverloadedError: It would wait for longer than it may, which is for the bound or for as
                long as it takes itself, whichever is longer.
        """
        now_s, backlog = self.now_s(), self._ledgers[priority].backlog
        spacing_s = self.pace.spacing_s(now_s)
        self._pay(spacing_s, now_s)
        wait_s = self._before(caller, priority, cost, inside=inside) * spacing_s
        limit_s = max(self._bounds.longest_wait_s(priority), cost * spacing_s)
        # As many renders as keep the service busy are let in whatever the estimates say, but for
        # a caller who gives up what it asks for.
        few = backlog.renders - inside < self._bounds.workers
        if few and backlog.owed(caller) * spacing_s <= limit_s:
            return wait_s
        if wait_s > limit_s:
            self._on_refused(Bound.WAIT, priority)
            raise OverloadedError(
                f"{priority.label} work of this caller would wait for {wait_s:.2f} s; "
                f"the limit is {limit_s:.2f} s",
                retry_after_s=_retry_s(wait_s),
                figures={
                    "bound": Bound.WAIT,
                    "limit_s": f"{limit_s:.2f}",
                    "value_s": f"{wait_s:.2f}",
                },
            )
        return wait_s

    def check_room(self, caller: str, priority: Priority, bound: Bound, amount: int) -> None:
        """Raise `OverloadedError` if a bound leaves no room for an amount."""
        bounds, ledger, now_s = self._bounds, self._ledgers[priority], self.now_s()
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
                    caller,
                    priority,
                    bound,
                    f"{whose} {value} {bound}{more}; the limit is {int(most)}",
                    {"limit": int(most), "value": value},
                )
        return None

    def receiving_full(
        self, caller: str, priority: Priority, message: str, figures: dict[str, object]
    ) -> ReasonedError:
        """Return the refusal of a photo that may not be received, or not further, and count it."""
        return self._full(caller, priority, Bound.RECEIVING, message, figures)

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
        return self._ledgers[priority].backlog.work * self.pace.spacing_s(self.now_s())

    def ledger(self, priority: Priority) -> Ledger:
        """Return the books of a priority."""
        return self._ledgers[priority]

    def _before(self, caller: str, priority: Priority, cost: float, *, inside: bool) -> float:
        """Return the work before a request of a caller, in units of cost."""
        ahead = self._ledgers[priority].backlog.ahead(caller, cost, inside=inside)
        if priority is Priority.INTERACTIVE:
            return ahead
        urgent = self._ledgers[Priority.INTERACTIVE].backlog.work
        # Bulk work waits for no more urgent work than comes before its turns.
        return ahead + min(urgent, (BULK_TURN - 1) * (ahead + cost))

    def _pay(self, spacing_s: float, now_s: float) -> None:
        """Pay off what callers owe, by the work that could be done since the last time."""
        # While nothing is known, a unit is what it is called: a second.
        amount = (now_s - self._paid_s) / (spacing_s or 1.0)
        self._paid_s = now_s
        for ledger in self._ledgers.values():
            ledger.backlog.pay(amount)

    def _full(
        self,
        caller: str,
        priority: Priority,
        bound: Bound,
        message: str,
        figures: dict[str, object],
    ) -> ReasonedError:
        self._on_refused(bound, priority)
        spacing_s = self.pace.spacing_s(self.now_s())
        wait_s = self._before(caller, priority, 0.0, inside=False) * spacing_s
        return OverloadedError(
            message, retry_after_s=_retry_s(wait_s), figures={"bound": bound, **figures}
        )


def _retry_s(wait_s: float) -> float:
    return min(max(wait_s, _SHORTEST_RETRY_S), _LONGEST_RETRY_S)
