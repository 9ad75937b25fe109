"""Last step: the picture to a file that says what its colours and its size mean."""

from enum import Enum
from io import BytesIO

from PIL import Image

from gateway.errors import InvalidOptionError
from gateway.pipeline.arrays import Pixels
from gateway.pipeline.color import srgb_profile
from gateway.pipeline.metadata import picture_exif

DEFAULT_QUALITY = 90
DEFAULT_RESOLUTION_DPI = 72


class PictureFormat(Enum):
    """A file format that pictures are answered in; the value is Pillow's name."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WEBP"
    AVIF = "AVIF"

    @property
    def media_type(self) -> str:
        """The format's media type."""
        return f"image/{self.value.lower()}"

    @property
    def has_alpha(self) -> bool:
        """Whether files of the format can be transparent."""
        return self is not PictureFormat.JPEG


# Longest side that the file format itself can hold, or that its usual reader accepts.
_MAX_SIDE_PX = {PictureFormat.JPEG: 65_500, PictureFormat.WEBP: 16_383, PictureFormat.AVIF: 32_768}
# A JPEG segment's 65,535 bytes without the two of its length.
_MAX_JPEG_EXIF_BYTES = 65_533


def encode_picture(
    pixels: Pixels,
    picture_format: PictureFormat,
    quality: int,
    *,
    resolution_dpi: int = DEFAULT_RESOLUTION_DPI,
    metadata: bytes = b"",
) -> bytes:
    """Encode a picture, with the sRGB profile and its resolution.

    Args:
        pixels: (H, W, 3) or (H, W, 4) uint8, sRGB, or (H, W) grey; JPEG takes no four channels.
        picture_format: The file's format.
        quality: 1 to 100, for all but PNG, which ignores it, being lossless.
        resolution_dpi: Pixels per inch, 1 or more. WebP and AVIF can only say it in EXIF data,
            which then hold nothing else unless there are metadata to keep.
        metadata: `Photo.metadata`, to be written along; empty for none.

    Returns:
        The file.

    Raises:
        InvalidOptionError: The format cannot hold a picture of this size, or the metadata.
    """
    height_px, width_px = pixels.shape[:2]
    _check_side(max(width_px, height_px), picture_format)
    exif = picture_exif(metadata, width_px, height_px, resolution_dpi)
    image = Image.fromarray(pixels)
    buffer = BytesIO()
    # The profile is one of colours: a grey PNG or JPEG that carried it would contradict itself.
    icc_profile = None if image.mode == "L" else srgb_profile()
    dpi = (resolution_dpi, resolution_dpi)
    match picture_format:
        case PictureFormat.PNG:
            # Level 6, the usual default, takes four times as long for a tenth less.
            image.save(
                buffer,
                "PNG",
                compress_level=1,
                icc_profile=icc_profile,
                dpi=dpi,
                exif=exif if metadata else b"",
            )
        case PictureFormat.JPEG:
            if metadata and len(exif) > _MAX_JPEG_EXIF_BYTES:
                raise InvalidOptionError(
                    f"the photo's EXIF data have {len(exif)} bytes; "
                    f"JPEG holds {_MAX_JPEG_EXIF_BYTES}",
                    field="output.keep_metadata",
                    figures={"limit_bytes": _MAX_JPEG_EXIF_BYTES, "value_bytes": len(exif)},
                )
            # Full colour resolution: halved, it fringes a product's edge on white.
            image.save(
                buffer,
                "JPEG",
                quality=quality,
                subsampling="4:4:4",
                icc_profile=icc_profile,
                dpi=dpi,
                exif=exif if metadata else b"",
            )
        case PictureFormat.WEBP:
            # Method 0: the higher ones take two to four times as long.
            image.save(
                buffer, "WEBP", quality=quality, method=0, icc_profile=icc_profile, exif=exif
            )
        case PictureFormat.AVIF:
            # Speed 9 takes a quarter of the time of 6 for a quarter more bytes, and keeps flat
            # white pure further from an edge. One thread: each worker has its own picture.
            image.save(
                buffer,
                "AVIF",
                quality=quality,
                subsampling="4:4:4",
                speed=9,
                max_threads=1,
                icc_profile=icc_profile,
                exif=exif,
            )
    return buffer.getvalue()


def _check_side(longest_px: int, picture_format: PictureFormat) -> None:
    limit_px = _MAX_SIDE_PX.get(picture_format, longest_px)
    if longest_px > limit_px:
        raise InvalidOptionError(
            f"the picture is {longest_px} pixels long; {picture_format.value} holds {limit_px}",
            field="output.format",
            figures={"limit_px": limit_px, "value_px": longest_px},
        )
