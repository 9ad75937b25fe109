"""What the answers of each model tell: when the last one came, and how long a pass takes."""

import time
from typing import Final

# The assumed time of a pass while nothing is known of a model, s.
_UNKNOWN_S: Final = 0.05
# The estimate falls at once and rises slowly: it is the least of the recent times, which is a pass
# that waited for little.
_RISE: Final = 0.3
# A model that is busy, or has a large batch to do, may take this many times its estimate.
_TIMES: Final = 6.0
# The limit for a first pass, of which nothing is known.
_FIRST_PASS_S: Final = 60.0
# The limit for any pass, however slow the model is.
_LONGEST_S: Final = 120.0


class AnswerTimes:
    """The answer times of each model, learned from its answers."""

    def __init__(self) -> None:
        self._pass_s: dict[str, float] = {}
        self._last_s: dict[str, float] = {}

    def observe(self, model: str, took_s: float) -> None:
        """Learn from an answer that has just come, and took `took_s` seconds."""
        self._last_s[model] = time.monotonic()
        known_s = self._pass_s.get(model, took_s)
        self._pass_s[model] = min(took_s, known_s + _RISE * (took_s - known_s))

    def assume(self, model: str, pass_s: float) -> None:
        """Use what the inference server says of a pass, s, until an answer has come."""
        self._pass_s.setdefault(model, pass_s)

    def last_s(self, model: str) -> float:
        """Return the `time.monotonic()` of a model's last answer, minus infinity before one."""
        return self._last_s.get(model, -float("inf"))

    def pass_s(self, model: str) -> float:
        """Return what a pass takes, s."""
        return self._pass_s.get(model, _UNKNOWN_S)

    def silence_limit_s(self, model: str, least_s: float) -> float:
        """Return after how long without an answer a model counts as away, and not as slow, s.

        Args:
            model: The model.
            least_s: The limit for a model however fast it is, s.
        """
        known_s = self._pass_s.get(model)
        if known_s is None:
            return max(least_s, _FIRST_PASS_S)
        return max(least_s, min(_TIMES * known_s, _LONGEST_S))
