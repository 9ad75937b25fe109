"""Last step: the picture to a file."""

from enum import Enum
from io import BytesIO

from PIL import Image

from gateway.errors import InvalidOptionError
from gateway.pipeline.arrays import Pixels

DEFAULT_QUALITY = 90


class PictureFormat(Enum):
    """A file format that pictures are answered in; the value is Pillow's name."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WEBP"

    @property
    def media_type(self) -> str:
        """The format's media type."""
        return f"image/{self.value.lower()}"

    @property
    def has_alpha(self) -> bool:
        """Whether files of the format can be transparent."""
        return self is not PictureFormat.JPEG


# Longest side that the file format itself can hold.
_MAX_SIDE_PX = {PictureFormat.JPEG: 65_500, PictureFormat.WEBP: 16_383}


def encode_picture(pixels: Pixels, picture_format: PictureFormat, quality: int) -> bytes:
    """Encode a picture.

    Args:
        pixels: (H, W, 3) or (H, W, 4) uint8, sRGB; JPEG takes three channels only.
        picture_format: The file's format.
        quality: 1 to 100, for JPEG and WebP; PNG ignores it, being lossless.

    Returns:
        The file.

    Raises:
        InvalidOptionError: The format cannot hold a picture of this size.
    """
    longest_px = max(pixels.shape[:2])
    limit_px = _MAX_SIDE_PX.get(picture_format, longest_px)
    if longest_px > limit_px:
        raise InvalidOptionError(
            f"the picture is {longest_px} pixels long; {picture_format.value} holds {limit_px}",
            field="output.format",
            figures={"limit_px": limit_px, "value_px": longest_px},
        )
    image = Image.fromarray(pixels)
    buffer = BytesIO()
    match picture_format:
        case PictureFormat.PNG:
            # Level 6, the usual default, takes four times as long for a tenth less.
            image.save(buffer, "PNG", compress_level=1)
        case PictureFormat.JPEG:
            # Full colour resolution: halved, it fringes a product's edge on white.
            image.save(buffer, "JPEG", quality=quality, subsampling="4:4:4")
        case PictureFormat.WEBP:
            # Method 0: the higher ones take two to four times as long.
            image.save(buffer, "WEBP", quality=quality, method=0)
    return buffer.getvalue()
