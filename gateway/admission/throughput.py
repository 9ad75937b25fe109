"""How fast work gets done, estimated from the last renders."""

from typing import Final

# Old renders count half as much after this time, so that the mean is one of the last moments.
_MEMORY_S: Final = 10.0
# Weight of the newest render where a mean goes by number.
_NEWEST: Final = 0.1
# Fewer renders than these tell nothing.
_COLD: Final = 16
# An estimate that no new render confirms counts half as much after this time. A wrong estimate
# that keeps callers out would never be corrected otherwise.
_HALF_LIFE_S: Final = 5.0


class ThroughputEstimate:
    """Watches renders begin and end, and learns what a unit of their cost takes.

    The time that passes is divided among the renders under way by their costs. The time that a
    render was given in the end, divided by its cost, is the time that the whole service needs for a
    unit, whatever part did the work and however much of it ran at once. The time for some work is
    then a product, as in Little's law. While fewer renders are under way than keep the service
    busy, only a part of the time counts, because more could have been done in it.

    Args:
        busy: How many renders at once keep the service busy.
    """

    def __init__(self, busy: int) -> None:
        self._busy = busy
        self._under_way = 0
        self._cost = 0.0  # of those under way
        self._unit_s = 0.0  # that a unit has been given which has been there all the time
        self._now_s = 0.0
        self._given_s = 0.0
        self._done = 0.0
        self._quickest_s = 0.0
        self._typical = 0.0
        self._seen = 0
        self._seen_s = 0.0

    def begin(self, cost: float, now_s: float) -> tuple[float, float]:
        """Begin a render; what is returned goes to `end`."""
        self._advance(now_s)
        self._under_way += 1
        self._cost += cost
        return now_s, self._unit_s

    def change(self, cost: float, new_cost: float, now_s: float) -> None:
        """Correct the cost of a render that is under way."""
        self._advance(now_s)
        self._cost += new_cost - cost

    def end(self, began: tuple[float, float], cost: float, now_s: float, *, rendered: bool) -> None:
        """End a render; one that failed does not change the estimate."""
        self._advance(now_s)
        self._under_way -= 1
        # Sums of floating-point numbers keep a rest.
        self._cost = max(0.0, self._cost - cost) if self._under_way else 0.0
        if not rendered:
            return
        began_s, unit_s = began
        fades = 0.5 ** ((now_s - self._seen_s) / _MEMORY_S) if self._seen else 0.0
        self._given_s = self._given_s * fades + (self._unit_s - unit_s) * cost
        self._done = self._done * fades + cost
        quick_s = (now_s - began_s) / cost
        if self._seen == 0:
            self._quickest_s, self._typical = quick_s, cost
        # Falls at once and rises slowly: almost the least that a unit takes.
        rise_s = _NEWEST * (quick_s - self._quickest_s)
        self._quickest_s = min(quick_s, self._quickest_s + rise_s)
        self._typical += _NEWEST * (cost - self._typical)
        self._seen += 1
        self._seen_s = now_s

    @property
    def typical_cost(self) -> float:
        """The cost of a render of which nothing is known yet."""
        return self._typical

    def spacing_s(self, now_s: float) -> float:
        """Estimate what a unit of cost adds to a queue, s; 0 while too little is known."""
        return self._given_s / self._done * self._trust(now_s) if self._done else 0.0

    def least_s(self, cost: float, now_s: float) -> float:
        """Estimate the least time that a render takes; 0 while too little is known."""
        return self._quickest_s * cost * self._trust(now_s)

    def _trust(self, now_s: float) -> float:
        if self._seen < _COLD:
            return 0.0
        return float(0.5 ** ((now_s - self._seen_s) / _HALF_LIFE_S))

    def _advance(self, now_s: float) -> None:
        if self._under_way and self._cost:
            share = min(1.0, self._under_way / self._busy)
            self._unit_s += (now_s - self._now_s) * share / self._cost
        self._now_s = now_s
