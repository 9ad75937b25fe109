"""What a file says that its colours are, in whichever of the words that its format has for it."""

import struct
from typing import Final

from PIL import Image
from PIL.ImageFile import ImageFile

from imaging.decode.boxes import primary_codes
from imaging.decode.colorimetry import (
    ADOBE_RGB,
    ADOBE_RGB_GAMMA,
    CURVES,
    PRIMARIES,
    SRGB,
    SRGB_CURVE,
    UNSPECIFIED,
    Primaries,
    grey_profile,
    rgb_profile,
)
from imaging.decode.formats import PhotoFormat
from imaging.decode.metadata import says_adobe_rgb
from imaging.decode.png import PngFile

_BOXED: Final = {PhotoFormat.AVIF, PhotoFormat.HEIF}
# A display's gamma of 2.2, which stands for sRGB's own curve unless it is farther off than this.
_DISPLAY_GAMMA: Final = 2.2
_GAMMA_WITHIN: Final = 0.05
_FULL_RANGE: Final = 1


def profile_of(  # noqa: PLR0911  one for each of the words
    image: ImageFile,
    data: bytes,
    photo_format: PhotoFormat,
    mode: str,
    exif: Image.Exif | None,
    notes: list[str],
) -> bytes | None:
    """Return the ICC profile by which a photo's colours are to be converted to sRGB.

    Args:
        image: The opened file.
        data: The file.
        photo_format: Its format.
        mode: The colours' mode: L, RGB or CMYK.
        exif: Its EXIF data; None where there are none.
        notes: Told what is said of the colours but cannot be followed.

    Returns:
        The file's own profile, or one made of what it says otherwise; None: it is sRGB, or says
        nothing.
    """
    found = image.chunks.found if isinstance(image, PngFile) else {}
    if codes := found.get(b"cICP"):
        return _by_cicp(codes, mode, notes)
    if own := image.info.get("icc_profile"):
        return bytes(own)
    if mode == "CMYK" or b"sRGB" in found:
        return None
    if b"gAMA" in found or b"cHRM" in found:
        return _by_gamma(found.get(b"gAMA"), found.get(b"cHRM"), mode, notes)
    if photo_format in _BOXED and (pair := _boxed_codes(image, data)):
        return _by_codes(*pair, mode, notes)
    if exif is not None and mode == "RGB" and says_adobe_rgb(exif):
        return rgb_profile(ADOBE_RGB, ADOBE_RGB_GAMMA)
    return None


def _by_cicp(codes: bytes, mode: str, notes: list[str]) -> bytes | None:
    if codes[3] == _FULL_RANGE:
        return _by_codes(codes[0], codes[1], mode, notes)
    notes.append("the colours were taken for sRGB's: cICP of a narrow range is not followed")
    return None


def _boxed_codes(image: ImageFile, data: bytes) -> tuple[int, int] | None:
    named = image.info.get("nclx_profile")
    if isinstance(named, dict):
        return int(named["color_primaries"]), int(named["transfer_characteristics"])
    return primary_codes(data)


def _by_codes(primaries: int, transfer: int, mode: str, notes: list[str]) -> bytes | None:
    known = SRGB if primaries == UNSPECIFIED else PRIMARIES.get(primaries)
    curve = CURVES.get(transfer)
    if known is None or curve is None:
        notes.append(
            f"the colours were taken for sRGB's: primaries {primaries} with transfer "
            f"characteristics {transfer} are followed only in an ICC profile"
        )
        return None
    return _made(known, curve, mode, notes)


def _by_gamma(
    gamma: bytes | None, chromaticities: bytes | None, mode: str, notes: list[str]
) -> bytes | None:
    curve, primaries = SRGB_CURVE, SRGB
    if gamma is not None:
        (hundred_thousandths,) = struct.unpack_from(">I", gamma)
        if not hundred_thousandths:
            notes.append("the colours were taken for sRGB's: the file's gamma is 0")
            return None
        curve = 100_000 / hundred_thousandths
        if abs(curve / _DISPLAY_GAMMA - 1) <= _GAMMA_WITHIN:
            curve = SRGB_CURVE
    if chromaticities is not None:
        white_x, white_y, *others = (
            each / 100_000 for each in struct.unpack_from(">8I", chromaticities)
        )
        red, green, blue = zip(others[::2], others[1::2], strict=True)
        primaries = Primaries(red, green, blue, (white_x, white_y))
    return _made(primaries, curve, mode, notes)


def _made(primaries: Primaries, curve: float, mode: str, notes: list[str]) -> bytes | None:
    """Return a profile; none for what is sRGB, and for what is no space of colours, with a note."""
    try:
        if mode == "L":
            return None if curve == SRGB_CURVE else grey_profile(curve)
        if curve == SRGB_CURVE and primaries.is_near(SRGB):
            return None
        return rgb_profile(primaries, curve)
    except ValueError as exc:
        notes.append(
            f"the colours were taken for sRGB's: what the file says of them is wrong: {exc}"
        )
        return None
