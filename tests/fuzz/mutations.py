"""Changes to a photo's file, made with an eye for what its format is built of."""

import random
import re
import struct
import zlib
from collections.abc import Callable
from typing import Final

_PNG_HEAD: Final = 8
_INTERESTING: Final = (0, 1, 2, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_JPEG_SEGMENT: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Return a file with one to four changes, some to its parts and some to its bytes."""
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(_CHANGES)(data, chance)
    return data


def parts(data: bytes) -> list[bytes]:
    """Cut a file into its format's parts; joined they are the file again."""
    if data.startswith(b"\x89PNG"):
        return _sized(data, _PNG_HEAD, lambda at: 12 + struct.unpack_from(">I", data, at)[0])
    if data.startswith(b"RIFF"):
        return _sized(data, 12, lambda at: 8 + (struct.unpack_from("<I", data, at + 4)[0] + 1 & ~1))
    if data[4:8] == b"ftyp":
        return _sized(data, 0, lambda at: max(struct.unpack_from(">I", data, at)[0], 8))
    if data.startswith(b"\xff\xd8"):
        cuts = [match.start() for match in _JPEG_SEGMENT.finditer(data)]
    elif data[:2] in {b"II", b"MM"}:
        cuts = list(range(8, len(data), 12))  # a directory's entries, if not their beginning
    else:
        cuts = list(range(13, len(data), 64))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def _sized(data: bytes, at: int, size: Callable[[int], int]) -> list[bytes]:
    found = [data[:at]]
    while at + 8 <= len(data):
        step = size(at)
        found.append(data[at : at + step])
        at += step
    return [*found, data[at:]]


def _shuffle_parts(data: bytes, chance: random.Random) -> bytes:
    first, *rest = parts(data)
    if len(rest) > 1:
        a, b = chance.sample(range(len(rest)), 2)
        rest[a], rest[b] = rest[b], rest[a]
    return b"".join([first, *rest])


def _repeat_part(data: bytes, chance: random.Random) -> bytes:
    found = parts(data)
    at = chance.randrange(len(found))
    return b"".join([*found[:at], found[at] * chance.choice((2, 3, 300)), *found[at + 1 :]])


def _drop_part(data: bytes, chance: random.Random) -> bytes:
    first, *rest = parts(data)
    if rest:
        del rest[chance.randrange(len(rest))]
    return b"".join([first, *rest])


def _lie(data: bytes, chance: random.Random) -> bytes:
    """Write a number that decoders trip over where some length, count or offset may be."""
    changed = bytearray(data)
    span = len(data) if chance.random() < 0.5 else min(len(data), 512)
    form = chance.choice(("<H", ">H", "<I", ">I"))
    size = struct.calcsize(form)
    if span <= size:
        return data
    value = chance.choice(_INTERESTING) & (1 << 8 * size) - 1
    struct.pack_into(form, changed, chance.randrange(span - size), value)
    return _with_checksums(bytes(changed))


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return _with_checksums(bytes(changed)) if chance.random() < 0.8 else bytes(changed)


def _cut(data: bytes, chance: random.Random) -> bytes:
    a, b = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:a] + data[b:] if chance.random() < 0.5 else data[:b]


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.choice((1, 4, 64, 1000))) + data[at:]


def _with_checksums(data: bytes) -> bytes:
    """Set a PNG file's checksums right, since nothing behind a wrong one is looked at."""
    if not data.startswith(b"\x89PNG"):
        return data
    first, *chunks = parts(data)
    return first + b"".join(
        chunk[:-4] + struct.pack(">I", zlib.crc32(chunk[4:-4])) if len(chunk) >= 12 else chunk
        for chunk in chunks
    )


_CHANGES: Final = (
    *(_shuffle_parts, _repeat_part, _drop_part, _lie, _lie, _lie),
    *(_flip, _flip, _cut, _insert),
)
