"""What a peer does around the network, as a user of Pillow would write it.

LitServe's and BentoML's servers share it, so that they differ in what they are and in nothing else.
Both formats are written with the gateway's own settings.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

PNG_LEVEL = 1
JPEG_QUALITY = 90


def decode(file: bytes) -> Image.Image:
    """Decode a photo and turn it upright."""
    photo = Image.open(io.BytesIO(file))
    return ImageOps.exif_transpose(photo).convert("RGB")


def to_model_input(photo: Image.Image, side_px: int) -> NDArray[np.uint8]:
    """Scale a photo to the network's input, (1, side, side, 3) uint8."""
    scaled = photo.resize((side_px, side_px), Image.Resampling.BILINEAR)
    return np.asarray(scaled, np.uint8)[None]


def finish(photo: Image.Image, matte: NDArray[np.uint8], output: str) -> bytes:
    """Bring the matte to the photo's size, composite, and encode.

    Args:
        photo: The photo.
        matte: (side, side, 1) uint8.
        output: `png`, transparent, or `jpeg`, on white.
    """
    alpha = Image.fromarray(matte[..., 0]).resize(photo.size, Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    if output == "png":
        photo.putalpha(alpha)
        photo.save(buffer, "PNG", compress_level=PNG_LEVEL)
    else:
        white = Image.new("RGB", photo.size, "white")
        picture = Image.composite(photo, white, alpha)
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    return buffer.getvalue()
