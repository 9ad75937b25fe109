"""First step: the file's bytes to upright sRGB pixels, every limit checked before decoding."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from imaging.decode import jpeg
from imaging.decode.color import pixels_to_srgb, split_alpha, to_srgb
from imaging.decode.color_meaning import profile_of
from imaging.decode.formats import PhotoFormat, format_of, is_read, open_header
from imaging.decode.header_checks import check_claims, check_scans
from imaging.decode.limits import FIELD, PhotoLimits
from imaging.decode.metadata import kept_exif, orientation_of, read_exif
from imaging.decode.orientation import turned
from imaging.decode.png import PngFile
from imaging.decode.quick_jpeg import Room, decode_quickly, new_room
from imaging.decode.refusals import unidentified, unreadable, unsupported
from imaging.errors import InvalidPhotoError, PhotoLimitError, ReasonedError
from imaging.types import Photo

log = logging.getLogger(__name__)

_NO_END: Final = "the JPEG file ends without its end marker; all of its picture is there"


def decode_photo(
    data: bytes, limits: PhotoLimits, *, keep_metadata: bool = False, room: Room = new_room
) -> Photo:
    """Decode a photo's file, turn it upright and convert its colours to sRGB.

    Args:
        data: The file: JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF. Of several pictures the
            first is taken, of HEIC the primary one, and no other is decoded.
        limits: Checked against the header, before any pixel is decoded.
        keep_metadata: Whether the photo's EXIF data shall travel along.
        room: Gives the room that the pixels of a usual JPEG file come to lie in.

    Returns:
        The pixels, with notes on whatever in the file could not be followed.

    Raises:
        InvalidPhotoError: The bytes are no picture of an accepted format, or a broken one.
        PhotoLimitError: The photo is over or under a limit.
    """
    with _opened(data, limits) as (image, photo_format):
        notes: list[str] = []
        if isinstance(image, JpegImageFile):
            quick = _decode_quickly(image, data, keep_metadata=keep_metadata, room=room)
            if quick is not None:
                return quick
        loaded = _load(image, data, photo_format, notes)
        # HEIC's size may turn out another one in the end.
        limits.check_size(loaded.width, loaded.height)
        return _to_photo(loaded, data, photo_format, notes, keep_metadata=keep_metadata)


def decode_preview(data: bytes, limits: PhotoLimits, width_px: int, height_px: int) -> Photo | None:
    """Decode a usual JPEG file to a fraction of its size, as `decode_photo` does in full.

    Args:
        data: The file, as for `decode_photo`.
        limits: As for `decode_photo`.
        width_px: The least width, upright.
        height_px: The least height, upright.

    Returns:
        The smaller photo, without metadata and notes; None for a file that takes Pillow, as one
        with any fault does.

    Raises:
        InvalidPhotoError: As `read_size`.
        PhotoLimitError: As `read_size`.
    """
    with _opened(data, limits) as (image, _):
        if not isinstance(image, JpegImageFile):
            return None
        quick = _decode_quickly(
            image, data, keep_metadata=False, room=new_room, least_px=(width_px, height_px)
        )
        return quick and Photo(quick.rgb)


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
        UnsupportedPhotoError: It is HEIC, and HEIC's decoder is not installed.
        PhotoLimitError: It has too many bytes.
    """
    if not data:
        raise InvalidPhotoError("the photo is empty: 0 bytes", field=FIELD)
    limits.check_bytes(len(data))
    photo_format = format_of(data)
    if photo_format is None:
        raise unidentified(data)
    if not is_read(photo_format):
        raise unsupported(photo_format)
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
            yield image, photo_format
    except (ReasonedError, MemoryError):
        raise
    except Exception as exc:  # a decoder may raise anything on a hostile file
        # In its own words to the log alone: they speak of its own inside.
        log.info("a photo of format %s cannot be decoded: %r", photo_format.value, exc)
        raise unreadable(data, photo_format) from exc


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


def _decode_quickly(
    image: JpegImageFile,
    data: bytes,
    *,
    keep_metadata: bool,
    room: Room,
    least_px: tuple[int, int] | None = None,
) -> Photo | None:
    """Decode a JPEG file as most are; None for one that takes Pillow."""
    notes: list[str] = []
    exif = read_exif(image, notes)
    orientation = orientation_of(image, PhotoFormat.JPEG, exif)
    pixels = decode_quickly(image, data, orientation, room, least_px)
    if pixels is None:
        return None
    if not jpeg.has_end(data):
        notes.append(_NO_END)
    profile = profile_of(image, data, PhotoFormat.JPEG, image.mode, exif, notes)
    return Photo(
        rgb=pixels_to_srgb(pixels, profile, notes),
        metadata=kept_exif(exif, notes) if keep_metadata and exif is not None else b"",
        notes=tuple(notes),
    )


def _load(image: ImageFile, data: bytes, photo_format: PhotoFormat, notes: list[str]) -> ImageFile:
    """Decode the pixels; a JPEG file that only its end is missing from is still a picture."""
    try:
        image.load()
    except OSError:
        rescued = jpeg.without_end(data) if photo_format is PhotoFormat.JPEG else None
        if rescued is None:
            raise
        image = rescued
    if photo_format is PhotoFormat.JPEG and not jpeg.has_end(data):
        notes.append(_NO_END)
    return image


def _to_photo(
    image: ImageFile,
    data: bytes,
    photo_format: PhotoFormat,
    notes: list[str],
    *,
    keep_metadata: bool,
) -> Photo:
    if isinstance(image, PngFile):
        notes.extend(image.chunks.notes)
    exif = read_exif(image, notes)
    colors, alpha = split_alpha(image)
    profile = profile_of(image, data, photo_format, colors.mode, exif, notes)
    orientation = orientation_of(image, photo_format, exif)
    rgb = to_srgb(turned(colors, orientation), profile, notes)
    if alpha is not None:
        alpha = np.ascontiguousarray(turned(Image.fromarray(alpha), orientation))
    return Photo(
        rgb=np.ascontiguousarray(rgb),
        alpha=alpha,
        metadata=kept_exif(exif, notes) if keep_metadata and exif is not None else b"",
        notes=tuple(notes),
    )
