"""The admitted work of each caller of one priority, and the work before a new request."""

from collections import Counter

# The rest that floating-point sums leave where zero is meant.
_NOTHING = 1e-9


class Backlog:
    """Work by caller, in units of cost.

    The threads share their time fairly between callers, so a new request does not wait for all
    admitted work. Until the request is done, each other caller gets as much time as the request's
    own caller, or less if it has less work. So a caller without admitted work waits for at most the
    cost of its own request for each other caller.

    A caller owes for renders that it gave up after they had begun. What it owes is no work to be
    done, but it counts as work before the caller's next request until it is paid off.
    """

    def __init__(self) -> None:
        self._work: dict[str, float] = {}
        self._owed: dict[str, float] = {}
        self._renders: Counter[str] = Counter()

    @property
    def renders(self) -> int:
        """How many renders are admitted."""
        return self._renders.total()

    @property
    def work(self) -> float:
        """The cost of all of them."""
        return sum(self._work.values())

    def enter(self, caller: str, cost: float) -> None:
        """Add a render."""
        self._renders[caller] += 1
        self.change(caller, cost)

    def change(self, caller: str, amount: float) -> None:
        """Add to the cost of a caller's renders, or take from it if the amount is negative."""
        self._work[caller] = self._work.get(caller, 0.0) + amount

    def leave(self, caller: str, cost: float) -> None:
        """Take a render out."""
        self._renders[caller] -= 1
        self.change(caller, -cost)
        if not self._renders[caller]:
            del self._renders[caller], self._work[caller]

    def accrue(self, caller: str, cost: float) -> None:
        """Add the cost of a render that a caller has given up to what the caller owes."""
        self._owed[caller] = self._owed.get(caller, 0.0) + cost

    def pay_off(self, amount: float) -> None:
        """Take an amount from what is owed, in equal parts for all who owe."""
        if self._owed:
            each = amount / len(self._owed)
            self._owed = {
                c: left - each for c, left in self._owed.items() if left - each > _NOTHING
            }

    def owed(self, caller: str) -> float:
        """Return what a caller owes."""
        return self._owed.get(caller, 0.0)

    def ahead(self, caller: str, cost: float, *, admitted: bool = False) -> float:
        """Return the work before a request.

        Args:
            caller: Who makes it.
            cost: Its cost.
            admitted: Whether it has been added already.
        """
        own = self._work.get(caller, 0.0) + self.owed(caller) - (cost if admitted else 0.0)
        others = (work for name, work in self._work.items() if name != caller)
        return max(own, 0.0) + sum(min(work, own + cost) for work in others)
