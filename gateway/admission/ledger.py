"""Who holds how much: the books of one priority."""

from collections import Counter
from typing import Final

from gateway.admission.backlog import Backlog
from gateway.admission.bounds import Bound

# A caller counts as active, and a refusal as pressure, for this long.
_RECENT_S: Final = 2.0


class Ledger:
    """What the callers of one priority hold, and who has asked of late.

    Attributes:
        backlog: The work that they have inside.
    """

    def __init__(self) -> None:
        self.backlog = Backlog()
        self._held: Counter[Bound] = Counter()
        self._by_caller: dict[str, Counter[Bound]] = {}
        self._asked_s: dict[str, float] = {}
        self._refused_s = -float("inf")

    def ask(self, caller: str, now_s: float) -> None:
        """Note that a caller wants something."""
        # In the order of asking, so that those who have gone are found at the front.
        self._asked_s.pop(caller, None)
        self._asked_s[caller] = now_s
        while (first := next(iter(self._asked_s))) and self._asked_s[first] < now_s - _RECENT_S:
            del self._asked_s[first]

    def refuse(self, now_s: float) -> None:
        """Note that somebody was refused."""
        self._refused_s = now_s

    def asks(self, now_s: float) -> bool:
        """Tell whether anybody has asked of late."""
        return bool(self._asked_s) and next(reversed(self._asked_s.values())) > now_s - _RECENT_S

    def fair_share(self, limit: float, now_s: float) -> float:
        """Return what of a limit one caller may hold: all of it while nobody is refused."""
        if now_s - self._refused_s > _RECENT_S:
            return limit
        return limit / max(1, len(self._asked_s.keys() | self._by_caller.keys()))

    def held(self, bound: Bound, caller: str | None = None) -> int:
        """Return what is held by one caller, or by all of them."""
        if caller is None:
            return self._held[bound]
        return self._by_caller.get(caller, Counter())[bound]

    def take(self, caller: str, bound: Bound, amount: int) -> None:
        """Give a caller something, or take it back if the amount is negative."""
        self._held[bound] += amount
        mine = self._by_caller.setdefault(caller, Counter())
        mine[bound] += amount
        if not any(mine.values()):
            del self._by_caller[caller]
