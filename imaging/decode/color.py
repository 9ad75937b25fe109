"""Colours to sRGB and back into a file: depth, channels and ICC profiles.

A profile is applied by Little CMS, relative colorimetric with black point compensation: white
stays white, black stays black, and what sRGB holds keeps its colour.
"""

from functools import cache
from io import BytesIO
from typing import Final, cast

import numpy as np
from PIL import Image, ImageCms

from imaging.decode.limits import FIELD, MAX_PROFILE_BYTES, check_count
from imaging.errors import InvalidPhotoError
from imaging.types import Pixels

# Working spaces that modes of Pillow hold, as ICC profiles name them.
_SPACES: Final = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_PROBE_STEPS: Final = 6
_CREATED: Final = slice(24, 36)


class _UnfitProfileError(Exception):
    """A profile is for another kind of photo."""


@cache
def srgb_profile() -> bytes:
    """Return the sRGB profile that pictures carry; the same bytes always and everywhere."""
    profile = bytearray(_srgb().tobytes())
    # Little CMS writes the time of its making: 2000-01-01 instead.
    profile[_CREATED] = b"\x07\xd0\0\x01\0\x01\0\0\0\0\0\0"
    return bytes(profile)


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def split_alpha(image: Image.Image) -> tuple[Image.Image, Pixels | None]:
    """Part a photo into its colours, in whatever space they are, and its alpha.

    Args:
        image: A loaded photo of any mode.

    Returns:
        The colours in mode L, RGB or CMYK, 16 bits scaled to 8; (H, W) uint8 alpha, 255 opaque,
        or None where the photo has none.

    Raises:
        InvalidPhotoError: The samples are of a kind whose range is not known, such as floats.
    """
    if image.mode.startswith("I;16"):
        # Pillow's own conversion clips at 255.
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return Image.fromarray(grey), _own_alpha(image)
    if (own := _own_alpha(image)) is not None:
        return image.convert("L") if image.mode == "1" else image, own
    if image.has_transparency_data:
        rgba = image if image.mode in ("LA", "RGBA") else image.convert("RGBA")
        alpha = np.asarray(rgba.getchannel("A"))
        return rgba.convert("L" if rgba.mode == "LA" else "RGB"), alpha
    match image.mode:
        case "L" | "RGB" | "CMYK":
            return image, None
        case "1":
            return image.convert("L"), None
        case "P" | "RGBX" | "YCbCr":
            return image.convert("RGB"), None
        case mode:
            raise InvalidPhotoError(f"photos of sample type {mode!r} are not accepted", field=FIELD)


def _own_alpha(image: Image.Image) -> Pixels | None:
    """Return the alpha of a file that has found out by itself what is transparent in it."""
    alpha: Pixels | None = getattr(image, "alpha", None)
    return alpha


def to_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Pixels:
    """Convert a photo's colours to sRGB.

    Args:
        image: Mode L, RGB or CMYK.
        profile: The ICC profile that says what the colours mean; None: sRGB, or no particular
            CMYK.
        notes: Told if a profile cannot be used, and the colours were taken as if there were none.

    Returns:
        (H, W, 3) uint8, sRGB.

    Raises:
        PhotoLimitError: The profile is too large.
    """
    if profile:
        check_count("bytes of a colour profile", len(profile), MAX_PROFILE_BYTES)
        try:
            return _through(profile, image)
        except _UnfitProfileError as exc:
            notes.append(f"the colour profile was taken for absent, since {exc}")
        except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
            notes.append("the colour profile was taken for absent, since it is broken")
    if image.mode == "CMYK":
        notes.append("the photo is CMYK without a usable profile: its colours are approximate")
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def pixels_to_srgb(pixels: Pixels, profile: bytes | None, notes: list[str]) -> Pixels:
    """Convert colours to sRGB as `to_srgb` does; RGB that is sRGB already stays where it lies.

    Args:
        pixels: (H, W, 3) uint8, or (H, W) grey.
        profile: As of `to_srgb`.
        notes: As of `to_srgb`.
    """
    is_rgb = pixels.ndim > 2  # noqa: PLR2004
    if is_rgb and (profile is None or is_srgb(profile)):
        return pixels
    return np.ascontiguousarray(to_srgb(Image.fromarray(pixels), profile, notes))


def is_srgb(profile: bytes) -> bool:
    """Tell whether an ICC profile changes no RGB colour by more than a step; no at a fault."""
    if len(profile) > MAX_PROFILE_BYTES:
        return False
    try:
        opened = ImageCms.ImageCmsProfile(BytesIO(profile))
        return opened.profile.xcolor_space.strip() == "RGB" and _changes_nothing(
            _to_srgb_from(opened, "RGB")
        )
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return False


def _through(profile: bytes, image: Image.Image) -> Pixels:
    """Convert by a profile, or raise if it is none for such a photo."""
    opened = ImageCms.ImageCmsProfile(BytesIO(profile))
    space = opened.profile.xcolor_space.strip()
    if image.mode == "L" and space == "RGB":
        image = image.convert("RGB")  # a grey photo among an editor's RGB ones
    if space != _SPACES[image.mode]:
        raise _UnfitProfileError(f"it is for {space}, but the photo is {_SPACES[image.mode]}")
    if image.mode == "L":
        # One value has 256 cases; for the pixels, Little CMS would interpolate among far fewer.
        ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
        table = _to_srgb_from(opened, "L", ImageCms.Flags.NOOPTIMIZE).apply(ramp)
        return cast("Pixels", np.asarray(table)[0, np.asarray(image)])
    transform = _to_srgb_from(opened, image.mode)
    if image.mode == "RGB" and _changes_nothing(transform):
        return np.asarray(image)
    return np.asarray(transform.apply(image))


def _to_srgb_from(
    profile: ImageCms.ImageCmsProfile,
    mode: str,
    flags: ImageCms.Flags = ImageCms.Flags.NONE,
) -> ImageCms.ImageCmsTransform:
    return ImageCms.ImageCmsTransform(
        profile,
        _srgb(),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=flags | ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Tell by its effect whether a profile is sRGB: there are many such, by as many names."""
    steps = np.linspace(0, 255, _PROBE_STEPS).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    after = np.asarray(transform.apply(Image.fromarray(grid)), dtype=np.int16)
    return bool(np.abs(after - grid).max() <= 1)
