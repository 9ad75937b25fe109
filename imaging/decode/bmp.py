"""A BMP file: which of its kinds are read, and pixels whose bits are parted by masks."""

import struct
from dataclasses import dataclass
from typing import IO, Any, Final, cast

import numpy as np
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile

from imaging.decode.limits import FIELD
from imaging.errors import InvalidPhotoError
from imaging.types import Pixels

_FILE_HEADER_BYTES: Final = 14
_CORE_BYTES: Final = 12
_INFO_BYTES: Final = 40
_WITH_MASKS_BYTES: Final = 52
_WITH_ALPHA_MASK_BYTES: Final = 56
_HEADERS: Final = {12, 40, 52, 56, 64, 108, 124}
_NONE, _RLE8, _RLE4, _MASKS, _MASKS_WITH_ALPHA = 0, 1, 2, 3, 6
_COMPRESSIONS: Final = {
    _RLE8: "run lengths of 8 bits",
    _RLE4: "run lengths of 4 bits",
    4: "JPEG",
    5: "PNG",
    11: "CMYK",
    12: "CMYK with run lengths",
    13: "CMYK with run lengths",
}
_OS2_BYTES: Final = 64
_OS2_COMPRESSIONS: Final = {3: "Huffman's code", 4: "run lengths of 24 bits"}
_BITS: Final = {1, 4, 8, 16, 24, 32}
_MASKED_BITS: Final = {16: "<u2", 32: "<u4"}
_BAND_ROWS: Final = 256


@dataclass(frozen=True, slots=True)
class _Header:
    """What a BMP file says of itself.

    Attributes:
        width_px: Width.
        height_px: Height.
        from_above: Whether the first row is the uppermost.
        bits: Of a pixel.
        masks: Of red, green, blue and alpha; None where the bits are not parted by masks.
        at: Where the pixels begin.
    """

    width_px: int
    height_px: int
    from_above: bool
    bits: int
    masks: tuple[int, int, int, int] | None
    at: int


class BmpFile(BmpImageFile):
    """A BMP file.

    Attributes:
        alpha: (H, W) uint8, 255 opaque, once it is loaded; None where it has no transparency.
    """

    def _open(self) -> None:
        data = cast("IO[bytes]", self.fp).read()
        self._header = _read_header(data)
        self._data = data
        self.alpha: Pixels | None = None
        self._is_loaded = False
        if self._header.masks is None:
            cast("IO[bytes]", self.fp).seek(0)
            super()._open()
            return
        self._mode = "RGB"
        self._size = self._header.width_px, self._header.height_px
        self.tile = []

    def load(self) -> Any:
        """Read the pixels."""
        if self._header.masks is not None and not self._is_loaded:
            rgb, self.alpha = _parted(self._data, self._header, self._header.masks)
            self.im = Image.fromarray(rgb).im
        self._is_loaded = True
        return super().load()


def _read_header(data: bytes) -> _Header:
    try:
        (at,) = struct.unpack_from("<I", data, 10)
        (size,) = struct.unpack_from("<I", data, _FILE_HEADER_BYTES)
        if size not in _HEADERS:
            raise _unread(f"a BMP file with a header of {size} bytes", "it is not read")
        if size == _CORE_BYTES:
            width_px, height_px, _, bits = struct.unpack_from("<4H", data, 18)
            compression = _NONE
        else:
            width_px, height_px, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
        words = f"a BMP file with {bits} bits a pixel"
        if size == _OS2_BYTES and compression in _OS2_COMPRESSIONS:
            raise _unread(words, f"compression by {_OS2_COMPRESSIONS[compression]} is not read")
        if compression not in (_NONE, _MASKS, _MASKS_WITH_ALPHA):
            name = _COMPRESSIONS.get(compression, f"method {compression}")
            raise _unread(words, f"compression by {name} is not read")
        if bits not in _BITS:
            raise _unread(words, "1, 4, 8, 16, 24 and 32 are read")
        masks = None
        if compression != _NONE:
            if bits not in _MASKED_BITS:
                raise _unread(f"{words}, parted by masks", "masks are read of 16 and 32 bits")
            masks = _read_masks(data, size, compression)
            if not all(masks[:3]) or any(_gaps(mask) for mask in masks):
                shown = ", ".join(f"{mask:#x}" for mask in masks)
                raise _unread(f"{words}, parted by the masks {shown}", "they are not read")
    except struct.error as exc:
        raise InvalidPhotoError(
            f"the photo is a BMP file of {len(data)} bytes, which end within its header",
            field=FIELD,
        ) from exc
    return _Header(width_px, abs(height_px), height_px < 0, bits, masks, at)


