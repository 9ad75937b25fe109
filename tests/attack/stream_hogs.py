"""Streams of photos that are opened and never bring one."""

import time
from contextlib import suppress
from typing import Final

from tests.attack.target import Target
from tests.attack.wire import PACKSHOT, Gone, Wire

_STREAMS: Final = 100


def attack(target: Target, seconds: float, source: str = "127.0.0.66") -> str:
    """Hold as many streams open as the gateway lets one caller have, and open new ones at once."""
    end_s = time.monotonic() + seconds
    opened = ended = 0
    while time.monotonic() < end_s:
        with suppress(Gone, OSError), Wire(target, source) as wire:
            streams: set[int] = set()
            while time.monotonic() < end_s:
                while len(streams) < _STREAMS:
                    streams.add(wire.call(PACKSHOT + "RenderStream"))
                    opened += 1
                wire.pump(0.1)
                gone = streams & wire.statuses.keys()
                ended += len(gone)
                streams -= gone
    return f"{opened} streams opened without a photo, {ended} of them were ended"
