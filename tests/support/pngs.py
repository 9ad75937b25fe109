"""PNG files of every kind, written byte by byte (PNG, third edition), and what they show."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tests.support.pictures import png_chunk

Samples = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
SAMPLES: Final = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
BITS: Final = {
    GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16),
    RGBA: (8, 16),
}  # fmt: skip
# The passes of Adam7: where each begins and how far its pixels lie apart.
_PASSES: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                  (1, 0, 2, 2), (0, 1, 1, 2))  # fmt: skip
WIDTH_PX, HEIGHT_PX = 45, 37


@dataclass(frozen=True)
class Kind:
    """A kind of PNG file.

    Attributes:
        color: Its colour type.
        bits: Of each sample.
        keyed: Whether one colour, or some of the palette, is transparent (`tRNS`).
        interlaced: Whether it comes in seven passes.
    """

    color: int
    bits: int
    keyed: bool
    interlaced: bool

    @property
    def name(self) -> str:
        """Return a test's name."""
        color = {0: "grey", 2: "rgb", 3: "palette", 4: "grey-alpha", 6: "rgba"}[self.color]
        return f"{color}{self.bits}{'-trns' * self.keyed}{'-interlaced' * self.interlaced}"


def kinds() -> Iterator[Kind]:
    """Yield every kind."""
    for color, depths in BITS.items():
        for bits in depths:
            for keyed in (False, True) if color in {GREY, RGB, PALETTE} else (False,):
                for interlaced in (False, True):
                    yield Kind(color, bits, keyed, interlaced)


def samples_of(kind: Kind) -> Samples:
    """Return (H, W, S) whole numbers: gradients, different whichever way they are read wrongly."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX] / (HEIGHT_PX, WIDTH_PX)[0]
    x = x * HEIGHT_PX / WIDTH_PX
    channels = np.stack((x, 1 - y, (x + y) / 2, np.clip(1.5 - y - x / 2, 0, 1)), axis=2)
    if kind.color in (GREY, GREY_ALPHA):
        channels = channels[..., [0, 3]]
    most = 2**kind.bits - 1
    return np.asarray((channels[..., : SAMPLES[kind.color]] * most).round(), np.int64)


def key_of(kind: Kind) -> tuple[int, ...]:
    """Return the colour that is transparent: one that the picture has."""
    return tuple(samples_of(kind)[HEIGHT_PX // 2, WIDTH_PX // 2].tolist())


def palette(bits: int) -> npt.NDArray[np.uint8]:
    """Return (2**bits, 4) uint8: colours and alpha."""
    level = np.arange(2**bits) * 255 // (2**bits - 1)
    return np.stack((level, 255 - level, level // 2, 255 - level // 2), axis=1).astype(np.uint8)


def write_png(kind: Kind) -> bytes:
    """Return the file."""
    header = struct.pack(
        ">IIBBBBB", WIDTH_PX, HEIGHT_PX, kind.bits, kind.color, 0, 0, kind.interlaced
    )
    chunks = [png_chunk(b"IHDR", header)]
    if kind.color == PALETTE:
        chunks.append(png_chunk(b"PLTE", palette(kind.bits)[:, :3].tobytes()))
        if kind.keyed:
            chunks.append(png_chunk(b"tRNS", palette(kind.bits)[:, 3].tobytes()))
    elif kind.keyed:
        key = key_of(kind)
        chunks.append(png_chunk(b"tRNS", struct.pack(f">{len(key)}H", *key)))
    samples = samples_of(kind)
    steps = _PASSES if kind.interlaced else ((0, 0, 1, 1),)
    parts = [samples[y::down, x::across] for x, y, across, down in steps]
    lines = b"".join(_lines(part, kind.bits) for part in parts if part.size)
    data = zlib.compress(lines)
    chunks += [png_chunk(b"IDAT", data[:500]), png_chunk(b"IDAT", data[500:])]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + png_chunk(b"IEND", b"")


def _lines(part: Samples, bits: int) -> bytes:
    rows = part.reshape(len(part), -1, 1)
    singly = (rows >> np.arange(bits - 1, -1, -1) & 1).astype(np.uint8)
    packed = np.packbits(singly.reshape(len(part), -1), axis=1)
    return np.pad(packed, ((0, 0), (1, 0))).tobytes()


def shown_by(kind: Kind) -> Floats:
    """Return (H, W, 4) of 0 to 255: colours, not premultiplied, and alpha."""
    samples = samples_of(kind)
    if kind.color == PALETTE:
        entries = palette(kind.bits)[samples[..., 0]].astype(np.float64)
        if not kind.keyed:
            entries[..., 3] = 255
        return entries
    values = samples * 255 / (2**kind.bits - 1)
    alpha = np.full((HEIGHT_PX, WIDTH_PX, 1), 255.0)
    if kind.color in (GREY_ALPHA, RGBA):
        values, alpha = values[..., :-1], values[..., -1:]
    if kind.keyed:
        alpha[(samples == key_of(kind)).all(axis=2)] = 0
    colors = values if values.shape[2] == 3 else values.repeat(3, axis=2)
    return np.concatenate((colors, alpha), axis=2)
