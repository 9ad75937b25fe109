"""TIFF files of every layout, written byte by byte (TIFF 6.0, BigTIFF), and what they show."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

Samples = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
COLORS: Final = {
    WHITE_IS_ZERO: 1,
    BLACK_IS_ZERO: 1,
    RGB: 3,
    PALETTE: 1,
    CMYK: 4,
    YCBCR: 3,
    LAB: 3,
}
UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2
NONE, LZW, JPEG, DEFLATE, PACKBITS, OLD_DEFLATE = 1, 5, 7, 8, 32773, 32946
UNSIGNED, SIGNED, FLOAT = 1, 2, 3


@dataclass(frozen=True)
class Layout:
    """How a TIFF file is laid out.

    Attributes:
        photometric: What the samples mean.
        bits: Of each sample.
        extra: What each extra sample means.
        names_extra: Whether the file says so, by `ExtraSamples`.
        sample_format: Unsigned, signed or float.
        planar: Whether each sample has a plane of its own.
        tile_px: Sides of a tile; 0: strips.
        strip_rows: Rows of a strip; 0: all.
        compression: How the data are packed.
        predictor: 1 none, 2 horizontal, 3 floating point.
        order: "II" or "MM".
        big: Whether it is BigTIFF.
        low_bit_first: Whether bits are filled from the lowest on (`FillOrder` 2).
        subsampling: Of YCbCr, across and down.
        more: Further tags: tag, type and values.
    """

    photometric: int = RGB
    bits: int = 8
    extra: tuple[int, ...] = ()
    names_extra: bool = True
    sample_format: int = UNSIGNED
    planar: bool = False
    tile_px: int = 0
    strip_rows: int = 0
    compression: int = NONE
    predictor: int = 1
    order: str = "II"
    big: bool = False
    low_bit_first: bool = False
    subsampling: tuple[int, int] = (1, 1)
    more: tuple[tuple[int, int, tuple[int, ...] | bytes], ...] = field(default=())

    @property
    def samples(self) -> int:
        """Samples of a pixel."""
        return COLORS[self.photometric] + len(self.extra)


def write_tiff(samples: Samples, layout: Layout) -> bytes:
    """Return a file of (H, W, S) samples, integers of so many bits or floats."""
    height, width, count = samples.shape
    assert count == layout.samples
    planes = [samples[:, :, [n]] for n in range(count)] if layout.planar else [samples]
    parts = [_packed(part, layout) for plane in planes for part in _parts(plane, layout)]
    short, long = 3, 4
    tags: dict[int, tuple[int, tuple[int, ...] | bytes]] = {
        256: (long, (width,)),
        257: (long, (height,)),
        258: (short, (layout.bits,) * count),
        259: (short, (layout.compression,)),
        262: (short, (layout.photometric,)),
        277: (short, (count,)),
        284: (short, (2 if layout.planar else 1,)),
    }
    if layout.low_bit_first:
        tags[266] = (short, (2,))
    if layout.predictor != 1:
        tags[317] = (short, (layout.predictor,))
    if layout.sample_format != UNSIGNED:
        tags[339] = (short, (layout.sample_format,) * count)
    if layout.extra and layout.names_extra:
        tags[338] = (short, layout.extra)
    if layout.photometric == PALETTE:
        tags[320] = (short, tuple(palette(layout.bits).T.ravel().tolist()))
    if layout.photometric == YCBCR:
        tags[530] = (short, layout.subsampling)
    if layout.tile_px:
        tags[322], tags[323] = (long, (layout.tile_px,)), (long, (layout.tile_px,))
        where, sizes = 324, 325
    else:
        tags[278] = (long, (layout.strip_rows or height,))
        where, sizes = 273, 279
    tags[where], tags[sizes] = (long, (0,) * len(parts)), (long, tuple(map(len, parts)))
    tags |= {tag: (kind, values) for tag, kind, values in layout.more}
    return _file(tags, where, parts, layout)


def _file(
    tags: dict[int, tuple[int, tuple[int, ...] | bytes]],
    where: int,
    parts: list[bytes],
    layout: Layout,
) -> bytes:
    order = "<" if layout.order == "II" else ">"
    offset, number, entry, inline = ("Q", "Q", 20, 8) if layout.big else ("I", "H", 12, 4)
    head = struct.pack(order + "2sH", layout.order.encode(), 43 if layout.big else 42)
    head += struct.pack(order + "HHQ", 8, 0, 16) if layout.big else struct.pack(order + "I", 8)
    behind = len(head) + struct.calcsize(order + number) + entry * len(tags) + inline
    # First the values that do not fit, then the pixels.
    sizes = {tag: _width(kind) * len(values) for tag, (kind, values) in tags.items()}
    at, places = behind, {}
    for tag, size in sorted(sizes.items()):
        if size > inline:
            places[tag] = at
            at += size + size % 2
    starts = []
    for part in parts:
        starts.append(at)
        at += len(part) + len(part) % 2
    tags[where] = (4, tuple(starts))
    directory, values_behind = struct.pack(order + number, len(tags)), b""
    for tag, (kind, values) in sorted(tags.items()):
        packed = (
            values
            if isinstance(values, bytes)
            else struct.pack(f"{order}{len(values)}{_LETTERS[kind]}", *values)
        )
        directory += struct.pack(f"{order}HH{offset}", tag, kind, len(values))
        if tag in places:
            directory += struct.pack(order + offset, places[tag])
            values_behind += packed + bytes(len(packed) % 2)
        else:
            directory += packed.ljust(inline, b"\0")
    pixels = b"".join(part + bytes(len(part) % 2) for part in parts)
    return head + directory + bytes(inline) + values_behind + pixels


_LETTERS: Final = {1: "B", 2: "B", 3: "H", 4: "I", 7: "B", 16: "Q"}


def _width(kind: int) -> int:
    return struct.calcsize("<" + _LETTERS[kind])


def _parts(plane: Samples, layout: Layout) -> Iterator[Samples]:
    height, width = plane.shape[:2]
    if not layout.tile_px:
        rows = layout.strip_rows or height
        yield from (plane[y : y + rows] for y in range(0, height, rows))
        return
    side = layout.tile_px
    for y in range(0, height, side):
        for x in range(0, width, side):
            tile = plane[y : y + side, x : x + side]
            pad = ((0, side - tile.shape[0]), (0, side - tile.shape[1]), (0, 0))
            yield np.pad(tile, pad, mode="edge")


def _packed(part: Samples, layout: Layout) -> bytes:
    if layout.compression == JPEG:
        return _jpeg(part, layout)
    data = _compressed(_bytes(part, layout), part.shape[0], layout)
    if layout.low_bit_first:
        # Of the data as they are in the file, compressed or not, as libtiff has it.
        data = np.packbits(
            np.unpackbits(np.frombuffer(data, np.uint8)), bitorder="little"
        ).tobytes()
    return data


def _compressed(data: bytes, rows: int, layout: Layout) -> bytes:
    match layout.compression:
        case 1:
            return data
        case 5:
            return lzw(data)
        case 8 | 32946:
            return zlib.compress(data)
        case 32773:
            return packbits(data, len(data) // rows)
    raise ValueError(layout.compression)


def _bytes(part: Samples, layout: Layout) -> bytes:
    height = part.shape[0]
    order = "<" if layout.order == "II" else ">"
    if layout.photometric == YCBCR and layout.subsampling != (1, 1):
        return _subsampled(part, layout.subsampling)
    if layout.sample_format == FLOAT:
        floats = part.astype(f"<f{layout.bits // 8}")
        if layout.predictor == 3:
            return b"".join(_float_predicted(row) for row in floats)
        return floats.astype(f"{order}f{layout.bits // 8}").tobytes()
    if layout.bits in (8, 16, 32):
        wide = part.astype(np.int64).astype(f"u{layout.bits // 8}")
        if layout.predictor == 2:
            wide[:, 1:] = wide[:, 1:] - wide[:, :-1]
        return wide.astype(f"{order}u{layout.bits // 8}").tobytes()
    assert layout.predictor == 1
    shifts = np.arange(layout.bits - 1, -1, -1)
    bits = part.astype(np.uint32).reshape(height, -1, 1) >> shifts & 1
    return np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1).tobytes()


def _float_predicted(row: Samples) -> bytes:
    """Technical note 3: bytes by their weight, most significant first, then differences."""
    count = row.shape[-1]
    by_weight = row.astype(">f4").view(np.uint8).reshape(-1, 4).T.ravel()
    flat = by_weight.copy()
    flat[count:] = by_weight[count:] - by_weight[:-count]
    return flat.tobytes()


def _subsampled(part: Samples, subsampling: tuple[int, int]) -> bytes:
    across, down = subsampling
    height, width = part.shape[:2]
    pad = ((0, -height % down), (0, -width % across), (0, 0))
    whole = np.pad(part, pad, mode="edge").astype(np.float64)
    rows, columns = whole.shape[0] // down, whole.shape[1] // across
    blocks = whole.reshape(rows, down, columns, across, 3).transpose(0, 2, 1, 3, 4)
    luma = blocks[..., 0].reshape(rows, columns, -1)
    chroma = blocks[..., 1:].mean(axis=(2, 3))
    return np.concatenate((luma, chroma), axis=2).round().astype(np.uint8).tobytes()


def _jpeg(part: Samples, layout: Layout) -> bytes:
    buffer = BytesIO()
    pixels = part.astype(np.uint8)
    options: dict[str, Any] = {"quality": 97}
    if pixels.shape[2] == 1:
        image = Image.fromarray(pixels[:, :, 0])
    elif pixels.shape[2] == 4:
        # Pillow inverts inks while it writes, as Adobe's JPEG files have them; TIFF has not.
        image = Image.fromarray(255 - pixels, "CMYK")
    elif layout.photometric == YCBCR:
        image = Image.fromarray(pixels, "YCbCr").convert("RGB")
        options["subsampling"] = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0"}[
            layout.subsampling
        ]
    else:
        image = Image.fromarray(pixels)
        options["keep_rgb"] = True
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def packbits(data: bytes, row_bytes: int) -> bytes:
    """Pack row by row: runs where there are any, else copies."""
    out = b""
    for start in range(0, len(data), row_bytes):
        row = data[start : start + row_bytes]
        at = 0
        while at < len(row):
            run = 1
            while run < 128 and at + run < len(row) and row[at + run] == row[at]:
                run += 1
            if run > 1:
                out += bytes((257 - run, row[at]))
                at += run
                continue
            end = at + 1
            while end < len(row) and end - at < 128 and row[end - 1 : end] != row[end : end + 1]:
                end += 1
            out += bytes((end - at - 1,)) + row[at:end]
            at = end
    return out


_WIDER_AT: Final = (512, 1024, 2048)


def lzw(data: bytes) -> bytes:
    """Pack as TIFF 6.0 has it, section 13: codes of 9 to 12 bits, the highest bit first."""
    clear, end = 256, 257
    bits, width, table = [], 9, {bytes((n,)): n for n in range(256)}
    following = 258

    def put(code: int) -> None:
        bits.append(f"{code:0{width}b}")

    put(clear)
    word = b""
    for value in data:
        longer = word + bytes((value,))
        if longer in table:
            word = longer
            continue
        put(table[word])
        table[longer] = following
        following += 1
        if following in _WIDER_AT:
            width += 1
        elif following == 4095:
            put(clear)
            table = {bytes((n,)): n for n in range(256)}
            following, width = 258, 9
        word = bytes((value,))
    if word:
        put(table[word])
        following += 1
        width += following in _WIDER_AT
    put(end)
    stream = "".join(bits)
    stream += "0" * (-len(stream) % 8)
    return int(stream, 2).to_bytes(len(stream) // 8, "big")


def palette(bits: int) -> npt.NDArray[np.uint16]:
    """Return the (2**bits, 3) colours of the palettes here, 16 bits each."""
    levels = np.arange(2**bits) * 65535 // (2**bits - 1)
    return np.stack((levels, 65535 - levels, levels // 2), axis=1).astype(np.uint16)
