"""What a photo's EXIF data says: which way is up, and what may travel on to the picture."""

from typing import Final

from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.ImageFile import ImageFile

from gateway.pipeline.orientation import turned

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
_INCH: Final = 2


def upright(image: ImageFile, notes: list[str]) -> Image.Image:
    """Turn a loaded photo by its EXIF orientation.

    Args:
        image: The photo. TIFF and HEIC come upright from their decoders, which leave no
            orientation behind; AVIF's own rotation is made an orientation by its decoder.
        notes: Told if the EXIF data cannot be read; the photo then stays as it is.

    Returns:
        The upright photo.
    """
    size_bytes = len(image.info.get("exif") or b"")
    if size_bytes > MAX_EXIF_BYTES:
        del image.info["exif"]
        notes.append(
            f"the EXIF data was not read: it has {size_bytes} bytes; the limit is {MAX_EXIF_BYTES}"
        )
    try:
        orientation = image.getexif().get(Base.Orientation, 1)
    except Exception as exc:  # noqa: BLE001  parsing hostile tags may raise anything
        image.info.pop("exif", None)
        notes.append(f"the EXIF data cannot be read, so the photo was not turned: {exc}")
        return image
    return turned(image, orientation)


def kept_exif(image: ImageFile, notes: list[str]) -> bytes:
    """Return what of a photo's EXIF data is worth keeping, or nothing.

    Args:
        image: The loaded photo.
        notes: Told if there is EXIF data that cannot be kept.

    Returns:
        An EXIF block without orientation, size, thumbnail and maker's note; empty if the photo
        has none.
    """
    try:
        exif = image.getexif()
        kept = Image.Exif()
        for tag in _KEPT:
            if tag in exif:
                kept[tag] = exif[tag]
        taken = {
            tag: value for tag, value in exif.get_ifd(IFD.Exif).items() if tag not in _NOT_KEPT
        }
        for directory, tags in ((IFD.Exif, taken), (IFD.GPSInfo, exif.get_ifd(IFD.GPSInfo))):
            if tags:
                kept[directory] = dict(tags)
        return kept.tobytes() if len(kept) else b""
    except Exception as exc:  # noqa: BLE001  as above
        notes.append(f"the EXIF data cannot be kept: {exc}")
        return b""


def picture_exif(kept: bytes, width_px: int, height_px: int, resolution_dpi: int) -> bytes:
    """Return the EXIF block of a finished picture.

    Args:
        kept: From `kept_exif`; empty for a block that holds the resolution and nothing else.
        width_px: The picture's width.
        height_px: The picture's height.
        resolution_dpi: The picture's resolution, pixels per inch.

    Returns:
        The block, beginning with its six bytes of identification.
    """
    exif = Image.Exif()
    if kept:
        exif.load(kept)
        exif[Base.Orientation] = 1
        exif[IFD.Exif] = exif.get_ifd(IFD.Exif) | {
            Base.ExifImageWidth: width_px,
            Base.ExifImageHeight: height_px,
            Base.ColorSpace: _SRGB,
        }
    exif[Base.XResolution] = exif[Base.YResolution] = float(resolution_dpi)
    exif[Base.ResolutionUnit] = _INCH
    return exif.tobytes()
