"""A picture's files: one, or the product's colours and the matte apart."""

import numpy as np

from imaging.cancellation import Check, go_on
from imaging.encode import DEFAULT_RESOLUTION_DPI, PictureFormat, encode_picture
from imaging.types import Pixels


def encode_alone(
    pixels: Pixels,
    picture_format: PictureFormat,
    quality: int,
    *,
    resolution_dpi: int = DEFAULT_RESOLUTION_DPI,
    metadata: bytes = b"",
    check: Check = go_on,
) -> tuple[bytes, bytes]:
    """Encode a picture as one file; arguments and errors are those of `encode_picture`.

    Returns:
        The file, and nothing.
    """
    picture = encode_picture(
        pixels,
        picture_format,
        quality,
        resolution_dpi=resolution_dpi,
        metadata=metadata,
        check=check,
    )
    return picture, b""


def encode_layers(
    pixels: Pixels,
    picture_format: PictureFormat,
    quality: int,
    *,
    resolution_dpi: int = DEFAULT_RESOLUTION_DPI,
    metadata: bytes = b"",
    check: Check = go_on,
) -> tuple[bytes, bytes]:
    """Encode a transparent picture as two files; errors are those of `encode_picture`.

    Args:
        pixels: (H, W, 4) uint8, sRGB with straight alpha.
        picture_format: The format of the colours.
        quality: Theirs, 1 to 100.
        resolution_dpi: Pixels per inch of both.
        metadata: `Photo.metadata`, to be written along with the colours.
        check: Asked whether to go on.

    Returns:
        The colours, opaque, and the alpha as a grey PNG.
    """
    colors, _ = encode_alone(
        np.ascontiguousarray(pixels[..., :3]),
        picture_format,
        quality,
        resolution_dpi=resolution_dpi,
        metadata=metadata,
        check=check,
    )
    alpha = np.ascontiguousarray(pixels[..., 3])
    matte = encode_picture(
        alpha, PictureFormat.PNG, quality, resolution_dpi=resolution_dpi, check=check
    )
    return colors, matte
