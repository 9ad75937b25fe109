"""The file formats that photos come in: told by the first bytes, each with what opens it."""

from collections.abc import Callable
from enum import Enum
from io import BytesIO
from typing import Final

from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.WebPImagePlugin import WebPImageFile

from imaging.decode.bmp import BmpFile
from imaging.decode.png import PngFile
from imaging.decode.tiff.file import TiffFile

try:
    import pillow_heif
except ImportError:
    # Its wheel holds code under the GPL, so that it is a dependency group of its own.
    pillow_heif = None  # type: ignore[assignment]


class PhotoFormat(Enum):
    """A file format that photos are accepted in."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    AVIF = "AVIF"
    HEIF = "HEIC"
    TIFF = "TIFF"
    BMP = "BMP"
    GIF = "GIF"


# The classes themselves instead of `Image.open`: it would open a multi-picture JPEG as all its
# pictures, know HEIC only after a registration for the whole process, and apply a pixel limit
# that cannot be named.
_OPENERS: Final[dict[PhotoFormat, Callable[[BytesIO], ImageFile]]] = {
    PhotoFormat.JPEG: JpegImageFile,
    PhotoFormat.PNG: PngFile,
    PhotoFormat.WEBP: WebPImageFile,
    PhotoFormat.AVIF: AvifImageFile,
    PhotoFormat.TIFF: TiffFile,
    PhotoFormat.BMP: BmpFile,
    PhotoFormat.GIF: GifImageFile,
}
if pillow_heif is not None:
    _OPENERS[PhotoFormat.HEIF] = pillow_heif.HeifImageFile

_MAGICS: Final = {
    b"\xff\xd8\xff": PhotoFormat.JPEG,
    b"\x89PNG\r\n\x1a\n": PhotoFormat.PNG,
    b"II*\0": PhotoFormat.TIFF,
    b"MM\0*": PhotoFormat.TIFF,
    b"II+\0": PhotoFormat.TIFF,
    b"MM\0+": PhotoFormat.TIFF,
    b"BM": PhotoFormat.BMP,
    b"GIF87a": PhotoFormat.GIF,
    b"GIF89a": PhotoFormat.GIF,
}
_AVIF_BRANDS: Final = {b"avif", b"avis"}
_HEIF_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
# Brands of the container that both share: the compatible ones then tell which it is.
_CONTAINER_BRANDS: Final = {b"mif1", b"msf1"}
_MAX_FTYP_BYTES: Final = 256


def format_of(data: bytes) -> PhotoFormat | None:
    """Tell a file's format by its first bytes; None for one that is not accepted."""
    for magic, photo_format in _MAGICS.items():
        if data.startswith(magic):
            return photo_format
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    return _by_brand(data) if data[4:8] == b"ftyp" else None


def is_read(photo_format: PhotoFormat) -> bool:
    """Tell whether the decoder of a format is installed; only HEIC's may be missing."""
    return photo_format in _OPENERS


def accepted() -> str:
    """Name the formats that are read here, for a message."""
    *names, last = (each.value for each in PhotoFormat if is_read(each))
    return f"{', '.join(names)} and {last}"


def open_header(data: bytes, photo_format: PhotoFormat) -> ImageFile:
    """Open a file of a format: its header is read, its pixels are not."""
    return _OPENERS[photo_format](BytesIO(data))


def _by_brand(data: bytes) -> PhotoFormat | None:
    length = min(int.from_bytes(data[:4], "big"), _MAX_FTYP_BYTES)
    major = data[8:12]
    brands = {major, *(data[at : at + 4] for at in range(16, length, 4))}
    if major in _AVIF_BRANDS:
        return PhotoFormat.AVIF
    if major in _HEIF_BRANDS:
        return PhotoFormat.HEIF
    if major in _CONTAINER_BRANDS:
        return PhotoFormat.AVIF if brands & _AVIF_BRANDS else PhotoFormat.HEIF
    return None
