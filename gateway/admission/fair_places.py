"""A fixed number of places, shared fairly: whoever holds most gives way when all are taken.

Alone, a caller may have every place. When none is left for somebody who holds at least two fewer
than whoever holds most, the latter's oldest place is ended and handed on. So a caller who is new
always gets one as long as any other holds two.
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

# What is ended needs some turns of the event loop to be gone, and a stream its photos' answers.
_GIVING_WAY_S: Final = 5.0


class NoPlaceError(Exception):
    """Every place is taken by callers who hold no more than the one who asks.

    Attributes:
        taken: How many are taken.
        own: How many of them by the caller.
    """

    def __init__(self, taken: int, own: int) -> None:
        super().__init__(f"{taken} places are taken, {own} of them by the caller")
        self.taken = taken
        self.own = own


def _nothing() -> None:
    pass


@dataclass(eq=False, slots=True)
class Place:
    """One place.

    Attributes:
        caller: Whose it is.
        since_s: The `time.monotonic()` at which it was taken.
        stop: Ends what goes on in the place.
        busy: Tells whether something goes on in it that would be lost; idle places are ended first.
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
    place: asyncio.Future[Place] = field(default_factory=asyncio.Future)


class FairPlaces:
    """The places.

    Not safe to share between threads: all of it happens on the event loop.

    Args:
        limit: How many there are.
        patience_s: Seconds after which a place may be ended for anybody.
        wait_s: Seconds for which somebody waits who finds all taken and none to be ended.
    """

    def __init__(self, limit: int, patience_s: float = math.inf, wait_s: float = 0.0) -> None:
        self.limit = limit
        self._patience_s = patience_s
        self._wait_s = wait_s
        self._taken: list[Place] = []
        self._waiting: list[_Waiting] = []

    @property
    def taken(self) -> int:
        """How many are taken."""
        return len(self._taken)

    def held(self, caller: str) -> int:
        """Return how many a caller has."""
        return sum(place.caller == caller for place in self._taken)

    @asynccontextmanager
    async def place(self, caller: str) -> AsyncIterator[Place]:
        """Have a place in a block.

        Raises:
            NoPlaceError: There is none, and nobody holds so many more that one of them is ended.
        """
        place = await self._take(caller)
        try:
            yield place
        finally:
            self._leave(place)

    async def _take(self, caller: str) -> Place:
        if len(self._taken) < self.limit and not self._waiting:
            return self._enter(caller)
        waiting = _Waiting(caller)
        self._waiting.append(waiting)
        try:
            await self._wait(waiting)
            return waiting.place.result()
        except BaseException:
            if waiting.place.done():
                self._leave(waiting.place.result())
            raise
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    async def _wait(self, waiting: _Waiting) -> None:
        give_up_s = time.monotonic() + self._wait_s
        while not waiting.place.done():
            now_s = time.monotonic()
            if victim := self._victim(waiting.caller, now_s):
                victim.end()
                give_up_s = max(give_up_s, now_s + _GIVING_WAY_S)
            elif now_s >= give_up_s:
                raise NoPlaceError(self.taken, self.held(waiting.caller))
            await asyncio.wait({waiting.place}, timeout=self._until_s(now_s, give_up_s))

    def _victim(self, caller: str, now_s: float) -> Place | None:
        """Return the place that is to be ended for a caller; None: there is none."""
        # Those that are ended already are for those who came before.
        held = [place for place in self._taken if not place.given_up]
        if len(self._taken) - len(held) >= len(self._waiting) or not held:
            return None
        counts = Counter(place.caller for place in held)
        greedy, most = counts.most_common(1)[0]
        if most >= self.held(caller) + 2:
            theirs = [place for place in held if place.caller == greedy]
            return next(itertools.filterfalse(lambda place: place.busy(), theirs), theirs[0])
        return held[0] if now_s - held[0].since_s >= self._patience_s else None

    def _until_s(self, now_s: float, give_up_s: float) -> float:
        """Return for how long nothing can change but by a place that is left."""
        ripe_s = min((place.since_s for place in self._taken if not place.given_up), default=now_s)
        ripe_s += self._patience_s
        return min(give_up_s, max(ripe_s, now_s + 0.05)) - now_s

    def _enter(self, caller: str) -> Place:
        place = Place(caller, time.monotonic())
        self._taken.append(place)
        return place

    def _leave(self, place: Place) -> None:
        self._taken.remove(place)
        while self._waiting and len(self._taken) < self.limit:
            # Whoever has least, and of those the first.
            waiting = min(self._waiting, key=lambda each: self.held(each.caller))
            self._waiting.remove(waiting)
            waiting.place.set_result(self._enter(waiting.caller))
