"""How many photos one gateway is sent at once: fewer when it is full, slowly more again.

Additive increase, multiplicative decrease, as TCP has it (Chiu and Jain, 1989).
"""

import asyncio
import time

# Refusals that come together are one.
_TOGETHER_S = 0.5


class Limit:
    """A limit of photos in flight that follows what the gateway says.

    Args:
        most: The highest that it may be.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._value = float(most)
        self._held = 0
        self._refused_s = -_TOGETHER_S
        self._changed = asyncio.Event()

    @property
    def value(self) -> int:
        """Most photos in flight now, 1 or more."""
        return int(self._value)

    @property
    def held(self) -> int:
        """Photos in flight now."""
        return self._held

    async def take(self) -> None:
        """Wait for room, and take it."""
        while self._held >= self.value:
            self._changed.clear()
            await self._changed.wait()
        self._held += 1

    def give_back(self) -> None:
        """Give room back."""
        self._held -= 1
        self._changed.set()

    def was_answered(self) -> None:
        """Raise the limit by one for as many answers as it has places."""
        self._value = min(float(self._most), self._value + 1 / self._value)
        self._changed.set()

    def was_refused(self) -> None:
        """Halve the limit, once for refusals that come together."""
        now_s = time.monotonic()
        if now_s - self._refused_s >= _TOGETHER_S:
            self._refused_s = now_s
            self._value = max(1.0, self._value / 2)