def _read_masks(data: bytes, size: int, compression: int) -> tuple[int, int, int, int]:
    """Return the masks, which older headers have behind them."""
    at = _FILE_HEADER_BYTES + _INFO_BYTES
    with_alpha = size >= _WITH_ALPHA_MASK_BYTES and size != _OS2_BYTES
    if with_alpha or compression == _MASKS_WITH_ALPHA:
        red, green, blue, alpha = struct.unpack_from("<4I", data, at)
        return red, green, blue, alpha
    red, green, blue = struct.unpack_from("<3I", data, at)
    return red, green, blue, 0


def _gaps(mask: int) -> bool:
    """Tell whether a mask's bits do not lie side by side."""
    ones = mask >> _lowest(mask)
    return bool(ones & (ones + 1))


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1 if mask else 0


def _parted(
    data: bytes, header: _Header, masks: tuple[int, int, int, int]
) -> tuple[Pixels, Pixels | None]:
    """Part the pixels by their masks.

    Returns:
        (H, W, 3) uint8; (H, W) uint8 alpha, or None where there is no mask for it, or it is zero
        all over, as it is where a program has left it to itself.
    """
    row_bytes = (header.width_px * header.bits + 31) // 32 * 4
    needed = row_bytes * header.height_px
    if header.at + needed > len(data):
        raise InvalidPhotoError(
            f"the BMP file has {len(data)} bytes; its pixels end at byte {header.at + needed}",
            field=FIELD,
        )
    lines = np.frombuffer(data, np.uint8, needed, header.at).reshape(header.height_px, row_bytes)
    if not header.from_above:
        lines = lines[::-1]
    channels = 4 if masks[3] else 3
    out = np.empty((header.height_px, header.width_px, channels), np.uint8)
    kind = np.dtype(_MASKED_BITS[header.bits])
    for top in range(0, header.height_px, _BAND_ROWS):
        band = np.ascontiguousarray(lines[top : top + _BAND_ROWS]).view(kind)
        words = band[:, : header.width_px].astype(np.uint32)
        for channel, mask in enumerate(masks[:channels]):
            out[top : top + _BAND_ROWS, :, channel] = _scaled(words, mask)
    rgb = np.ascontiguousarray(out[:, :, :3])
    alpha = np.ascontiguousarray(out[:, :, 3]) if channels == 4 else None  # noqa: PLR2004
    return rgb, alpha if alpha is not None and alpha.any() else None


def _scaled(words: "np.typing.NDArray[np.uint32]", mask: int) -> Pixels:
    low = _lowest(mask)
    most = mask >> low
    values = (words & np.uint32(mask)) >> np.uint32(low)
    if most > 255:  # noqa: PLR2004  more than 8 bits: the highest count
        return (values >> np.uint32(most.bit_length() - 8)).astype(np.uint8)
    levels = (np.arange(most + 1) * 255 / most).round().astype(np.uint8)
    return np.asarray(levels[values], np.uint8)


def _unread(words: str, why: str) -> InvalidPhotoError:
    return InvalidPhotoError(f"the photo is {words}; {why}", field=FIELD)
