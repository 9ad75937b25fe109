"""Files whose headers claim what their data do not have."""

import re
import struct
from collections.abc import Sequence

import numpy as np

from tests.support.pictures import encode, png_chunk, product_photo


def png_with(chunk: bytes) -> bytes:
    """Return a good PNG file with one more chunk behind its header."""
    data = encode(product_photo())
    return data[:33] + chunk + data[33:]


def claiming_jpeg(width: int, height: int) -> bytes:
    """Return a JPEG file that claims a size, 65535 a side at most: the field has 16 bits."""
    data = bytearray(encode(product_photo(), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_of_scans(scans: int) -> bytes:
    """Return a progressive JPEG file whose last scan is there many times."""
    return with_scans(encode(product_photo(), "JPEG", progressive=True), scans)


def with_scans(data: bytes, scans: int) -> bytes:
    """Return a progressive JPEG file with its last scan there so often that it has as many."""
    scans -= data.count(b"\xff\xda") - 1
    at = data.rindex(b"\xff\xda")
    return data[:at] + data[at:-2] * scans + data[-2:]


def claiming_webp(width: int, height: int) -> bytes:
    """Return a WebP file that claims a canvas, 2 to the 24 a side at most."""
    rgba = np.dstack([product_photo(), np.full((90, 120), 9, np.uint8)])
    data = bytearray(encode(rgba, "WEBP"))
    assert data[12:16] == b"VP8X"
    data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def claiming_gif(width: int, height: int, frame: tuple[int, int] | None = None) -> bytes:
    """Return a GIF file that claims a screen, and maybe a frame; 65535 a side at most."""
    data = bytearray(encode(product_photo(), "GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    if frame is not None:
        at = data.index(b"," + struct.pack("<HHHH", 0, 0, 120, 90))
        data[at + 5 : at + 9] = struct.pack("<HH", *frame)
    return bytes(data)


def claiming_bmp(width: int, height: int) -> bytes:
    """Return a BMP file that claims a size."""
    data = bytearray(encode(product_photo(), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def claiming_boxes(data: bytes, width: int, height: int) -> bytes:
    """Return an AVIF or HEIC file with another size in all its `ispe` boxes."""
    changed = re.sub(rb"(?s)(?<=ispe\0\0\0\0).{8}", struct.pack(">II", width, height), data)
    assert changed != data
    return changed


def tiff(entries: Sequence[tuple[int, int, int, int]], data: bytes = b"") -> bytes:
    """Return a TIFF file of one directory: tag, type, count, value or offset of each entry.

    The data lie behind the directory, from byte 14 + 12 * len(entries) on.
    """
    directory = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    count = struct.pack("<H", len(entries))
    return b"II*\0\x08\0\0\0" + count + directory + bytes(4) + data


SHORT, LONG, BYTES = 3, 4, 7
STRIP_OFFSETS = 273


def claiming_tiff(
    width: int, height: int, *more: tuple[int, int, int, int], compression: int = 1
) -> bytes:
    """Return an 8-bit grey TIFF file that claims a size and whatever else."""
    entries = [
        (256, LONG, 1, width),
        (257, LONG, 1, height),
        (258, SHORT, 1, 8),
        (259, SHORT, 1, compression),
        (262, SHORT, 1, 1),
        (STRIP_OFFSETS, LONG, 1, 0),
        (277, SHORT, 1, 1),
        (279, LONG, 1, 1000),
    ]
    replaced = {entry[0] for entry in more}
    entries = [entry for entry in entries if entry[0] not in replaced]
    # The strip is where the data begin, unless it is to be elsewhere.
    data_at = 14 + 12 * (len(entries) + len(more))
    entries = [(*entry[:3], data_at) if entry[0] == STRIP_OFFSETS else entry for entry in entries]
    return tiff([*entries, *more], bytes(1000))


def big_tiff(width: int, height: int) -> bytes:
    """Return the same as BigTIFF."""
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1)]
    entries += [(262, 3, 1, 1), (273, 4, 1, 16), (277, 3, 1, 1), (279, 4, 1, 1000)]
    directory = b"".join(struct.pack("<HHQQ", *entry) for entry in entries)
    head = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16)
    return head + struct.pack("<Q", len(entries)) + directory + bytes(1008)


def with_item(data: bytes, kind: bytes) -> bytes:
    """Return an HEIC file whose picture claims to be an item of another kind."""
    assert b"hvc1" in data
    return re.sub(rb"(?s)(infe.{8})hvc1", rb"\1" + kind, data)


def jpeg_of_segments(size_bytes: int) -> bytes:
    """Return a JPEG file with empty segments before its picture."""
    data = encode(product_photo(), "JPEG")
    return data[:2] + b"\xff\xe5\0\2" * (size_bytes // 4) + data[2:]


def jpeg_of_filling(size_bytes: int) -> bytes:
    """Return a JPEG file with filling before its first marker."""
    data = encode(product_photo(), "JPEG")
    return data[:2] + b"\xff" * size_bytes + data[2:]


def png_of_chunks(size_bytes: int) -> bytes:
    """Return a PNG file with empty chunks before its picture."""
    return png_with(png_chunk(b"abCd", b"") * (2 * size_bytes // 12))


def png_of_idat(size_bytes: int) -> bytes:
    """Return a PNG file whose picture's data begin with empty chunks."""
    return png_with(png_chunk(b"IDAT", b"") * (2 * size_bytes // 12))


def gif_of_extensions(size_bytes: int) -> bytes:
    """Return a GIF file with small extensions before its picture."""
    data = encode(product_photo(), "GIF")
    at = 13 + (3 << ((data[10] & 7) + 1))
    return data[:at] + b"\x21\xf1\x01a\0" * (size_bytes // 5) + data[at:]


def gif_of_zeros(size_bytes: int) -> bytes:
    """Return a GIF file with zeros before its picture."""
    data = encode(product_photo(), "GIF")
    at = 13 + (3 << ((data[10] & 7) + 1))
    return data[:at] + bytes(size_bytes) + data[at:]


OF_MANY_CHUNKS = (
    *(jpeg_of_segments, jpeg_of_filling, png_of_chunks, png_of_idat),
    *(gif_of_extensions, gif_of_zeros),
)
