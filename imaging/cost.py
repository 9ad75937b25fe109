"""How much processor time a render takes, told by its sizes and options before its work is done.

The figures are of one core of the reference machine (an x86-64 server core of about 2.5 GHz), per
megapixel, measured on textured pictures; plainer ones take less. `docs/load.md` has the table.
"""

from dataclasses import dataclass
from typing import Final

from imaging.compose.composition import (
    Blur,
    Content,
    LinearGradient,
    RadialGradient,
    Scene,
    ShadowKind,
    Staging,
    Transparent,
)
from imaging.compose.scenes.scene import MOST_PAINTED
from imaging.encode import PictureFormat
from imaging.errors import InvalidOptionError

_MEGA: Final = 1e6
# Of a decoded photo's pixels: decoding, cutting out, and correcting the cut.
_DECODE, _CUT_OUT, _MARKS = 0.02, 0.015, 0.025
# Of the picture's pixels.
_PLACE, _GRADIENT, _BLUR = 0.012, 0.025, 0.03
_SCENE, _LARGE_SCENE, _TEXTURE_S = 0.04, 0.018, 0.15
_SHADOW, _REFLECTION, _COLOR_MATCH = 0.014, 0.004, 0.014
_FIXED_S: Final = 0.02
_PNG, _PNG_ALPHA = 0.03, 1.35
_JPEG: Final = (0.005, 0.01, 0.021)
_WEBP: Final = (0.035, 0.115, 0.145)
_WEBP_ALPHA: Final = 0.26
_AVIF: Final = (0.1, 0.25, 0.48)
_AVIF_ALPHA: Final = 1.4
_GREY: Final = 0.4
# Reading the finished file again for a preset's verdict.
_READ: Final = {
    PictureFormat.PNG: 0.03,
    PictureFormat.JPEG: 0.015,
    PictureFormat.WEBP: 0.04,
    PictureFormat.AVIF: 0.07,
}
# Where the three figures of a lossy format are.
_QUALITIES: Final = (1, 90, 100)


@dataclass(frozen=True, slots=True)
class Work:
    """What a render is asked to do.

    Attributes:
        photo_px: The photo's pixels.
        background_px: The background picture's pixels; 0 for none.
        picture_px: The finished picture's pixels; 0 while they are not known.
        background: What stands behind the product; anything that is no type of `look` counts as a
            colour.
        staging: How the product sits before it.
        content: What the file shows.
        picture_format: The file's format.
        quality: 1 to 100.
        is_judged: Whether the file is read again for a verdict.
        masks_px: Pixels of the masks that correct the cut; 0 for none.
        is_marked: Whether a region or a mask corrects the cut.
    """

    photo_px: int
    background_px: int
    picture_px: int
    background: object
    staging: Staging
    content: Content
    picture_format: PictureFormat
    quality: int
    is_judged: bool
    masks_px: int = 0
    is_marked: bool = False


def estimate_s(work: Work) -> float:
    """Return the processor time that a render takes on one reference core, seconds."""
    return (
        _FIXED_S
        + (work.photo_px + work.background_px + work.masks_px) / _MEGA * _DECODE
        + work.photo_px / _MEGA * (_CUT_OUT + (_MARKS if work.is_marked else 0.0))
        + _composing_s(work)
        + encoding_s(work)
        + (work.picture_px / _MEGA * _READ[work.picture_format] if work.is_judged else 0.0)
    )


def check_cost(work: Work, limit_s: float) -> None:
    """Check that a render takes no more processor time than one may.

    Raises:
        InvalidOptionError: It would, by the estimate.
    """
    cost_s = estimate_s(work)
    if cost_s <= limit_s:
        return
    raise InvalidOptionError(
        f"the picture would take about {cost_s:.1f} s of a processor core, of which "
        f"{encoding_s(work):.1f} s to write {work.picture_px / _MEGA:.1f} megapixels as "
        f"{work.picture_format.value} at quality {work.quality}; the limit is {limit_s:g} s: ask "
        "for a smaller picture or another format",
        field="format",
        figures={"limit_s": f"{limit_s:g}", "estimate_s": f"{cost_s:.1f}"},
    )


def encoding_s(work: Work) -> float:
    """Return the part of `estimate_s` that writing the file takes, seconds."""
    megapixels = work.picture_px / _MEGA
    has_alpha = work.content is Content.ALPHA or (
        work.content is Content.PICTURE and isinstance(work.background, Transparent)
    )
    match work.picture_format:
        case PictureFormat.PNG:
            per_megapixel = _PNG * (_PNG_ALPHA if has_alpha else 1)
        case PictureFormat.JPEG:
            per_megapixel = _at_quality(_JPEG, work.quality)
        case PictureFormat.WEBP:
            per_megapixel = _at_quality(_WEBP, work.quality) + (_WEBP_ALPHA if has_alpha else 0)
        case PictureFormat.AVIF:
            per_megapixel = _at_quality(_AVIF, work.quality) * (_AVIF_ALPHA if has_alpha else 1)
    if work.content is Content.MASK:
        per_megapixel *= _GREY
    if work.content is Content.LAYERS:
        per_megapixel += _PNG * _GREY
    return megapixels * per_megapixel


def _at_quality(figures: tuple[float, float, float], quality: int) -> float:
    low, usual, high = figures
    first, middle, last = _QUALITIES
    if quality <= middle:
        return low + (usual - low) * (quality - first) / (middle - first)
    return usual + (high - usual) * (quality - middle) / (last - middle)


def _composing_s(work: Work) -> float:
    megapixels, staging = work.picture_px / _MEGA, work.staging
    placing_s = megapixels * _PLACE
    if work.content in {Content.MASK, Content.ALPHA}:
        return placing_s
    match work.background:
        case LinearGradient() | RadialGradient():
            painting_s = megapixels * _GRADIENT
        case Blur():
            painting_s = megapixels * _BLUR
        case Scene():
            painting_s = megapixels * (_SCENE if work.picture_px <= MOST_PAINTED else _LARGE_SCENE)
            painting_s += _TEXTURE_S
        case _:
            painting_s = 0.0
    in_scene = isinstance(work.background, Scene)
    shadow = staging.shadow or (ShadowKind.CONTACT if in_scene else ShadowKind.NONE)
    staged = _SHADOW if shadow is not ShadowKind.NONE else 0.0
    reflects = in_scene if staging.reflection is None else staging.reflection > 0
    staged += _REFLECTION if reflects else 0.0
    staged += _COLOR_MATCH if staging.color_match else 0.0
    return placing_s + painting_s + megapixels * staged
