"""How many parts a JPEG, PNG or GIF file is cut into: Pillow reads each by itself, in Python.

A part takes as little as one byte of the file and a microsecond of a processor that no other photo
then has, so that a file well below the limit of bytes would hold up all others for ten seconds.
"""

import re
import struct
from collections.abc import Iterator
from typing import Final

from imaging.decode.formats import PhotoFormat
from imaging.decode.limits import MAX_CHUNKS, check_count

_SOS: Final = 0xDA
# Markers that stand alone; all others are followed by their length (ITU-T T.81, table B.1).
_ALONE: Final = {0x01, *range(0xD0, 0xDA)}
# The last byte of the filling and what follows it: a pattern for all of the filling would try each
# of its bytes as the first, and a file of nothing else would take the square of its length.
_MARKER: Final = re.compile(rb"\xff([^\x00\xff])")


def check_chunks(data: bytes, photo_format: PhotoFormat) -> None:
    """Check a file's number of parts; one that cannot be followed to its end is the decoder's.

    Raises:
        PhotoLimitError: There are too many.
        struct.error: The file ends within a part.
    """
    match photo_format:
        case PhotoFormat.JPEG:
            parts = _jpeg_segments(data)
        case PhotoFormat.PNG:
            parts = _png_chunks(data)
        case PhotoFormat.GIF:
            parts = _gif_blocks(data)
        case _:
            return
    chunks = 0
    for part in parts:
        chunks += part
        check_count("chunks", chunks, MAX_CHUNKS)


def _jpeg_segments(data: bytes) -> Iterator[int]:
    """Yield, for each segment before the first scan, how many parts it and the filling make."""
    at = 2
    while marker := _MARKER.search(data, at):
        yield marker.start(1) - at
        kind = marker[1][0]
        if kind == _SOS:
            return
        at = marker.end()
        if kind not in _ALONE:
            at += max(int.from_bytes(data[at : at + 2], "big"), 2)
    yield len(data) - at


def _png_chunks(data: bytes) -> Iterator[int]:
    at = 8
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield 1
        at += 12 + size


_TABLE, _IMAGE, _EXTENSION = 0x80, 0x2C, 0x21


def _gif_blocks(data: bytes) -> Iterator[int]:
    """Yield one for each block before the first picture, and for what lies between them."""
    at = 13 + _table_bytes(data[10])
    while at < len(data) and data[at] != _IMAGE:
        yield 1
        if data[at] != _EXTENSION:
            at += 1
            continue
        at += 2
        while at < len(data) and data[at]:
            yield 1
            at += 1 + data[at]
        at += 1


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & _TABLE else 0
