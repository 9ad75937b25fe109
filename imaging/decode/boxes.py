"""What an AVIF or HEIC file's boxes say of its primary picture (ISO/IEC 14496-12, 23008-12)."""

import struct
from collections.abc import Iterator
from typing import Final

_FULL_BOX_BYTES: Final = 4
_LARGE: Final = 0x7FFF


def primary_codes(data: bytes) -> tuple[int, int] | None:
    """Return the code points of the primary picture's colours (ITU-T H.273).

    Args:
        data: The file, the number of whose boxes has been checked.

    Returns:
        Primaries and transfer characteristics; None where no `colr` box of kind `nclx` belongs to
        the primary picture, or the boxes cannot be followed.
    """
    try:
        for meta in _inside(data, 0, len(data), b"meta"):
            at, end = meta
            items = list(boxes(data, at + _FULL_BOX_BYTES, end))
            properties = list(_properties(data, items))
            for number in _of_primary(data, items):
                if 0 < number <= len(properties):
                    kind, body = properties[number - 1]
                    if kind == b"colr" and data[body : body + 4] == b"nclx":
                        return struct.unpack_from(">HH", data, body + 4)
    except (struct.error, IndexError):
        pass
    return None


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield each box's kind and where its body begins and ends."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        body = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        stop = min(at + size, end) if size else end
        if stop < body:
            return
        yield kind, body, stop
        at = stop


def _inside(data: bytes, at: int, end: int, wanted: bytes) -> Iterator[tuple[int, int]]:
    for kind, body, stop in boxes(data, at, end):
        if kind == wanted:
            yield body, stop


def _properties(data: bytes, items: list[tuple[bytes, int, int]]) -> Iterator[tuple[bytes, int]]:
    for kind, body, stop in items:
        if kind == b"iprp":
            for at, end in _inside(data, body, stop, b"ipco"):
                yield from ((inner, start) for inner, start, _ in boxes(data, at, end))


def _of_primary(data: bytes, items: list[tuple[bytes, int, int]]) -> Iterator[int]:
    """Yield the numbers, from 1 on, of the primary picture's properties."""
    primary = None
    for kind, body, _ in items:
        if kind == b"pitm":
            (primary,) = struct.unpack_from(">I" if data[body] else ">H", data, body + 4)
    for kind, body, stop in items:
        if kind == b"iprp":
            for at, end in _inside(data, body, stop, b"ipma"):
                yield from _associated(data, at, end, primary)


def _associated(data: bytes, at: int, end: int, item: int | None) -> Iterator[int]:
    version, wide = data[at], data[at + 3] & 1
    (entries,) = struct.unpack_from(">I", data, at + 4)
    at += 8
    for _ in range(entries):
        if at >= end:
            return
        (number,) = struct.unpack_from(">I" if version else ">H", data, at)
        at += 4 if version else 2
        count = data[at]
        at += 1
        for _ in range(count):
            if number == item:
                index = int.from_bytes(data[at : at + 1 + wide], "big")
                yield index & (_LARGE if wide else _LARGE >> 8)
            at += 1 + wide
