"""What a file claims that its decoder would act on already while opening it.

Most decoders read a size, and it is checked, before they do anything else. Those below do not:
libwebp gets its canvas's memory when it is opened; libavif and libheif refuse sizes of their own
choice without naming a limit; Pillow lists all strips of a TIFF file; libjpeg goes over all of a
progressive picture once per scan, and a scan takes no more than a hundred bytes.
"""

import re
import struct
from collections.abc import Iterator
from typing import Final

from imaging.decode.boxes import boxes
from imaging.decode.chunks import check_chunks
from imaging.decode.formats import PhotoFormat
from imaging.decode.limits import FIELD, MAX_CHUNKS, PhotoLimits, check_count
from imaging.decode.tiff.directory import read_directory
from imaging.errors import InvalidPhotoError

# Far above what cameras and editors write: the finest usual scan script has 17 scans, a phone's
# HEIC file some 100 boxes.
MAX_BOXES: Final = 10_000
MAX_SCANS: Final = 100
# A scan takes some 4 ms a megapixel: 5 s in all.
MAX_SCANNED_PIXELS: Final = 1_280_000_000
_USUAL_SCANS: Final = 20

_WEBP_HEADER_BYTES: Final = 30
_SCAN: Final = b"\xff\xda"


def check_claims(data: bytes, photo_format: PhotoFormat, limits: PhotoLimits) -> None:
    """Check what a file claims before it is opened.

    Raises:
        InvalidPhotoError: It is made in a way that has no bound.
        PhotoLimitError: It claims too much. A claim that cannot be read is left to the decoder.
    """
    try:
        check_chunks(data, photo_format)
        match photo_format:
            case PhotoFormat.WEBP:
                limits.check_pixels(*_webp_canvas(data))
            case PhotoFormat.AVIF | PhotoFormat.HEIF:
                if _OVERLAY.search(data):
                    raise InvalidPhotoError(
                        "a picture laid over others in its file is not accepted", field=FIELD
                    )
                for size in _box_sizes(data):
                    limits.check_pixels(*size)
            case PhotoFormat.TIFF:
                _check_tiff(data, limits)
            case _:
                pass
    except (
        struct.error,
        OverflowError,
        IndexError,
    ):  # an offset beyond the file, or beyond all files
        return


def check_scans(data: bytes, width_px: int, height_px: int) -> None:
    """Check how often libjpeg would go over a JPEG file's pixels.

    Raises:
        PhotoLimitError: There are too many scans for a picture of that size.
    """
    most = min(max(MAX_SCANNED_PIXELS // (width_px * height_px), _USUAL_SCANS), MAX_SCANS)
    if data.count(_SCAN) > most:  # the count alone is quick
        check_count("scans", _jpeg_scans(data), most)


def _webp_canvas(data: bytes) -> tuple[int, int]:
    if len(data) < _WEBP_HEADER_BYTES:
        return 0, 0
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width, height = (int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
            return width + 1, height + 1
        case _:
            return 0, 0


# An item made of others, each as large as the whole, and of as many as its author likes.
_OVERLAY: Final = re.compile(rb"(?s)infe(?:\x02.{7}|\x03.{9})iovl")

# The boxes that lead to a size, with what stands before the boxes inside (ISO/IEC 14496-12).
_CONTAINERS: Final = {
    b"meta": 4,
    b"stsd": 8,
    **dict.fromkeys((b"iprp", b"ipco", b"moov", b"trak", b"mdia", b"minf", b"stbl"), 0),
}
_SAMPLE_ENTRIES: Final = {b"av01", b"hvc1", b"hev1"}


def _box_sizes(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield every size of a picture or track that the boxes of an AVIF or HEIC file state."""
    count = 0
    spans = [(0, len(data))]
    while spans:
        for kind, body, stop in boxes(data, *spans.pop()):
            count += 1
            check_count("boxes", count, MAX_BOXES)
            if kind in _CONTAINERS:
                spans.append((body + _CONTAINERS[kind], stop))
            elif kind == b"ispe":
                yield struct.unpack_from(">II", data, body + 4)
            elif kind == b"tkhd":
                width, height = struct.unpack_from(">II", data, stop - 8)
                yield width >> 16, height >> 16  # 16.16 fixed point
            elif kind in _SAMPLE_ENTRIES:
                yield struct.unpack_from(">HH", data, body + 24)


_TILE_WIDTH, _TILE_LENGTH = 322, 323


def _check_tiff(data: bytes, limits: PhotoLimits) -> None:
    """Check the first directory of a TIFF file."""
    directory = read_directory(data)
    # libtiff gets a whole tile's memory, however small the picture in it.
    limits.check_pixels(directory.number(_TILE_WIDTH, 0), directory.number(_TILE_LENGTH, 0))


_JPEG_MARKER: Final = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_EOI, _SOS = 0xD9, 0xDA


def _jpeg_scans(data: bytes) -> int:
    """Count the scans of a JPEG file's first picture, as libjpeg would come by them."""
    scans, segments, at = 0, 0, 2
    while scans <= MAX_SCANS and (marker := _JPEG_MARKER.search(data, at)):
        segments += 1
        check_count("chunks", segments, MAX_CHUNKS)
        kind = marker[1][0]
        if kind == _EOI:
            break
        scans += kind == _SOS
        at = marker.end() + max(int.from_bytes(data[marker.end() : marker.end() + 2], "big"), 2)
    return scans
