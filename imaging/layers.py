"""A picture's files: one, or the product's colours and the matte apart."""

from typing import Any

import numpy as np

from imaging.encode import PictureFormat, encode_picture
from imaging.types import Pixels


def encode_alone(pixels: Pixels, *how: Any, **more: Any) -> tuple[bytes, bytes]:
    """Encode a picture as one file; arguments as `encode_picture`'s.

    Returns:
        The file, and nothing.
    """
    return encode_picture(pixels, *how, **more), b""


def encode_layers(
    pixels: Pixels, picture_format: PictureFormat, quality: int, **more: Any
) -> tuple[bytes, bytes]:
    """Encode a transparent picture as two files; further arguments as `encode_picture`'s.

    Args:
        pixels: (H, W, 4) uint8, sRGB with straight alpha.
        picture_format: The format of the colours.
        quality: Theirs, 1 to 100.
        more: What else `encode_picture` takes.

    Returns:
        The colours, opaque, and the alpha as a grey PNG.
    """
    colors = encode_picture(np.ascontiguousarray(pixels[..., :3]), picture_format, quality, **more)
    alpha = np.ascontiguousarray(pixels[..., 3])
    matte = encode_picture(
        alpha,
        PictureFormat.PNG,
        quality,
        **{name: value for name, value in more.items() if name != "metadata"},
    )
    return colors, matte
