"""JPEG files (ITU-T T.81, T.871) by libjpeg-turbo, which OpenCV hands a picture to as it is.

Pillow hands it the same values, of which it makes a copy of four bytes each first.
"""

import struct
from typing import Final

import cv2
import numpy as np

from imaging.types import Pixels

# Full colour resolution: halved, it fringes a product's edge on white.
_SAMPLING: Final = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
_START: Final = b"\xff\xd8"
_APP0, _APP1, _APP2 = b"\xff\xe0", b"\xff\xe1", b"\xff\xe2"
# Version 1.01, before the density and without a thumbnail behind it.
_JFIF: Final = b"JFIF\0\1\1"
_PER_INCH: Final = 1
# What OpenCV's file begins with, which has no density: the start and APP0.
_ITS_HEAD_BYTES: Final = 20
# What a segment holds: 65,535 bytes without the two of its length.
MOST_SEGMENT_BYTES: Final = 65_533


def write_jpeg(
    pixels: Pixels, quality: int, resolution_dpi: int, icc_profile: bytes | None, exif: bytes
) -> bytes:
    """Write a JPEG file of full colour resolution.

    Args:
        pixels: (H, W, 3) or (H, W) grey uint8.
        quality: 1 to 100.
        resolution_dpi: Pixels per inch, 1 to 65535.
        icc_profile: What its colours mean, of less than 64 KiB; None for no word on it.
        exif: An EXIF block of at most `MOST_SEGMENT_BYTES`; empty for none.

    Returns:
        The file.

    Raises:
        MemoryError: There is not enough memory.
        RuntimeError: The encoder refuses the picture.
    """
    options = (cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SAMPLING)
    try:
        if pixels.ndim == 3:  # noqa: PLR2004
            turned = np.empty_like(pixels)
            pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR, turned), np.uint8)
        written, file = cv2.imencode(".jpg", pixels, options)
    except cv2.error as exc:
        if exc.code == cv2.Error.StsNoMem:
            raise MemoryError(exc.err) from exc
        raise RuntimeError(f"the JPEG encoder refuses the picture: {exc.err}") from exc
    if not written or file[: len(_START) + len(_APP0)].tobytes() != _START + _APP0:
        raise RuntimeError("the JPEG encoder refuses the picture")
    density = struct.pack(">B2H2B", _PER_INCH, resolution_dpi, resolution_dpi, 0, 0)
    parts = [_START, _segment(_APP0, _JFIF + density)]
    if exif:
        parts.append(_segment(_APP1, exif))
    if icc_profile:
        parts.append(_segment(_APP2, b"ICC_PROFILE\0\1\1" + icc_profile))
    return b"".join((*parts, file[_ITS_HEAD_BYTES:].data))


def _segment(marker: bytes, content: bytes) -> bytes:
    return marker + struct.pack(">H", len(content) + 2) + content
