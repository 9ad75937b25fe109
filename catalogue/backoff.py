"""When something is tried again: pauses that double, with a random part."""

import random
from dataclasses import dataclass

_JITTER = 0.3


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double with each attempt.

    Attributes:
        first_s: The first, seconds.
        most_s: The longest, seconds.
        attempts: How often something is tried before it has failed.
    """

    first_s: float = 0.25
    most_s: float = 10.0
    attempts: int = 6

    def pause_s(self, attempt: int) -> float:
        """Return the pause after an attempt.

        Args:
            attempt: Its number, from 1.
        """
        pause_s = min(self.first_s * 2.0 ** (attempt - 1), self.most_s)
        return pause_s * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  no secret
