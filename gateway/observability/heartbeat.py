"""Whether the event loop runs, as other threads can tell: a loop that is stuck answers no call."""

import asyncio
import time
from typing import Final

_INTERVAL_S: Final = 0.25

# After the first the gateway is not ready; after the second it needs a restart.
READY_WITHIN_S: Final = 3.0
ALIVE_WITHIN_S: Final = 30.0


class Heartbeat:
    """Notes the time four times a second while its event loop runs; safe to ask from any thread."""

    def __init__(self) -> None:
        self._last_s = time.monotonic()

    async def run(self) -> None:
        """Note the time until cancelled."""
        while True:
            self._last_s = time.monotonic()
            await asyncio.sleep(_INTERVAL_S)

    @property
    def silence_s(self) -> float:
        """Seconds since the last note; up to 0.25 while the loop runs freely."""
        return time.monotonic() - self._last_s

    @property
    def may_be_ready(self) -> bool:
        """Whether the loop has run within the last 3 s."""
        return self.silence_s < READY_WITHIN_S

    @property
    def is_alive(self) -> bool:
        """Whether the loop has run within the last 30 s."""
        return self.silence_s < ALIVE_WITHIN_S
