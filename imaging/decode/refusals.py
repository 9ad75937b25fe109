"""What a file is that cannot be read, in words for its caller: never those of a library."""

from typing import Final

from imaging.decode import jpeg
from imaging.decode.formats import PhotoFormat, accepted
from imaging.decode.limits import FIELD
from imaging.errors import InvalidPhotoError, UnsupportedPhotoError

# What people send in place of a photo, by its first bytes and where they are.
_OTHERS: Final = (
    (0, b"%PDF", "a PDF document"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (0, b"II\xbc", "a JPEG XR picture"),
    (0, b"FUJIFILMCCD-RAW", "a camera's raw file"),
    (4, b"ftypcrx ", "a camera's raw file"),
    (0, b"IIRO", "a camera's raw file"),
    (0, b"\0\0\1\0", "an icon"),
    (0, b"v/1\x01", "an OpenEXR picture"),
    (0, b"#?RADIANCE", "a Radiance picture"),
    (0, b"P6", "a portable pixmap"),
    (0, b"DDS ", "a DirectDraw surface"),
    (0, b"PK\3\4", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "an XML document"),
    (0, b"<!DOCTYPE", "an HTML page"),
    (0, b"<html", "an HTML page"),
    (0, b"data:", "a data URL"),
    (0, b"http", "an address, not what lies there"),
    (0, b"\x1aE\xdf\xa3", "a video"),
    (4, b"ftyp", "a video, or a picture of another kind in its container"),
)


def unidentified(data: bytes) -> InvalidPhotoError:
    """Make the error of a file that is none of the accepted formats."""
    start = data[:64].lstrip() if data[:1].isspace() else data[:64]
    other = next((words for at, magic, words in _OTHERS if start[at:].startswith(magic)), None)
    what = f"is {other}, not" if other else "is not"
    return InvalidPhotoError(
        f"the photo {what} a picture of an accepted format ({accepted()}); "
        f"it has {len(data)} bytes",
        field=FIELD,
    )


def unsupported(photo_format: PhotoFormat) -> UnsupportedPhotoError:
    """Make the error of a file of an accepted format whose decoder is not installed."""
    article = "an" if photo_format is PhotoFormat.AVIF else "a"
    return UnsupportedPhotoError(
        f"the photo is {article} {photo_format.value} file, which this installation does not read, "
        f"only {accepted()}; the dependency group heif adds it",
        field=FIELD,
    )


def unreadable(data: bytes, photo_format: PhotoFormat) -> InvalidPhotoError:
    """Make the error of a file of an accepted format whose decoder has given up."""
    if photo_format is PhotoFormat.JPEG and (words := jpeg.unread(data)):
        return InvalidPhotoError(f"the photo is {words}", field=FIELD)
    article = "an" if photo_format is PhotoFormat.AVIF else "a"
    return InvalidPhotoError(
        f"the photo is {article} {photo_format.value} file of {len(data)} bytes that cannot be "
        "decoded: its header or its pixels are broken or incomplete",
        field=FIELD,
    )
