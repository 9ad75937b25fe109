"""Admission: a request is admitted if there is room for it, or refused at once with a time."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

from gateway.admission.limits import AdmissionLimits, Limit
from gateway.admission.priority import BULK_TURN, Priority
from gateway.admission.reservation import Reservation
from gateway.admission.throughput import ThroughputEstimate
from gateway.admission.usage import Usage
from gateway.errors import DeadlineTooShortError
from imaging.errors import OverloadedError, ReasonedError

_SHORTEST_RETRY_S: Final = 0.1
_LONGEST_RETRY_S: Final = 10.0
# Estimates fall with time alone, so those who wait for room check again at least this often.
_CHECK_AGAIN_S: Final = 0.25


class Admission:
    """Admits work as far as the limits allow.

    Not safe to share between threads: all of it happens on the event loop.

    Args:
        limits: What may be in the service at once.
        on_refused: Called with every refusal for want of room.
        make_room: Gives up replies that nobody takes. It gets the caller who needs room, the bytes
            wanted and the limit of all bytes, and tells whether any reply was given up.
        clock: Seconds that only rise.

    Attributes:
        throughput: How fast renders get done.
        now_s: The clock.
    """

    def __init__(
        self,
        limits: AdmissionLimits,
        on_refused: Callable[[Limit, Priority], None],
        make_room: Callable[[str, int, int], bool] = lambda _caller, _wanted, _limit: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._on_refused = on_refused
        self._make_room = make_room
        self.now_s = clock
        self.throughput = ThroughputEstimate(busy=max(1, limits.workers // 2))
        self._paid_s = clock()
        self._usage = {priority: Usage() for priority in Priority}
        self._changed = asyncio.Event()

    def admit(
        self,
        caller: str,
        priority: Priority,
        size_bytes: int,
        timeout_s: float,
        cost: float = 1.0,
    ) -> Reservation:
        """Admit one request.

        Args:
            caller: Who asks, by `gateway.admission.caller`.
            priority: How urgent it is.
            size_bytes: The size of the request's message.
            timeout_s: The time that its caller leaves for it, s.
            cost: What it costs, by `gateway.rendering.cost`.

        Returns:
            What it holds now: a request and its bytes.

        Raises:
            OverloadedError: A limit is reached. It names the limit, its value and what is held, and
                says when to come back.
            DeadlineTooShortError: It would not be done in time.
        """
        self.check(caller, priority, timeout_s, cost)
        # A message over the photo's limit is admitted, so that its caller hears of that limit.
        size_bytes = min(size_bytes, self._limits.bytes)
        self.check_room(caller, priority, Limit.BYTES, size_bytes)
        reservation = Reservation(self, caller, priority, cost)
        reservation.take(Limit.REQUESTS, 1)
        reservation.take(Limit.BYTES, size_bytes)
        return reservation

    def check(
        self, caller: str, priority: Priority, timeout_s: float, cost: float | None = None
    ) -> None:
        """Check all that `admit` checks before the request's size; admit nobody.

        Without a cost the request counts as a typical one.

        Raises:
            OverloadedError: As `admit`.
            DeadlineTooShortError: As `admit`.
        """
        now_s = self.now_s()
        self._usage[priority].note_request(caller, now_s)
        self.check_room(caller, priority, Limit.REQUESTS, 1)
        cost = self.throughput.typical_cost if cost is None else cost
        wait_s = self.check_wait(caller, priority, cost)
        estimate_s = wait_s + self.throughput.least_s(cost, now_s)
        busy = self._usage[priority].backlog.renders >= self._limits.workers
        if busy and estimate_s > timeout_s:
            raise DeadlineTooShortError(
                f"a photo takes about {estimate_s:.2f} s now, and {timeout_s:.2f} s are left",
                figures={"estimate_s": f"{estimate_s:.2f}", "remaining_s": f"{timeout_s:.2f}"},
            )

    def check_wait(
        self, caller: str, priority: Priority, cost: float, *, admitted: bool = False
    ) -> float:
        """Estimate how long a request waits for the work before it; its own work does not count.

        Args:
            caller: Who makes it.
            priority: Its priority.
            cost: Its cost.
            admitted: Whether it has been admitted, and its cost is known better now.

        Returns:
            The estimate, s.

        Raises:
            OverloadedError: The estimate is over the limit, which is the configured one or the time
                that the request itself takes, whichever is longer.
        """
        now_s, backlog = self.now_s(), self._usage[priority].backlog
        spacing_s = self.throughput.spacing_s(now_s)
        self._pay_off(spacing_s, now_s)
        wait_s = self._before(caller, priority, cost, admitted=admitted) * spacing_s
        most_s = max(self._limits.longest_wait_s(priority), cost * spacing_s)
        # As many renders as keep the service busy are admitted whatever the estimates say. Callers
        # who owe for renders that they gave up are excepted.
        few = backlog.renders - admitted < self._limits.workers
        if few and backlog.owed(caller) * spacing_s <= most_s:
            return wait_s
        if wait_s > most_s:
            self._on_refused(Limit.WAIT, priority)
            raise OverloadedError(
                f"{priority.label} work of this caller would wait for {wait_s:.2f} s; "
                f"the limit is {most_s:.2f} s",
                retry_after_s=_retry_s(wait_s),
                figures={
                    "bound": Limit.WAIT,
                    "limit_s": f"{most_s:.2f}",
                    "value_s": f"{wait_s:.2f}",
                },
            )
        return wait_s

    def check_room(self, caller: str, priority: Priority, limit: Limit, amount: int) -> None:
        """Raise `OverloadedError` if a limit leaves no room for an amount."""
        limits, usage, now_s = self._limits, self._usage[priority], self.now_s()
        total, held = limits.of(limit), sum(each.held(limit) for each in self._usage.values())
        bulk_waits = self._usage[Priority.BULK].requested_lately(now_s)
        share, mine = limits.share(limit, priority, bulk_waits=bulk_waits), usage.held(limit)
        fair, own = usage.fair_share(share, now_s), usage.held(limit, caller)
        # A caller or a priority that holds nothing may have as much as there is room for.
        for whose, most, value in (
            ("the service holds", total, held),
            (f"{priority.label} work holds", share if mine else total, mine),
            ("the caller holds", fair if own else total, own),
        ):
            if value + amount > most:
                others = limit is Limit.BYTES and value != own
                if others and self._make_room(caller, amount, total):
                    return self.check_room(caller, priority, limit, amount)
                usage.note_refusal(now_s)
                more = "" if limit is Limit.REQUESTS else f", and {amount} more are wanted"
                raise self._full(
                    caller,
                    priority,
                    limit,
                    f"{whose} {value} {limit}{more}; the limit is {int(most)}",
                    {"limit": int(most), "value": value},
                )
        return None

    def receiving_full(
        self, caller: str, priority: Priority, message: str, figures: dict[str, object]
    ) -> ReasonedError:
        """Count the refusal of a photo that may not be received, or not further; return it."""
        return self._full(caller, priority, Limit.RECEIVING, message, figures)

    async def room(self, caller: str, priority: Priority, timeout_s: float) -> None:
        """Wait until a request would be admitted, as far as that is known without its size.

        Nothing is reserved: `admit` may still refuse.

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
        """Wait until a request has ended, or until estimates may have fallen."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CHECK_AGAIN_S):
                await self._changed.wait()

    def wake(self) -> None:
        """Tell all who wait for room that there may be some."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def held(self, limit: Limit, priority: Priority) -> int:
        """Return what work of a priority holds of what is limited."""
        return self._usage[priority].held(limit)

    def wait_s(self, priority: Priority) -> float:
        """Estimate the time until all admitted work of a priority is done, s."""
        return self._usage[priority].backlog.work * self.throughput.spacing_s(self.now_s())

    def usage(self, priority: Priority) -> Usage:
        """Return what the callers of a priority hold."""
        return self._usage[priority]

    def _before(self, caller: str, priority: Priority, cost: float, *, admitted: bool) -> float:
        """Return the work before a request of a caller, in units of cost."""
        ahead = self._usage[priority].backlog.ahead(caller, cost, admitted=admitted)
        if priority is Priority.INTERACTIVE:
            return ahead
        urgent = self._usage[Priority.INTERACTIVE].backlog.work
        # Bulk work waits for no more interactive work than comes before its turns.
        return ahead + min(urgent, (BULK_TURN - 1) * (ahead + cost))

    def _pay_off(self, spacing_s: float, now_s: float) -> None:
        """Pay off what callers owe, by the work that could be done since the last time."""
        # While nothing is known, a unit of cost counts as a second.
        amount = (now_s - self._paid_s) / (spacing_s or 1.0)
        self._paid_s = now_s
        for usage in self._usage.values():
            usage.backlog.pay_off(amount)

    def _full(
        self,
        caller: str,
        priority: Priority,
        limit: Limit,
        message: str,
        figures: dict[str, object],
    ) -> ReasonedError:
        self._on_refused(limit, priority)
        spacing_s = self.throughput.spacing_s(self.now_s())
        wait_s = self._before(caller, priority, 0.0, admitted=False) * spacing_s
        return OverloadedError(
            message, retry_after_s=_retry_s(wait_s), figures={"bound": limit, **figures}
        )


def _retry_s(wait_s: float) -> float:
    return min(max(wait_s, _SHORTEST_RETRY_S), _LONGEST_RETRY_S)
