"""Last step: the picture to a file that says what its colours and its size mean."""

from enum import Enum
from io import BytesIO

import numpy as np
from PIL import Image

from imaging.cancellation import Check, go_on
from imaging.decode.color import srgb_profile
from imaging.decode.metadata import picture_exif
from imaging.errors import InvalidOptionError, OverloadedError
from imaging.jpeg_writer import MOST_SEGMENT_BYTES, write_jpeg
from imaging.png_writer import write_png
from imaging.types import Pixels

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

# WebP's first partition holds 512 KiB at most, for how each 16 by 16 pixels were coded: up to 170
# bits for a textured block. Beyond so many pixels libwebp must keep within it, as it does from
# method 2 on; up to there the quicker method 0 cannot exceed it.
_MAX_UNBOUND_WEBP_PIXELS = 6_000_000
_WEBP_METHOD, _BOUND_WEBP_METHOD = 0, 2
# When a caller may come back to a machine whose memory was full.
_MEMORY_RETRY_S = 1.0


def encode_picture(
    pixels: Pixels,
    picture_format: PictureFormat,
    quality: int,
    *,
    resolution_dpi: int = DEFAULT_RESOLUTION_DPI,
    metadata: bytes = b"",
    check: Check = go_on,
) -> bytes:
    """Encode a picture, with the sRGB profile and its resolution.

    Args:
        pixels: (H, W, 3) or (H, W, 4) uint8, sRGB, or (H, W) grey; JPEG takes no four channels.
        picture_format: The file's format.
        quality: 1 to 100, for all but PNG, which ignores it, being lossless.
        resolution_dpi: Pixels per inch, 1 or more. WebP and AVIF can only say it in EXIF data,
            which then hold nothing else unless there are metadata to keep.
        metadata: `Photo.metadata`, to be written along; empty for none.
        check: Asked whether to go on, before the work; of a PNG also as `write_png` does. Any other
            file is made in one.

    Returns:
        The file.

    Raises:
        InvalidOptionError: The format cannot hold a picture of this size, or the metadata, or its
            encoder refuses the picture.
        OverloadedError: There is not enough memory.
    """
    try:
        return _encoded(pixels, picture_format, quality, resolution_dpi, metadata, check)
    except MemoryError as exc:
        raise OverloadedError(
            "there is not enough memory to write the picture at present",
            retry_after_s=_MEMORY_RETRY_S,
            figures={"bound": "memory"},
        ) from exc
    except (OSError, ValueError, RuntimeError) as exc:
        height_px, width_px = pixels.shape[:2]
        raise InvalidOptionError(
            f"a picture of {width_px}x{height_px} pixels cannot be written as "
            f"{picture_format.value} at quality {quality}: {exc}",
            field="format",
            figures={"value_pixels": width_px * height_px},
        ) from exc


def _encoded(
    pixels: Pixels,
    picture_format: PictureFormat,
    quality: int,
    resolution_dpi: int,
    metadata: bytes,
    check: Check,
) -> bytes:
    height_px, width_px = pixels.shape[:2]
    _check_side(max(width_px, height_px), picture_format)
    exif = picture_exif(metadata, width_px, height_px, resolution_dpi)
    # The profile is one of colours: a grey PNG or JPEG that carried it would contradict itself.
    icc_profile = None if pixels.ndim == 2 else srgb_profile()  # noqa: PLR2004
    if picture_format is PictureFormat.PNG:
        return write_png(
            np.ascontiguousarray(pixels),
            resolution_dpi,
            icc_profile,
            exif if metadata else b"",
            check,
        )
    check()
    if picture_format is PictureFormat.JPEG:
        if metadata and len(exif) > MOST_SEGMENT_BYTES:
            raise InvalidOptionError(
                f"the photo's EXIF data have {len(exif)} bytes; JPEG holds {MOST_SEGMENT_BYTES}",
                field="keep_metadata",
                figures={"limit_bytes": MOST_SEGMENT_BYTES, "value_bytes": len(exif)},
            )
        return write_jpeg(pixels, quality, resolution_dpi, icc_profile, exif if metadata else b"")
    buffer, image = BytesIO(), Image.fromarray(pixels)
    match picture_format:
        case PictureFormat.WEBP:
            # The higher methods take up to four times as long.
            bound = width_px * height_px > _MAX_UNBOUND_WEBP_PIXELS
            image.save(
                buffer,
                "WEBP",
                quality=quality,
                method=_BOUND_WEBP_METHOD if bound else _WEBP_METHOD,
                icc_profile=icc_profile,
                exif=exif,
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
            field="format",
            figures={"limit_px": limit_px, "value_px": longest_px},
        )
