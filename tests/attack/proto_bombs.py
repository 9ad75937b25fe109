"""Requests whose few bytes become much as messages: to every method, in every form."""

import time
import zlib
from collections import Counter
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
    return {
        # background { gradient {} picture {} gradient {} … }: each ends the one before.
        "oneofs": _field(3, b"\x1a\0\x22\0" * (size // 4)),
        "backgrounds": b"\x1a\0" * (size // 2),
        "photos": b"\x0a\0" * (size // 2),
        "two photos": _field(1, bytes(size // 2)) * 2,
        "colours": _field(3, _field(3, b"\x12\0" * (size // 2))),
        "model": _field(2, b"x" * size),
        "not UTF-8": _field(2, b"\xff" * size),
        "unknown": b"\xf8\x07\x01" * (size // 3),
        "groups": b"\x7b" * size,
        "unended": b"\x0a\xff\xff\xff\x7f" + bytes(size),
    }


def zipped(size: int) -> bytes:
    """Return the frame of a message of zeros that gzip has made a thousandth of its size."""
    packer = zlib.compressobj(9, wbits=31)
    data = b"".join(packer.compress(bytes(_MIB)) for _ in range(size // _MIB)) + packer.flush()
    return b"\x01" + framed(data)[1:]


def attack(target: Target, seconds: float) -> str:
    """Send bombs of 60 and of 1 MiB to every method in turn."""
    end_s = time.monotonic() + seconds
    ends: Counter[str] = Counter()
    slowest_s, sent = 0.0, 0
    frames = {
        f"{name} {size >> 20} MiB": framed(bomb)
        for size in (60 * _MIB, _MIB)
        for name, bomb in bombs(size).items()
    }
    frames["gzip 1 GiB"] = zipped(1024 * _MIB)
    frames["gzip 60 MiB"] = zipped(60 * _MIB)
    for (name, frame), method in zip(cycle(frames.items()), _turns(), strict=False):
        if time.monotonic() > end_s:
            break
        data = frame
        if method.endswith("RenderStream") and not name.startswith("gzip"):
            data = framed(_field(2, frame[5:]))
        start_s = time.monotonic()
        with suppress(Gone), Wire(target) as wire:
            more = [("grpc-encoding", "gzip")] if name.startswith("gzip") else []
            stream = wire.call(method, *more)
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
