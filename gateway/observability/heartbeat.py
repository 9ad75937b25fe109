"""Whether the event loop still turns, told from outside it: a loop that is stuck answers nobody."""

import asyncio
import time
from typing import Final

_INTERVAL_S: Final = 0.25

# The gateway counts as not ready after the one, as in need of a restart after the other.
READY_WITHIN_S: Final = 3.0
ALIVE_WITHIN_S: Final = 30.0


class Heartbeat:
    """Beats four times a second while its event loop turns; safe to ask from any thread."""

    def __init__(self) -> None:
        self._last_s = time.monotonic()

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self._last_s = time.monotonic()
            await asyncio.sleep(_INTERVAL_S)

    @property
    def silence_s(self) -> float:
        """Seconds since the last beat; up to 0.25 while all is well."""
        return time.monotonic() - self._last_s

    @property
    def may_be_ready(self) -> bool:
        """Whether the loop has turned within the last 3 s."""
        return self.silence_s < READY_WITHIN_S

    @property
    def is_alive(self) -> bool:
        """Whether the loop has turned within the last 30 s."""
        return self.silence_s < ALIVE_WITHIN_S
