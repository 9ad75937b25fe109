"""Messages of which the last byte never comes, on many calls of every method."""

import time
from collections import Counter
from contextlib import ExitStack, suppress
from typing import Final

from tests.attack.proto_bombs import METHODS
from tests.attack.target import Target
from tests.attack.wire import Gone, Wire, beginning

_SAID_BYTES: Final = 9 * 2**20
_CALLS: Final = 300
_PER_CONNECTION: Final = 60


def attack(
    target: Target,
    seconds: float,
    methods: tuple[str, ...] = METHODS,
    said_bytes: int = _SAID_BYTES,
) -> str:
    """Leave 300 calls at a time unfinished, each as far as the gateway lets it, again and again."""
    end_s = time.monotonic() + seconds
    opened, sent_bytes, ended = 0, 0, Counter[int]()
    while time.monotonic() < end_s:
        with ExitStack() as stack, suppress(Gone, OSError):
            frame = beginning(said_bytes, said_bytes - 1)
            waiting: list[tuple[Wire, int, memoryview]] = []
            for number in range(_CALLS):
                if number % _PER_CONNECTION == 0:
                    wire = stack.enter_context(Wire(target))
                stream = wire.call(methods[number % len(methods)])
                waiting.append((wire, stream, memoryview(frame)))
                opened += 1
            rest = min(end_s, time.monotonic() + 10)
            while waiting and time.monotonic() < rest:
                waiting, more = _further(waiting)
                sent_bytes += more
                if not more:
                    time.sleep(0.02)
            for wire, stream, _ in waiting:
                if status := wire.statuses.get(stream):
                    ended[status[0]] += 1
    told = ", ".join(f"status {code}: {count}" for code, count in sorted(ended.items()))
    return f"{opened} unfinished calls, {sent_bytes >> 20} MiB sent of them; {told}"


def _further(
    waiting: list[tuple[Wire, int, memoryview]],
) -> tuple[list[tuple[Wire, int, memoryview]], int]:
    """Send of each what the gateway lets it; return what is left of them, and how much went."""
    left, total = [], 0
    for wire, stream, view in waiting:
        if stream in wire.statuses:
            left.append((wire, stream, view[:0]))
            continue
        with suppress(Gone):
            wire.pump(0)
            size = min(wire.window(stream), 1 << 18, len(view))
            if size and wire.send(stream, view[:size], end=False, within_s=1):
                view = view[size:]  # noqa: PLW2901  what is left of it
                total += size
        left.append((wire, stream, view))
    return left, total
