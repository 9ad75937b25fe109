"""Renders whose photo comes as slowly as it may, one connection holding all the room for them."""

import time
from contextlib import suppress
from typing import Final

from tests.attack.target import Target
from tests.attack.wire import PACKSHOT, Gone, Wire, beginning

_CALLS: Final = 100
_SAID_BYTES: Final = 200_000


def attack(target: Target, seconds: float, source: str = "127.0.0.66") -> str:
    """Hold 100 renders of an hour's deadline open on one connection, a byte of each a second."""
    end_s = time.monotonic() + seconds
    opened = ended = 0
    while time.monotonic() < end_s:
        with suppress(Gone, OSError), Wire(target, source) as wire:
            streams: set[int] = set()
            while time.monotonic() < end_s:
                for _ in range(_CALLS - len(streams)):
                    stream = wire.call(PACKSHOT + "Render", ("grpc-timeout", "1H"))
                    wire.send(stream, beginning(_SAID_BYTES, 1), end=False, within_s=1)
                    streams.add(stream)
                    opened += 1
                second_s = time.monotonic() + 1
                while time.monotonic() < min(second_s, end_s):
                    wire.pump(0.1)
                for stream in tuple(streams):
                    gone = stream in wire.statuses
                    if gone or not wire.send(stream, b"\0", end=False, within_s=0.1):
                        streams.discard(stream)
                        ended += 1
    return f"{opened} renders sent a byte a second, {ended} of them were ended"
