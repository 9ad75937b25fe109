"""Pictures that tests make themselves."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, ImageOps

_SAMPLES: Final = Path(__file__).resolve().parents[2] / "samples"
RED = (200, 30, 40)


def product_photo(width: int = 120, height: int = 90) -> npt.NDArray[np.uint8]:
    """Return a white photo with a red box from a quarter to three quarters, to the left."""
    rgb = np.full((height, width, 3), 255, np.uint8)
    rgb[height // 4 : height * 3 // 4, width // 8 : width // 2] = RED
    return rgb


def sample_photo(width: int, height: int) -> npt.NDArray[np.uint8]:
    """Return a sample that every model finds its product in, filled into a size.

    A flat box, as `product_photo` draws it, is one of many things that a network may leave out.
    """
    with Image.open(_SAMPLES / "mug.jpg") as image:
        return np.asarray(ImageOps.fit(image.convert("RGB"), (width, height)))


def encode(pixels: npt.NDArray[Any], picture_format: str = "PNG", **options: Any) -> bytes:
    """Return an array as a file."""
    return encode_image(Image.fromarray(pixels), picture_format, **options)


def encode_image(image: Image.Image, picture_format: str = "PNG", **options: Any) -> bytes:
    """Return a picture as a file; HEIF too, for which nothing need be registered."""
    buffer = BytesIO()
    if picture_format == "HEIF":
        heif = pillow_heif.from_pillow(image)
        for other in options.pop("append_images", ()):
            heif.add_from_pillow(other)
        if isinstance(exif := options.get("exif"), Image.Exif):
            options["exif"] = exif.tobytes()
        heif.save(buffer, **options)
    else:
        image.save(buffer, picture_format, **options)
    return buffer.getvalue()


def decode(picture: bytes) -> Image.Image:
    """Return a file as a loaded picture."""
    image = Image.open(BytesIO(picture))
    image.load()
    return image


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk, checksum and all."""
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def claiming_png(width: int, height: int) -> bytes:
    """Return a small PNG file that claims a size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            png_chunk(b"IHDR", header),
            png_chunk(b"IDAT", zlib.compress(bytes(1000))),
            png_chunk(b"IEND", b""),
        )
    )
