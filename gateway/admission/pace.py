"""How fast work of one priority gets done, as far as the last renders tell."""

from typing import Final

# Weight of the newest render in the running means.
_NEWEST: Final = 0.1
# Fewer renders than these tell nothing.
_COLD: Final = 16
# What is not confirmed by new renders is believed half as much after this time: a wrong estimate
# that keeps callers out would otherwise never be corrected.
_HALF_LIFE_S: Final = 5.0


class Pace:
    """Watches renders begin and end.

    While `n` renders are under way, each is charged the n-th part of the time that passes. What a
    render has been charged in the end is then, in the mean, the time from one finished render to
    the next, whatever did the work and however much of it ran at once. The time in which a number
    of renders will be done follows from it as a product, as in Little's law.
    """

    def __init__(self) -> None:
        self._under_way = 0
        self._charged_s = 0.0  # to a render that has been there all the time
        self._now_s = 0.0
        self._spacing_s = 0.0
        self._quickest_s = 0.0
        self._seen = 0
        self._seen_s = 0.0

    @property
    def under_way(self) -> int:
        """How many renders have begun and not ended."""
        return self._under_way

    def begin(self, now_s: float) -> tuple[float, float]:
        """Begin a render; what is returned goes to `end`."""
        self._advance(now_s)
        self._under_way += 1
        return now_s, self._charged_s

    def end(self, began: tuple[float, float], now_s: float, *, rendered: bool) -> None:
        """End a render; one that came to nothing tells nothing."""
        self._advance(now_s)
        self._under_way -= 1
        if not rendered:
            return
        began_s, charged_s = began
        spacing_s, duration_s = self._charged_s - charged_s, now_s - began_s
        if self._seen == 0:
            self._spacing_s, self._quickest_s = spacing_s, duration_s
        self._spacing_s += _NEWEST * (spacing_s - self._spacing_s)
        # Falls at once and rises slowly: almost the least that a render takes.
        rise_s = _NEWEST * (duration_s - self._quickest_s)
        self._quickest_s = min(duration_s, self._quickest_s + rise_s)
        self._seen += 1
        self._seen_s = now_s

    def wait_s(self, now_s: float) -> float:
        """Estimate the time until all renders under way are done; 0 while too little is known."""
        return self._under_way * self._spacing_s * self._trust(now_s)

    def least_s(self, now_s: float) -> float:
        """Estimate the least time that a render takes; 0 while too little is known."""
        return self._quickest_s * self._trust(now_s)

    def _trust(self, now_s: float) -> float:
        if self._seen < _COLD:
            return 0.0
        return float(0.5 ** ((now_s - self._seen_s) / _HALF_LIFE_S))

    def _advance(self, now_s: float) -> None:
        if self._under_way:
            self._charged_s += (now_s - self._now_s) / self._under_way
        self._now_s = now_s
