"""Pictures that tests make themselves."""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

RED = (200, 30, 40)


def product_photo(width: int = 120, height: int = 90) -> npt.NDArray[np.uint8]:
    """Return a white photo with a red box from a quarter to three quarters, to the left."""
    rgb = np.full((height, width, 3), 255, np.uint8)
    rgb[height // 4 : height * 3 // 4, width // 8 : width // 2] = RED
    return rgb


def encode(pixels: npt.NDArray[Any], picture_format: str = "PNG", **options: Any) -> bytes:
    """Return an array as a file."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, picture_format, **options)
    return buffer.getvalue()


def decode(picture: bytes) -> Image.Image:
    """Return a file as a loaded picture."""
    image = Image.open(BytesIO(picture))
    image.load()
    return image


def claiming_png(width: int, height: int) -> bytes:
    """Return a small PNG file whose header claims a size that its data does not have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(1000))), chunk(b"IEND", b""))
    )
