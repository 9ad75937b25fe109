"""What a photo's EXIF data says: which way is up, and what may travel on to the picture."""

from typing import Any, Final

from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.ImageFile import ImageFile

from imaging.decode.formats import PhotoFormat
from imaging.decode.tiff.file import TiffFile

# A camera's block has at most 64 KiB, the room that JPEG gives it. Tags unpack to many times
# their size, so a larger one is not looked into.
MAX_EXIF_BYTES: Final = 2**20

# What is about the photo, and not about how its file was laid out. The thumbnail is in a
# directory of its own and would show what was cut away.
_KEPT: Final = (
    *(Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime),
    *(Base.Artist, Base.HostComputer, Base.Copyright, Base.Rating),
)
# A maker's note points into the old file by offsets of its own; the others are set anew.
_NOT_KEPT: Final = {
    *(Base.MakerNote, Base.ExifInteroperabilityOffset),
    *(Base.ExifImageWidth, Base.ExifImageHeight, Base.ColorSpace),
}
_SRGB: Final = 1
_ADOBE_RGB: Final = 2
_INTEROPERABILITY_INDEX: Final = 1
_INCH: Final = 2


class _Text(str):
    """A text of whatever encoding: Pillow reads its bytes as Latin-1, and gets them back so.

    It would write ASCII, with a question mark for everything else.
    """

    __slots__ = ()

    def encode(self, encoding: str = "latin-1", errors: str = "strict") -> bytes:
        """Return the bytes that were read."""
        del encoding, errors
        return super().encode("latin-1", "replace")


def read_exif(image: ImageFile, notes: list[str]) -> Image.Exif | None:
    """Read a file's EXIF data; XMP, of which Pillow would take an orientation, is none.

    Args:
        image: The opened file. Of a TIFF file it is its own tags.
        notes: Told if they are too large, or cannot be read.

    Returns:
        The data; None if there are none that can be read.
    """
    if isinstance(image, TiffFile):
        try:
            return image.getexif()
        except Exception:  # noqa: BLE001  parsing hostile tags may raise anything
            notes.append("the EXIF data cannot be read")
            return None
    block = image.info.get("exif")
    if not block:
        return None
    if len(block) > MAX_EXIF_BYTES:
        notes.append(
            f"the EXIF data was not read: it has {len(block)} bytes; the limit is {MAX_EXIF_BYTES}"
        )
        return None
    exif = Image.Exif()
    try:
        exif.load(block)
        exif.get(Base.Orientation)
    except Exception:  # noqa: BLE001  as above
        notes.append("the EXIF data cannot be read, so the photo was not turned")
        return None
    return exif


def orientation_of(image: ImageFile, photo_format: PhotoFormat, exif: Image.Exif | None) -> int:
    """Return how a loaded photo is turned, 1 to 8 as EXIF has it; 1: upright.

    HEIC comes upright from its decoder. AVIF's decoder makes the container's own rotation an
    orientation, and drops what EXIF says beside it.
    """
    if isinstance(image, TiffFile):
        return image.layout.orientation
    if exif is None or photo_format is PhotoFormat.HEIF:
        return 1
    value = exif.get(Base.Orientation, 1)
    return value if isinstance(value, int) else 1


def says_adobe_rgb(exif: Image.Exif) -> bool:
    """Tell whether a camera says that it has written Adobe RGB (DCF 2.0, Exif 2.3)."""
    try:
        space = exif.get_ifd(IFD.Exif).get(Base.ColorSpace)
        if space == _SRGB:
            return False
        index = exif.get_ifd(IFD.Interop).get(_INTEROPERABILITY_INDEX, "")
    except Exception:  # noqa: BLE001  as above
        return False
    return space == _ADOBE_RGB or str(index).rstrip("\0 ") == "R03"


def kept_exif(exif: Image.Exif, notes: list[str]) -> bytes:
    """Return what of a photo's EXIF data is worth keeping, or nothing.

    Args:
        exif: From `read_exif`.
        notes: Told if there is EXIF data that cannot be kept.

    Returns:
        An EXIF block without orientation, size, thumbnail and maker's note; empty if the photo
        has none.
    """
    try:
        kept = Image.Exif()
        for tag in _KEPT:
            if tag in exif:
                kept[tag] = _as_read(exif[tag])
        taken = {
            tag: value for tag, value in exif.get_ifd(IFD.Exif).items() if tag not in _NOT_KEPT
        }
        for directory, tags in ((IFD.Exif, taken), (IFD.GPSInfo, exif.get_ifd(IFD.GPSInfo))):
            if tags:
                kept[directory] = _all_as_read(tags)
        return kept.tobytes() if len(kept) else b""
    except Exception:  # noqa: BLE001  as above
        notes.append("the EXIF data cannot be kept: they are broken")
        return b""


def picture_exif(kept: bytes, width_px: int, height_px: int, resolution_dpi: int) -> bytes:
    """Return the EXIF block of a finished picture.

    Args:
        kept: From `kept_exif`; empty for a block that holds the resolution and nothing else.
        width_px: The picture's width.
        height_px: The picture's height.
        resolution_dpi: The picture's resolution, pixels per inch.

    Returns:
        The block, beginning with its six bytes of identification. It states no orientation, which
        is upright: AVIF's encoder would take it out, and with it all text that is not ASCII.
    """
    exif = Image.Exif()
    if kept:
        exif.load(kept)
        for tag in list(exif):
            exif[tag] = _as_read(exif[tag])
        if place := exif.get_ifd(IFD.GPSInfo):
            exif[IFD.GPSInfo] = _all_as_read(place)
        exif[IFD.Exif] = _all_as_read(exif.get_ifd(IFD.Exif)) | {
            Base.ExifImageWidth: width_px,
            Base.ExifImageHeight: height_px,
            Base.ColorSpace: _SRGB,
        }
    exif[Base.XResolution] = exif[Base.YResolution] = float(resolution_dpi)
    exif[Base.ResolutionUnit] = _INCH
    return exif.tobytes()


def _as_read(value: Any) -> Any:
    return _Text(value) if isinstance(value, str) else value


def _all_as_read(tags: dict[int, Any]) -> dict[int, Any]:
    return {tag: _as_read(value) for tag, value in tags.items()}
