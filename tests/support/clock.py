"""A clock that a test sets."""

from dataclasses import dataclass


@dataclass(slots=True)
class Clock:
    """Seconds that pass as a test says."""

    now_s: float = 0.0

    def __call__(self) -> float:
        """Return them."""
        return self.now_s
