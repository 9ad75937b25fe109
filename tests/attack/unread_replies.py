"""Replies that nobody reads: renders of large pictures whose caller lets none of it come."""

import time
from contextlib import ExitStack, suppress
from typing import Final

import numpy as np

from packshot.v1 import packshot_pb2 as pb
from tests.attack.target import Target
from tests.attack.wire import PACKSHOT, Gone, Wire, framed
from tests.support.pictures import encode

_CALLS: Final = 10


def large_request(side: int = 3000) -> bytes:
    """Return a request for a large picture: noise, which no format without loss makes small."""
    photo = np.full((side, side, 3), 255, np.uint8)
    noise = np.random.default_rng(0).integers(0, 200, (side - 200, side - 200, 3), np.uint8)
    photo[100:-100, 100:-100] = noise
    return pb.RenderRequest(
        photo=encode(photo, "JPEG", quality=60, subsampling=0),
        output=pb.Output(format=pb.IMAGE_FORMAT_PNG),
    ).SerializeToString()


def attack(target: Target, seconds: float, source: str = "127.0.0.66") -> str:
    """Ask for large pictures on two connections and take none of them, again and again."""
    end_s = time.monotonic() + seconds
    frame = framed(large_request())
    asked = refused = rounds = dropped = 0
    while time.monotonic() < end_s:
        rounds += 1
        with ExitStack() as stack:
            try:
                wires = [stack.enter_context(Wire(target, source, takes=False)) for _ in range(2)]
                calls = [
                    (wire, wire.call(PACKSHOT + "Render")) for wire in wires for _ in range(_CALLS)
                ]
                for wire, stream in calls:
                    wire.send(stream, frame, end=True, within_s=5)
                    asked += 1
                while time.monotonic() < end_s:
                    for wire in wires:
                        wire.pump(0.1)
                    if all(stream in wire.statuses for wire, stream in calls):
                        break
            except (Gone, OSError):
                dropped += 1
            with suppress(UnboundLocalError):
                refused += sum(stream in wire.statuses for wire, stream in calls)
    return (
        f"{asked} replies left unread in {rounds} rounds: {refused} calls ended with a status, "
        f"{dropped} times a connection was closed"
    )
