"""Requests whose few bytes become much as messages: to every method, in every form."""

import time
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from typing import Final

from tests.attack.target import Target
from tests.attack.wire import HEALTH, PACKSHOT, REFLECTION, Gone, Wire, framed

_MIB: Final = 2**20
METHODS: Final = (
    *(PACKSHOT + name for name in ("Render", "RenderStream", "GetAccount", "ListModels")),
    *(PACKSHOT + "ListPresets", HEALTH + "Check", HEALTH + "Watch", REFLECTION),
)


def bombs(size: int) -> dict[str, bytes]:
    """Return messages of about a size, by name; `Render` reads them as its request."""
    return {name: make(size) for name, make in BOMBS.items()}


def zipped(size: int) -> bytes:
    """Return the frame of a message of zeros that gzip has made a thousandth of its size."""
    packer = zlib.compressobj(9, wbits=31)
    data = b"".join(packer.compress(bytes(_MIB)) for _ in range(size // _MIB)) + packer.flush()
    return b"\x01" + framed(data)[1:]


def attack(target: Target, seconds: float, sizes_mib: tuple[int, ...] = (60, 1)) -> str:
    """Send bombs of 60 and of 1 MiB to every method in turn."""
    packed = zipped(60 * _MIB)
    end_s = time.monotonic() + seconds
    ends: Counter[str] = Counter()
    slowest_s, sent = 0.0, 0
    turns = cycle([(name, size) for size in sizes_mib for name in (*BOMBS, "gzip")])
    for (name, size), method in zip(turns, _turns(), strict=False):
        if time.monotonic() > end_s:
            break
        data = packed
        if name != "gzip":
            message = BOMBS[name](size * _MIB)
            data = framed(_field(2, message) if method.endswith("RenderStream") else message)
        start_s = time.monotonic()
        with suppress(Gone), Wire(target) as wire:
            stream = wire.call(method, *([("grpc-encoding", "gzip")] if name == "gzip" else []))
            wire.send(stream, data, end=True, within_s=5)
            status = wire.status(stream, 5)
            ends[str(status[0]) if status else "open"] += 1
        sent += 1
        slowest_s = max(slowest_s, time.monotonic() - start_s)
    told = ", ".join(f"status {code}: {count}" for code, count in sorted(ends.items()))
    return f"{sent} bombs to {len(METHODS)} methods, the slowest took {slowest_s:.1f} s; {told}"


def _turns() -> "cycle[str]":
    # Renders are what reads most; the number of turns has no divisor in common with the bombs'.
    return cycle((*METHODS, *METHODS[:2], PACKSHOT + "Render"))


def _field(number: int, content: bytes) -> bytes:
    size, length = len(content), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return bytes((number << 3 | 2,)) + bytes(length) + content


BOMBS: Final[dict[str, Callable[[int], bytes]]] = {
    # background { gradient {} picture {} gradient {} … }: each ends the one before.
    "oneofs": lambda size: _field(3, b"\x1a\0\x22\0" * (size // 4)),
    "backgrounds": lambda size: b"\x1a\0" * (size // 2),
    "photos": lambda size: b"\x0a\0" * (size // 2),
    "two photos": lambda size: _field(1, bytes(size // 2)) * 2,
    "colours": lambda size: _field(3, _field(3, b"\x12\0" * (size // 2))),
    "model": lambda size: _field(2, b"x" * size),
    "not UTF-8": lambda size: _field(2, b"\xff" * size),
    "unknown": lambda size: b"\xf8\x07\x01" * (size // 3),
    "groups": lambda size: b"\x7b" * size,
    "unended": lambda size: b"\x0a\xff\xff\xff\x7f" + bytes(size),
}
