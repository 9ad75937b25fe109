"""What decode workers answer: every figure is checked, as a hostile photo may have made it up."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np

from gateway.errors import DecodingUnavailableError
from gateway.rendering.decoding.parcels import Parcel, ParcelError
from imaging.decode.limits import FIELD, PhotoLimits
from imaging.decode.metadata import MAX_EXIF_BYTES
from imaging.errors import (
    InvalidInputError,
    InvalidPhotoError,
    PhotoLimitError,
    UnsupportedPhotoError,
)
from imaging.types import Photo

T = TypeVar("T")

_ERRORS: Final[dict[str, type[InvalidInputError]]] = {
    cls.reason: cls for cls in (InvalidPhotoError, UnsupportedPhotoError, PhotoLimitError)
}


def short_of(why: object) -> DecodingUnavailableError:
    """Say that a shortage keeps a photo from being decoded."""
    return DecodingUnavailableError(f"the photo cannot be handed to its decoder: {why}")


def result_of(parcel: Parcel, read: Callable[[Parcel], T]) -> T:
    """Read an answer, or raise the error that it is."""
    words = parcel.words
    try:
        if "short" in words:
            raise short_of(words["short"])
        if "reason" in words:
            raise _ERRORS[words["reason"]](
                str(words["message"]), field=FIELD, figures=dict(words["figures"])
            )
        return read(parcel)
    except (KeyError, TypeError, ValueError) as exc:
        raise ParcelError(f"its answer is none: {exc!r}") from exc


def size_of(words: dict[str, Any], limits: PhotoLimits) -> tuple[int, int]:
    """Return the size in a worker's answer, which a hostile photo may have made up."""
    width_px, height_px = int(words["width_px"]), int(words["height_px"])
    if not (width_px > 0 and 0 < width_px * height_px <= limits.max_pixels):
        raise ParcelError(f"it answers with {width_px}x{height_px} pixels")
    return width_px, height_px


def preview_of(parcel: Parcel, limits: PhotoLimits) -> Photo | None:
    """Return the preview of a worker's answer, or None where it has none."""
    return None if parcel.words.get("none") else photo_of(parcel, limits)


def photo_of(parcel: Parcel, limits: PhotoLimits) -> Photo:
    """Return the photo of a worker's answer, whose every figure is checked."""
    words, content = parcel.words, parcel.content
    width_px, height_px = size_of(words, limits)
    notes = tuple(map(str, words["notes"]))
    has_alpha = bool(words["alpha"])
    pixels = width_px * height_px
    rgb_bytes = 3 * pixels
    alpha_bytes = pixels if has_alpha else 0
    rest = len(content) - rgb_bytes - alpha_bytes
    if not 0 <= rest <= 2 * MAX_EXIF_BYTES:
        raise ParcelError(f"its answer of {len(content)} bytes is no photo of {pixels} pixels")
    alpha = None
    if has_alpha:
        alpha = np.frombuffer(content, np.uint8, alpha_bytes, rgb_bytes)
        alpha = alpha.reshape(height_px, width_px)
    return Photo(
        rgb=np.frombuffer(content, np.uint8, rgb_bytes).reshape(height_px, width_px, 3),
        alpha=alpha,
        metadata=bytes(content[rgb_bytes + alpha_bytes :]),
        notes=notes,
    )
