"""First step: the file's bytes to upright sRGB pixels, every limit checked before decoding."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
from PIL import Image, ImageChops
from PIL.ImageFile import ImageFile

from gateway.errors import GatewayError, InvalidPhotoError, PhotoLimitError
from gateway.pipeline.arrays import Photo
from gateway.pipeline.claims import check_claims, check_scans
from gateway.pipeline.color import split_alpha, to_srgb, unknown_colors
from gateway.pipeline.formats import ACCEPTED, PhotoFormat, format_of, open_header
from gateway.pipeline.limits import FIELD, PhotoLimits
from gateway.pipeline.metadata import kept_exif, upright

_NEW_SUBFILE_TYPE: Final = 254
_REDUCED: Final = 1
_BOXED: Final = {PhotoFormat.AVIF, PhotoFormat.HEIF}
_BMP_RUN_LENGTHS: Final = (1, 2)


def decode_photo(data: bytes, limits: PhotoLimits, *, keep_metadata: bool = False) -> Photo:
    """Decode a photo's file, turn it upright and convert its colours to sRGB.

    Args:
        data: The file: JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF. Of several pictures the
            first is taken, of HEIC the primary one, and no other is decoded.
        limits: Checked against the header, before any pixel is decoded.
        keep_metadata: Whether the photo's EXIF data shall travel along.

    Returns:
        The pixels, with notes on whatever in the file could not be followed.

    Raises:
        InvalidPhotoError: The bytes are no picture of an accepted format, or a broken one.
        PhotoLimitError: The photo is over or under a limit.
    """
    with _opened(data, limits) as (image, photo_format):
        image.load()
        # HEIC's size may turn out another one in the end.
        limits.check_size(image.width, image.height)
        return _to_photo(image, data, photo_format, keep_metadata=keep_metadata)


def read_size(data: bytes, limits: PhotoLimits) -> tuple[int, int]:
    """Read a photo's width and height in its header; no pixel is decoded.

    Args:
        data: The file, as for `decode_photo`.
        limits: As for `decode_photo`; all that can be checked before a pixel is decoded is.

    Returns:
        The width and height that the file claims, in pixels, before it is turned upright.

    Raises:
        InvalidPhotoError: As `decode_photo`.
        PhotoLimitError: As `decode_photo`.
    """
    with _opened(data, limits) as (image, _):
        return image.width, image.height


def check_file(data: bytes, limits: PhotoLimits) -> PhotoFormat:
    """Check what can be told of a file without reading further than its first bytes.

    Returns:
        Its format.

    Raises:
        InvalidPhotoError: It is empty, or of no accepted format.
        PhotoLimitError: It has too many bytes.
    """
    if not data:
        raise InvalidPhotoError("the photo is empty: 0 bytes", field=FIELD)
    limits.check_bytes(len(data))
    photo_format = format_of(data)
    if photo_format is None:
        raise _unidentified(data)
    return photo_format


@contextmanager
def _opened(data: bytes, limits: PhotoLimits) -> Iterator[tuple[ImageFile, PhotoFormat]]:
    """Open a file whose header has passed every check; what its decoder raises is translated."""
    photo_format = check_file(data, limits)
    try:
        check_claims(data, photo_format, limits)
        with _open(data, photo_format, limits) as image:
            limits.check_size(image.width, image.height)
            if photo_format is PhotoFormat.JPEG:
                check_scans(data, image.width, image.height)
            _refuse_what_misleads(image)
            yield image, photo_format
    except (GatewayError, MemoryError):
        raise
    except Exception as exc:  # a decoder may raise anything on a hostile file
        raise InvalidPhotoError(f"the photo cannot be decoded: {exc}", field=FIELD) from exc


def _open(data: bytes, photo_format: PhotoFormat, limits: PhotoLimits) -> ImageFile:
    try:
        return open_header(data, photo_format)
    except Image.DecompressionBombError as exc:
        # Pillow's own limit, where it comes first, is far above the default of ours.
        raise PhotoLimitError(
            f"the photo claims too many pixels; the limit is {limits.max_pixels}",
            field=FIELD,
            figures={"limit_pixels": limits.max_pixels},
        ) from exc
    except SyntaxError as exc:  # Pillow's word for a header that it cannot read
        raise _unidentified(data) from exc


def _unidentified(data: bytes) -> InvalidPhotoError:
    return InvalidPhotoError(
        f"the photo is not a picture of an accepted format ({ACCEPTED}), or its header is "
        f"broken; it has {len(data)} bytes",
        field=FIELD,
    )


def _refuse_what_misleads(image: ImageFile) -> None:
    if getattr(image, "tag_v2", {}).get(_NEW_SUBFILE_TYPE, 0) == _REDUCED:
        raise InvalidPhotoError(
            "the file's first picture is a preview of another one, as in a camera's raw file",
            field=FIELD,
        )
    if image.format == "BMP" and image.info.get("compression") in _BMP_RUN_LENGTHS:
        # Pillow unpacks them in Python, which would hold up all other photos for seconds.
        raise InvalidPhotoError("run-length encoded BMP is not accepted", field=FIELD)


def _to_photo(
    image: ImageFile, data: bytes, photo_format: PhotoFormat, *, keep_metadata: bool
) -> Photo:
    notes: list[str] = []
    turned = upright(image, notes)
    if photo_format is PhotoFormat.JPEG and image.mode == "CMYK" and "adobe" not in image.info:
        # Pillow takes every CMYK JPEG for one by Adobe, which alone stores its inks inverted.
        turned = ImageChops.invert(turned)
    colors, alpha = split_alpha(turned)
    profile = image.info.get("icc_profile")
    if not profile and photo_format in _BOXED and (note := unknown_colors(data)):
        notes.append(note)
    rgb = to_srgb(colors, profile, notes)
    return Photo(
        rgb=np.ascontiguousarray(rgb),
        alpha=alpha,
        metadata=kept_exif(image, notes) if keep_metadata else b"",
        notes=tuple(notes),
    )
