"""The bytes of a TIFF file's strips or tiles, unpacked: libtiff, by way of Pillow, does the work.

What it is given is a file made here that holds nothing but bytes, one sample of 8 bits each: so it
neither sees the tags of the stranger's file nor has a say in what the bytes mean.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, TiffImagePlugin

from imaging.decode.limits import check_count
from imaging.decode.tiff.directory import broken
from imaging.decode.tiff.layout import Layout, Packing, Photometric
from imaging.types import Pixels

# Of 64 megapixels, four samples of 16 bits in a single strip.
MAX_STRIP_BYTES: Final = 2**29
_BLOCK_BYTES: Final = 2**20
Tags = Mapping[int, tuple[int, ...] | bytes]

_LONG, _UNDEFINED = 4, 7
_BLACK_IS_ZERO: Final = 1
_JPEG_TABLES: Final = 347
_FAX_OPTIONS: Final = 292, 293
_INLINE_BYTES: Final = 4
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def parts_of(layout: Layout) -> list[memoryview]:
    """Return the packed bytes of each strip or tile that the picture needs, in the file's order.

    Raises:
        InvalidPhotoError: They lie beyond the file, or it does not say where they are.
    """
    directory = layout.directory
    where, lengths = (324, 325) if 324 in directory.entries else (273, 279)  # noqa: PLR2004
    starts, sizes = directory.numbers(where), directory.numbers(lengths)
    needed = layout.parts_across * layout.parts_down * (layout.samples if layout.planar else 1)
    if len(starts) < needed:
        raise broken(f"it has {len(starts)} strips or tiles; its picture needs {needed}")
    view = memoryview(directory.data)
    if len(sizes) < needed:
        if needed > 1 and layout.packing is not Packing.NONE:
            raise broken("it does not say how long its strips or tiles are")
        sizes = (len(view),) * needed
    elif layout.packing is Packing.NONE and needed == 1:
        sizes = (len(view),)  # a length that is wrong does no harm where no other part follows
    elif sum(sizes[:needed]) > len(view):
        raise broken("its strips or tiles overlap")
    return [
        view[start : start + size]
        for start, size in zip(starts[:needed], sizes[:needed], strict=True)
    ]


def unpacked(
    layout: Layout, parts: Sequence[memoryview], row_bytes: int, rows: int, height: int
) -> Iterator[Pixels]:
    """Unpack some rows of parts.

    Args:
        layout: The file's layout, of any packing but JPEG's and the faxes'.
        parts: The parts, row by row.
        row_bytes: Bytes of a part's row.
        rows: Rows of a part.
        height: Rows of all together, of which a strip at the end may have fewer.

    Yields:
        (some rows, parts across, row_bytes) uint8, height rows in all.

    Raises:
        InvalidPhotoError: Bytes are missing.
        PhotoLimitError: A single strip, or row of tiles, is too large.
        OSError: A part is broken.
    """
    across = layout.parts_across
    few = max(_BLOCK_BYTES // (row_bytes * across), 1)
    if layout.packing is Packing.NONE:
        whole = _plain(layout, parts, row_bytes, rows, height)
        yield from (whole[y : y + few] for y in range(0, height, few))
        return
    check_count("bytes in a strip, unpacked", row_bytes * across * height, MAX_STRIP_BYTES)
    tags = {262: (_BLACK_IS_ZERO,), 258: (8,), 277: (1,)}
    image = _opened(layout, parts, tags, (row_bytes * across, height), (row_bytes, rows))
    for y in range(0, height, few):
        block = image.crop((0, y, image.width, min(y + few, height)))
        yield np.asarray(block).reshape(-1, across, row_bytes)


def _plain(
    layout: Layout, parts: Sequence[memoryview], row_bytes: int, rows: int, height: int
) -> Pixels:
    """Return parts that are not packed, (height, parts across, row_bytes)."""
    across, part_bytes = layout.parts_across, rows * row_bytes
    whole = parts[0] if len(parts) == 1 else b"".join(part[:part_bytes] for part in parts)
    flat = np.frombuffer(whole, np.uint8)[: height * across * row_bytes]
    if len(flat) < height * across * row_bytes:
        raise broken("its pixels end before the picture does")
    if layout.low_bit_first:
        flat = np.frombuffer(flat.tobytes().translate(_REVERSED), np.uint8)
    if across == 1:
        return flat.reshape(height, 1, row_bytes)
    tiles = flat.reshape(height // rows, across, rows, row_bytes)
    return np.ascontiguousarray(tiles.transpose(0, 2, 1, 3)).reshape(height, across, row_bytes)


def opened(layout: Layout, parts: Sequence[memoryview]) -> Image.Image:
    """Return a picture whose parts are JPEG streams or faxes: these know their colours themselves.

    Raises:
        OSError: A part is broken.
    """
    photometric = layout.photometric
    if photometric is Photometric.WHITE_IS_ZERO:
        photometric = Photometric.BLACK_IS_ZERO  # the samples as they are
    tags: dict[int, tuple[int, ...] | bytes] = {
        258: (layout.bits,) * layout.samples,
        262: (photometric,),
        277: (layout.samples,),
    }
    if photometric is Photometric.YCBCR:
        tags[530] = layout.subsampling
    if tables := layout.directory.text(_JPEG_TABLES):
        tags[_JPEG_TABLES] = tables
    for tag in _FAX_OPTIONS:
        if values := layout.directory.numbers(tag):
            tags[tag] = values[:1]
    size = layout.width_px, layout.height_px
    return _opened(layout, parts, tags, size, (layout.part_width_px, layout.part_rows))


def _opened(
    layout: Layout,
    parts: Sequence[memoryview],
    tags: Tags,
    size: tuple[int, int],
    part: tuple[int, int],
) -> Image.Image:
    """Open a file that is made of the parts, and of nothing else that strangers wrote."""
    where, lengths = (324, 325) if layout.tiled else (273, 279)
    every: dict[int, tuple[int, ...] | bytes] = {
        256: size[:1],
        257: size[1:],
        259: (layout.packing,),
        where: (0,) * len(parts),
        lengths: tuple(map(len, parts)),
        **({322: part[:1], 323: part[1:]} if layout.tiled else {278: part[1:]}),
        **({266: (2,)} if layout.low_bit_first else {}),
        **tags,
    }
    image = TiffImagePlugin.TiffImageFile(BytesIO(_written(every, where, parts)))
    # Pillow would count these bytes as pixels, of which it allows fewer.
    image.im = Image.new(image.mode, image.size).im
    image.load()
    return image


def _written(tags: Tags, where: int, parts: Sequence[memoryview]) -> bytes:
    """Write a little-endian TIFF file: directory, values that do not fit in it, parts."""
    at = 8 + 2 + 12 * len(tags) + 4
    entries, values_behind = b"", b""
    starts_at = 0
    for tag, values in sorted(tags.items()):
        raw = isinstance(values, bytes)
        packed = values if isinstance(values, bytes) else struct.pack(f"<{len(values)}I", *values)
        entries += struct.pack("<HHI", tag, _UNDEFINED if raw else _LONG, len(values))
        if tag == where:
            starts_at = len(entries) if len(packed) <= _INLINE_BYTES else -len(values_behind) - 1
        if len(packed) <= _INLINE_BYTES:
            entries += packed.ljust(_INLINE_BYTES, b"\0")
        else:
            entries += struct.pack("<I", at + len(values_behind))
            values_behind += packed + bytes(len(packed) % 2)
    file = bytearray(struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4))
    file += values_behind
    starts, start = [], len(file)
    for part in parts:
        starts.append(start)
        start += len(part)
    place = 10 + starts_at if starts_at >= 0 else at - starts_at - 1
    struct.pack_into(f"<{len(starts)}I", file, place, *starts)
    return bytes(file) + b"".join(parts)
