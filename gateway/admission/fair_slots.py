"""A fixed number of slots, shared fairly: the caller with most slots loses one when all are taken.

A caller who is alone may have every slot. When none is left for a caller who holds at least two
fewer than the caller with most, the oldest slot of the latter is ended and handed on. So a new
caller always gets a slot while any other holds two.
"""

import asyncio
import itertools
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

# Work that is ended needs some turns of the event loop to end, and a stream the replies to its
# photos.
_GIVING_WAY_S: Final = 5.0


class NoSlotError(Exception):
    """Every slot is taken by callers who hold no more than the one who asks.

    Attributes:
        taken: How many are taken.
        own: How many of them by the caller.
    """

    def __init__(self, taken: int, own: int) -> None:
        super().__init__(f"{taken} slots are taken, {own} of them by the caller")
        self.taken = taken
        self.own = own


def _nothing() -> None:
    pass


@dataclass(eq=False, slots=True)
class Slot:
    """One slot.

    Attributes:
        caller: Whose it is.
        since_s: The `time.monotonic()` at which it was taken.
        stop: Ends the work in the slot.
        busy: Tells whether work in it would be lost; idle slots are ended first.
        given_up: Whether it was ended for another caller.
    """

    caller: str
    since_s: float
    stop: Callable[[], None] = _nothing
    busy: Callable[[], bool] = lambda: False
    given_up: bool = False

    def end(self) -> None:
        """End it for another caller."""
        self.given_up = True
        self.stop()


@dataclass(eq=False, slots=True)
class _Waiting:
    caller: str
    slot: asyncio.Future[Slot] = field(default_factory=asyncio.Future)


class FairSlots:
    """The slots.

    Not safe to share between threads: all of it happens on the event loop.

    Args:
        limit: How many there are.
        protected_s: Seconds after which a slot may be ended for any caller.
        wait_s: Seconds for which a caller waits who finds all taken and none to be ended.
    """

    def __init__(self, limit: int, protected_s: float = math.inf, wait_s: float = 0.0) -> None:
        self.limit = limit
        self._protected_s = protected_s
        self._wait_s = wait_s
        self._taken: list[Slot] = []
        self._waiting: list[_Waiting] = []

    @property
    def taken(self) -> int:
        """How many are taken."""
        return len(self._taken)

    def held(self, caller: str) -> int:
        """Return how many a caller has."""
        return sum(slot.caller == caller for slot in self._taken)

    @asynccontextmanager
    async def slot(self, caller: str) -> AsyncIterator[Slot]:
        """Have a slot in a block.

        Raises:
            NoSlotError: There is none, and no caller holds so many more that one is ended.
        """
        slot = await self._take(caller)
        try:
            yield slot
        finally:
            self._leave(slot)

    async def _take(self, caller: str) -> Slot:
        if len(self._taken) < self.limit and not self._waiting:
            return self._enter(caller)
        waiting = _Waiting(caller)
        self._waiting.append(waiting)
        try:
            await self._wait(waiting)
            return waiting.slot.result()
        except BaseException:
            if waiting.slot.done():
                self._leave(waiting.slot.result())
            raise
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    async def _wait(self, waiting: _Waiting) -> None:
        give_up_s = time.monotonic() + self._wait_s
        while not waiting.slot.done():
            now_s = time.monotonic()
            if victim := self._victim(waiting.caller, now_s):
                victim.end()
                give_up_s = max(give_up_s, now_s + _GIVING_WAY_S)
            elif now_s >= give_up_s:
                raise NoSlotError(self.taken, self.held(waiting.caller))
            await asyncio.wait({waiting.slot}, timeout=self._until_s(now_s, give_up_s))

    def _victim(self, caller: str, now_s: float) -> Slot | None:
        """Return the slot to end for a caller; None: there is none."""
        # Those that are ended already go to callers who came before.
        held = [slot for slot in self._taken if not slot.given_up]
        if len(self._taken) - len(held) >= len(self._waiting) or not held:
            return None
        counts = Counter(slot.caller for slot in held)
        largest, most = counts.most_common(1)[0]
        if most >= self.held(caller) + 2:
            theirs = [slot for slot in held if slot.caller == largest]
            return next(itertools.filterfalse(lambda slot: slot.busy(), theirs), theirs[0])
        return held[0] if now_s - held[0].since_s >= self._protected_s else None

    def _until_s(self, now_s: float, give_up_s: float) -> float:
        """Return for how long nothing can change unless a slot is left, s."""
        endable_s = min((slot.since_s for slot in self._taken if not slot.given_up), default=now_s)
        endable_s += self._protected_s
        return min(give_up_s, max(endable_s, now_s + 0.05)) - now_s

    def _enter(self, caller: str) -> Slot:
        slot = Slot(caller, time.monotonic())
        self._taken.append(slot)
        return slot

    def _leave(self, slot: Slot) -> None:
        self._taken.remove(slot)
        while self._waiting and len(self._taken) < self.limit:
            # The caller with least, and of several the first.
            waiting = min(self._waiting, key=lambda each: self.held(each.caller))
            self._waiting.remove(waiting)
            waiting.slot.set_result(self._enter(waiting.caller))
