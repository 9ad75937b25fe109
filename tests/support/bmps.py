"""BMP files of every header, depth and mask, written byte by byte, and what they show."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]

NONE, RLE8, RLE4, MASKS, MASKS_WITH_ALPHA = 0, 1, 2, 3, 6
CORE, INFO, V2, V3, OS2, V4, V5 = 12, 40, 52, 56, 64, 108, 124
_FORMS: Final = {
    # Bits, and masks of red, green, blue and alpha.
    "565": (16, (0xF800, 0x7E0, 0x1F, 0)),
    "555": (16, (0x7C00, 0x3E0, 0x1F, 0)),
    "4444": (16, (0xF00, 0xF0, 0xF, 0xF000)),
    "1555": (16, (0x7C00, 0x3E0, 0x1F, 0x8000)),
    "bgrx": (32, (0xFF0000, 0xFF00, 0xFF, 0)),
    "rgbx": (32, (0xFF, 0xFF00, 0xFF0000, 0)),
    "xbgr": (32, (0xFF000000, 0xFF0000, 0xFF00, 0)),
    "bgra": (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    "rgba": (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
    "abgr": (32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF)),
    "2101010": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000)),
    "101010": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0)),
}
WIDTH_PX, HEIGHT_PX = 45, 37


@dataclass(frozen=True)
class Kind:
    """A kind of BMP file.

    Attributes:
        header: Bytes of its header.
        bits: Of a pixel.
        compression: How it is packed.
        form: The name of its masks; empty for none.
        from_above: Whether its first row is the uppermost.
        clear: Whether its alpha is zero all over, as programs write it that know of none.
    """

    header: int
    bits: int
    compression: int = NONE
    form: str = ""
    from_above: bool = False
    clear: bool = False

    @property
    def name(self) -> str:
        """Return a test's name."""
        return "-".join(
            filter(None, (f"header{self.header}", f"{self.bits}bit", self.form,
                          "alphabitfields" * (self.compression == MASKS_WITH_ALPHA),
                          "above" * self.from_above, "clear" * self.clear))
        )  # fmt: skip


def kinds() -> Iterator[Kind]:
    """Yield every kind that is read."""
    for header in (CORE, INFO, V2, V3, OS2, V4, V5):
        for bits in (1, 4, 8, 24) if header == CORE else (1, 4, 8, 16, 24, 32):
            for from_above in (False,) if header == CORE else (False, True):
                yield Kind(header, bits, from_above=from_above)
    for header in (INFO, V2, V3, V4, V5):
        for form, (bits, masks) in _FORMS.items():
            for from_above in (False, True):
                if not masks[3] or header >= V3:
                    yield Kind(header, bits, MASKS, form, from_above)
                elif header == INFO:
                    yield Kind(header, bits, MASKS_WITH_ALPHA, form, from_above)
            if masks[3] and header >= V3:
                yield Kind(header, bits, MASKS, form, clear=True)


def picture() -> Pixels:
    """Return (H, W, 4) uint8."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    channels = (x * 5, 250 - y * 6, (x + y) * 3, np.clip(300 - 4 * x - y, 60, 255))
    return np.stack(channels, axis=2).astype(np.uint8)


def _palette(bits: int) -> Pixels:
    level = np.arange(2**bits) * 255 // (2**bits - 1)
    return np.stack((level, 255 - level, level // 2), axis=1).astype(np.uint8)


def _indices(bits: int) -> Pixels:
    return np.asarray(picture()[..., 0] >> (8 - bits), np.uint8)


def _masks(kind: Kind) -> tuple[int, int, int, int]:
    if kind.form:
        return _FORMS[kind.form][1]
    return (0x7C00, 0x3E0, 0x1F, 0) if kind.bits == 16 else (0xFF0000, 0xFF00, 0xFF, 0)


def _parts(kind: Kind) -> list[tuple[Words, int, int]]:
    """Return each channel's values, what they are shifted by, and their most."""
    rgba = picture().copy()
    if kind.clear:
        rgba[..., 3] = 0
    parts = []
    for channel, mask in enumerate(_masks(kind)):
        if mask:
            low = (mask & -mask).bit_length() - 1
            most = mask >> low
            parts.append(((rgba[..., channel] * (most / 255)).round().astype(np.uint32), low, most))
    return parts


def write_bmp(kind: Kind) -> bytes:
    """Return the file."""
    palette = b""
    if kind.bits <= 8:
        colors = _palette(kind.bits)[:, ::-1]
        wide = 3 if kind.header == CORE else 4
        palette = np.pad(colors, ((0, 0), (0, wide - 3))).tobytes()
        indices = _indices(kind.bits)
        singly = (indices[..., None] >> np.arange(kind.bits - 1, -1, -1) & 1).astype(np.uint8)
        rows = np.packbits(singly.reshape(HEIGHT_PX, -1), axis=1)
    elif kind.bits == 24:
        rows = picture()[..., 2::-1].reshape(HEIGHT_PX, -1)
    else:
        words = sum(values << low for values, low, _ in _parts(kind))
        rows = np.asarray(words).astype(f"<u{kind.bits // 8}").view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    if not kind.from_above:
        rows = rows[::-1]
    pixels = np.ascontiguousarray(rows).tobytes()
    header, behind = _header(kind, len(pixels))
    at = 14 + len(header) + len(behind) + len(palette)
    size = at + len(pixels)
    return struct.pack("<2sIHHI", b"BM", size, 0, 0, at) + header + behind + palette + pixels


def _header(kind: Kind, size: int) -> tuple[bytes, bytes]:
    if kind.header == CORE:
        return struct.pack("<IHHHH", CORE, WIDTH_PX, HEIGHT_PX, 1, kind.bits), b""
    height = -HEIGHT_PX if kind.from_above else HEIGHT_PX
    header = struct.pack(
        "<IiiHHIIiiII", kind.header, WIDTH_PX, height, 1, kind.bits, kind.compression, size, 2835,
        2835, 0, 0,
    )  # fmt: skip
    masks = struct.pack("<4I", *_masks(kind)) if kind.compression else bytes(16)
    if kind.header == INFO:
        behind = {NONE: 0, MASKS: 12, MASKS_WITH_ALPHA: 16}[kind.compression]
        return header, masks[:behind]
    return (header + masks[: min(kind.header - INFO, 16)]).ljust(kind.header, b"\0"), b""


def shown_by(kind: Kind) -> npt.NDArray[np.float64]:
    """Return (H, W, 4) of 0 to 255: colours, not premultiplied, and alpha."""
    alpha = np.full((HEIGHT_PX, WIDTH_PX), 255.0)
    if kind.bits <= 8:
        colors = _palette(kind.bits)[_indices(kind.bits)].astype(np.float64)
    elif kind.bits == 24:
        colors = picture()[..., :3].astype(np.float64)
    else:
        parts = [values * (255 / most) for values, _, most in _parts(kind)]
        colors = np.stack(parts[:3], axis=2)
        if len(parts) == 4 and not kind.clear:
            alpha = parts[3]
    return np.dstack((colors, alpha))
