"""First step: the file's bytes to upright pixels, with every limit checked before decoding."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gateway.errors import InvalidPhotoError, PhotoLimitError
from gateway.pipeline.arrays import Photo

ACCEPTED_FORMATS = ("JPEG", "PNG", "WEBP")
_FIELD = "photo"


@dataclass(frozen=True, slots=True)
class PhotoLimits:
    """What a photo may be.

    Attributes:
        max_bytes: Largest file, bytes.
        max_pixels: Largest width times height, pixels.
        min_side_px: Shortest side, pixels.
    """

    max_bytes: int = 32 * 2**20
    max_pixels: int = 64_000_000
    min_side_px: int = 16


def decode_photo(data: bytes, limits: PhotoLimits) -> Photo:
    """Decode a photo's file and turn it upright.

    Args:
        data: The file: JPEG, PNG or WebP. Of an animation the first frame is taken.
        limits: Checked against the header, before any pixel is decoded.

    Returns:
        The pixels, EXIF orientation applied.

    Raises:
        InvalidPhotoError: The bytes are no picture of an accepted format, or a broken one.
        PhotoLimitError: The photo is over or under a limit.
    """
    if not data:
        raise InvalidPhotoError("the photo is empty: 0 bytes", field=_FIELD)
    if len(data) > limits.max_bytes:
        raise PhotoLimitError(
            f"the photo has {len(data)} bytes; the limit is {limits.max_bytes}",
            field=_FIELD,
            figures={"limit_bytes": limits.max_bytes, "value_bytes": len(data)},
        )
    try:
        with _open(data) as image:
            _check_size(image.width, image.height, limits)
            image.load()
            return _to_photo(ImageOps.exif_transpose(image))
    except (InvalidPhotoError, PhotoLimitError, MemoryError):
        raise
    except Exception as exc:  # a decoder may raise anything on a hostile file
        raise InvalidPhotoError(f"the photo cannot be decoded: {exc}", field=_FIELD) from exc


def _open(data: bytes) -> Image.Image:
    # Pillow's own guard warns at a size of its own choice and cannot name ours.
    Image.MAX_IMAGE_PIXELS = None
    try:
        return Image.open(BytesIO(data), formats=ACCEPTED_FORMATS)
    except UnidentifiedImageError as exc:
        accepted = "JPEG, PNG and WebP"
        raise InvalidPhotoError(
            f"the photo is not a picture of an accepted format ({accepted}), or its header is "
            f"broken; it has {len(data)} bytes",
            field=_FIELD,
        ) from exc


def _check_size(width_px: int, height_px: int, limits: PhotoLimits) -> None:
    if width_px * height_px > limits.max_pixels:
        raise PhotoLimitError(
            f"the photo has {width_px}x{height_px} = {width_px * height_px} pixels; "
            f"the limit is {limits.max_pixels}",
            field=_FIELD,
            figures={"limit_pixels": limits.max_pixels, "value_pixels": width_px * height_px},
        )
    if min(width_px, height_px) < limits.min_side_px:
        raise PhotoLimitError(
            f"the photo has {width_px}x{height_px} pixels; "
            f"each side must have at least {limits.min_side_px}",
            field=_FIELD,
            figures={"limit_px": limits.min_side_px, "value_px": min(width_px, height_px)},
        )


def _to_photo(image: Image.Image) -> Photo:
    if image.mode.startswith("I;16"):
        # Pillow clips 16-bit grey at 255 instead of scaling it.
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return Photo(rgb=np.repeat(grey[:, :, None], 3, axis=2))
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        return Photo(
            rgb=np.ascontiguousarray(rgba[:, :, :3]), alpha=np.ascontiguousarray(rgba[:, :, 3])
        )
    return Photo(rgb=np.asarray(image.convert("RGB")))
