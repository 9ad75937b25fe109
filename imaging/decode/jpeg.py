"""What a JPEG file is (ITU-T T.81), and whether all of a picture is there whose end is missing."""

import hashlib
import re
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

_MARKER: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_END: Final = b"\xff\xd9"
_EOI, _SOS, _DRI, _TEM = 0xD9, 0xDA, 0xDD, 0x01
_FRAMES: Final = {
    0xC0: "baseline",
    0xC1: "extended",
    0xC2: "progressive",
    0xC3: "lossless",
    0xC5: "hierarchical",
    0xC6: "hierarchical",
    0xC7: "hierarchical lossless",
    0xC9: "arithmetically coded",
    0xCA: "progressive, arithmetically coded",
    0xCB: "lossless, arithmetically coded",
    0xCD: "hierarchical, arithmetically coded",
    0xCE: "hierarchical, arithmetically coded",
    0xCF: "hierarchical, arithmetically coded",
}
_PROGRESSIVE: Final = {0xC2, 0xCA}
_READ: Final = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_READ_COMPONENTS: Final = {1, 3, 4}
_BYTE_BITS: Final = 8
_COEFFICIENTS: Final = 64
_MOST_SEGMENTS: Final = 10_000
# Any bytes without a marker among them: whoever decodes them sees noise.
_NOISE: Final = hashlib.shake_128(b"JPEG").digest(512).replace(b"\xff", b"\x7f")


@dataclass(frozen=True, slots=True)
class _Component:
    number: int
    across: int
    down: int


@dataclass(frozen=True, slots=True)
class _Frame:
    kind: int
    bits: int
    width_px: int
    height_px: int
    components: tuple[_Component, ...]


@dataclass(slots=True)
class _Structure:
    """A file's frame and scans, as far as they can be followed.

    Attributes:
        frame: The first frame; None before it.
        missing: Of each component and coefficient, the bits that no scan has brought yet; -1 for
            all of them.
        interval: Blocks between restart markers; 0 for none.
        last: The last scan's components.
        last_at: Where its data begin; 0 before any.
    """

    frame: _Frame | None = None
    missing: dict[int, list[int]] | None = None
    interval: int = 0
    last: tuple[int, ...] = ()
    last_at: int = 0


def unread(data: bytes) -> str | None:
    """Tell in words what kind of JPEG file is one that is not read; None for one that is."""
    frame = _structure(data, frame_only=True).frame
    if frame is None:
        return None
    count = len(frame.components)
    words = f"a {frame.bits}-bit, {_FRAMES[frame.kind]} JPEG file of {count} components"
    if frame.bits != _BYTE_BITS:
        return f"{words}; of JPEG, 8 bits are read"
    if frame.kind not in _READ:
        return f"{words}; of JPEG, baseline, extended and progressive are read"
    if count not in _READ_COMPONENTS:
        return f"{words}; of JPEG, 1, 3 and 4 components are read"
    return None


def has_end(data: bytes) -> bool:
    """Tell whether a JPEG file that could be decoded has its end marker."""
    if data.endswith(_END) or data.rfind(_END, len(data) // 2) >= 0:
        return True
    return data.find(_END, _structure(data).last_at) >= 0


def without_end(data: bytes) -> JpegImageFile | None:
    """Load a JPEG file whose end is missing, if nothing of its picture is.

    What comes behind the last block has no effect on a picture. So the file is decoded twice, once
    as if it ended here and once with noise behind it: if blocks are missing, noise takes their
    place.

    Args:
        data: The file, without its end marker.

    Returns:
        The picture, loaded; None if some of it is missing.

    Raises:
        OSError: It is broken in another way.
    """
    data = data.rstrip(b"\xff")
    if not _has_every_scan(data):
        return None
    picture, noisy = (JpegImageFile(BytesIO(data + more + _END)) for more in (b"", _NOISE))
    picture.load()
    noisy.load()
    same = np.array_equal(np.asarray(picture), np.asarray(noisy))
    return picture if same else None


def _has_every_scan(data: bytes) -> bool:
    """Tell whether no scan is missing, nor a part of the last one that stands between markers."""
    structure = _structure(data)
    frame, missing = structure.frame, structure.missing
    if frame is None or missing is None or any(any(bits) for bits in missing.values()):
        return False
    if not structure.interval:
        return True
    restarts = sum(data.count(bytes((0xFF, 0xD0 + n)), structure.last_at) for n in range(8))
    units = _units(frame, structure.last)
    return restarts >= -(-units // structure.interval) - 1


def _units(frame: _Frame, scan: tuple[int, ...]) -> int:
    """Return how many groups of blocks a scan has (T.81, A.2)."""
    across = max(each.across for each in frame.components)
    down = max(each.down for each in frame.components)
    if len(scan) == 1:
        one = next(each for each in frame.components if each.number == scan[0])
        return _blocks(frame.width_px * one.across, across) * _blocks(
            frame.height_px * one.down, down
        )
    return _blocks(frame.width_px, across) * _blocks(frame.height_px, down)


def _blocks(length: int, factor: int) -> int:
    return -(-length // (8 * factor))


def _structure(data: bytes, *, frame_only: bool = False) -> _Structure:
    """Follow a file's segments up to its end, or up to its frame."""
    found = _Structure()
    at = 2
    for _ in range(_MOST_SEGMENTS):
        marker = _MARKER.search(data, at)
        if marker is None:
            return found
        kind, at = marker[1][0], marker.end()
        if kind == _EOI:
            return found
        if kind == _TEM:
            continue
        size = int.from_bytes(data[at : at + 2], "big")
        body = data[at + 2 : at + size]
        at += max(size, 2)
        try:
            if kind in _FRAMES and found.frame is None:
                found.frame = _read_frame(kind, body)
                found.missing = {
                    each.number: [-1] * _COEFFICIENTS for each in found.frame.components
                }
                if frame_only:
                    return found
            elif kind == _DRI:
                found.interval = int.from_bytes(body[:2], "big")
            elif kind == _SOS:
                _read_scan(body, found)
                found.last_at = at
        except (IndexError, KeyError):
            return found
    return found


def _read_frame(kind: int, body: bytes) -> _Frame:
    components = tuple(
        _Component(body[n], max(body[n + 1] >> 4, 1), max(body[n + 1] & 15, 1))
        for n in range(6, 6 + 3 * body[5], 3)
    )
    height_px, width_px = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    return _Frame(kind, body[0], width_px, height_px, components)


def _read_scan(body: bytes, found: _Structure) -> None:
    if found.frame is None or found.missing is None:
        raise KeyError("no frame")
    count = body[0]
    found.last = tuple(body[1 + 2 * n] for n in range(count))
    first, last, low = body[1 + 2 * count], body[2 + 2 * count], body[3 + 2 * count] & 15
    if found.frame.kind not in _PROGRESSIVE:
        first, last, low = 0, _COEFFICIENTS - 1, 0
    for number in found.last:
        for coefficient in range(first, min(last, _COEFFICIENTS - 1) + 1):
            found.missing[number][coefficient] = low
