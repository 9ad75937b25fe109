"""How long a pass of each model takes, as far as its answers tell."""

from typing import Final

# What a pass is taken for while nothing is known of a model, s.
_UNKNOWN_S: Final = 0.05
# The mean falls at once and rises slowly: the least of what was seen of late, which is a pass that
# waited for little.
_RISE: Final = 0.3
# A model that is busy, or has a large batch to do, may take so many times as long as it did.
_TIMES: Final = 6.0
# A first pass, of which nothing is known, may take this long.
_FIRST_PASS_S: Final = 60.0
# No pass is waited for longer, however slow the model is.
_LONGEST_S: Final = 120.0


class ModelPaces:
    """The pace of each model, learned from its answers."""

    def __init__(self) -> None:
        self._pass_s: dict[str, float] = {}

    def note(self, model: str, took_s: float) -> None:
        """Learn from an answer that took so long."""
        known_s = self._pass_s.get(model, took_s)
        self._pass_s[model] = min(took_s, known_s + _RISE * (took_s - known_s))

    def tell(self, model: str, pass_s: float) -> None:
        """Take over what the inference server says, while no answer has come."""
        self._pass_s.setdefault(model, pass_s)

    def pass_s(self, model: str) -> float:
        """Return what a pass takes, s."""
        return self._pass_s.get(model, _UNKNOWN_S)

    def patience_s(self, model: str, least_s: float) -> float:
        """Return after how long without an answer a model is away, and not just slow.

        Args:
            model: The model.
            least_s: What any model is given, s.
        """
        known_s = self._pass_s.get(model)
        if known_s is None:
            return max(least_s, _FIRST_PASS_S)
        return max(least_s, min(_TIMES * known_s, _LONGEST_S))
