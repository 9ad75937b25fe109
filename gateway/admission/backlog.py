"""The work that each caller of one priority has inside, and what comes before a new piece of it."""

from collections import Counter

# What is left of a sum of floating-point numbers that came to nothing.
_NOTHING = 1e-9


class Backlog:
    """Work by caller, in units of cost.

    Threads share their time fairly between callers, so what a new request waits for is not all that
    is inside. Until its own caller's work is done, and it itself, every other caller gets as much
    as this one, or less if it has no more: that is the work before it. A caller with nothing inside
    waits for no more than its own cost of each other caller's.

    A caller also owes for renders that it had begun and then gave up. That is no work to be done,
    but it counts as work before the caller's next request, until it is paid off.
    """

    def __init__(self) -> None:
        self._work: dict[str, float] = {}
        self._owed: dict[str, float] = {}
        self._inside: Counter[str] = Counter()

    @property
    def renders(self) -> int:
        """How many renders are inside."""
        return self._inside.total()

    @property
    def work(self) -> float:
        """The cost of all of them."""
        return sum(self._work.values())

    def enter(self, caller: str, cost: float) -> None:
        """Add a render."""
        self._inside[caller] += 1
        self.change(caller, cost)

    def change(self, caller: str, amount: float) -> None:
        """Add to the cost of a caller's renders, or take from it if the amount is negative."""
        self._work[caller] = self._work.get(caller, 0.0) + amount

    def leave(self, caller: str, cost: float) -> None:
        """Take a render out."""
        self._inside[caller] -= 1
        self.change(caller, -cost)
        if not self._inside[caller]:
            del self._inside[caller], self._work[caller]

    def owe(self, caller: str, cost: float) -> None:
        """Have a caller pay for a render that it has given up."""
        self._owed[caller] = self._owed.get(caller, 0.0) + cost

    def pay(self, amount: float) -> None:
        """Pay off what is owed: an amount, shared by those who owe."""
        if self._owed:
            each = amount / len(self._owed)
            self._owed = {
                c: left - each for c, left in self._owed.items() if left - each > _NOTHING
            }

    def owed(self, caller: str) -> float:
        """Return what a caller owes."""
        return self._owed.get(caller, 0.0)

    def ahead(self, caller: str, cost: float, *, inside: bool = False) -> float:
        """Return the work before a request.

        Args:
            caller: Who makes it.
            cost: Its cost.
            inside: Whether it has entered already.
        """
        own = self._work.get(caller, 0.0) + self.owed(caller) - (cost if inside else 0.0)
        others = (work for name, work in self._work.items() if name != caller)
        return max(own, 0.0) + sum(min(work, own + cost) for work in others)
