"""What the callers of one priority hold of the limits."""

from collections import Counter
from typing import Final

from gateway.admission.backlog import Backlog
from gateway.admission.limits import Limit

# A caller counts as active, and a refusal as pressure, for this long.
_RECENT_S: Final = 2.0


class Usage:
    """What the callers of one priority hold, and who has made a request lately.

    Attributes:
        backlog: Their admitted work.
    """

    def __init__(self) -> None:
        self.backlog = Backlog()
        self._held: Counter[Limit] = Counter()
        self._by_caller: dict[str, Counter[Limit]] = {}
        self._requested_s: dict[str, float] = {}
        self._refused_s = -float("inf")

    def note_request(self, caller: str, now_s: float) -> None:
        """Note that a caller asks for room."""
        # In the order of the requests, so that callers who have gone are found at the front.
        self._requested_s.pop(caller, None)
        self._requested_s[caller] = now_s
        while (first := next(iter(self._requested_s))) and (
            self._requested_s[first] < now_s - _RECENT_S
        ):
            del self._requested_s[first]

    def note_refusal(self, now_s: float) -> None:
        """Note that a caller was refused."""
        self._refused_s = now_s

    def requested_lately(self, now_s: float) -> bool:
        """Tell whether any caller has made a request lately."""
        return bool(self._requested_s) and (
            next(reversed(self._requested_s.values())) > now_s - _RECENT_S
        )

    def fair_share(self, limit: float, now_s: float) -> float:
        """Return what of a limit one caller may hold: all of it while nobody is refused."""
        if now_s - self._refused_s > _RECENT_S:
            return limit
        return limit / max(1, len(self._requested_s.keys() | self._by_caller.keys()))

    def held(self, limit: Limit, caller: str | None = None) -> int:
        """Return what is held by one caller, or by all of them."""
        if caller is None:
            return self._held[limit]
        return self._by_caller.get(caller, Counter())[limit]

    def take(self, caller: str, limit: Limit, amount: int) -> None:
        """Add to what a caller holds, or take from it if the amount is negative."""
        self._held[limit] += amount
        mine = self._by_caller.setdefault(caller, Counter())
        mine[limit] += amount
        if not any(mine.values()):
            del self._by_caller[caller]
