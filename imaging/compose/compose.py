"""Fourth step: product, background and frame to one picture."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from imaging.cancellation import Check, go_on
from imaging.compose.backgrounds.paint import paint_background
from imaging.compose.blend import (
    composite_cut,
    composite_onto,
    composite_over,
    on_transparency,
    paint_color,
)
from imaging.compose.border import clear_border
from imaging.compose.composition import (
    Background,
    Blur,
    Content,
    Look,
    Scene,
    ShadowKind,
    Staging,
    Transparent,
)
from imaging.compose.scenes import suits
from imaging.compose.staging.harmonise import match_colors
from imaging.compose.staging.reflection import reflect
from imaging.compose.staging.shade import over_shadow, shade
from imaging.compose.staging.shadow import cast_shadow
from imaging.framing.frame import Placement, cut_off, place_in_frame, stay_in_place
from imaging.framing.placement import place
from imaging.matting.guided import SURELY_OUT
from imaging.matting.refine import box_of, find_product
from imaging.types import WHITE, Box, Color, Cut, Photo, Pixels, Sides

_DEFAULT_SHADOW_OPACITY: Final = 0.45


@dataclass(frozen=True, slots=True)
class Composition:
    """The finished picture, before encoding.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB, (H, W, 4) with straight alpha on a transparent background, or
            (H, W) for a mask.
        product: The product's box in it.
        magnification: Factor from the photo's pixels to the picture's.
        cut_off: The sides of the photo that cut the product off.
        notes: What of the look could not be had, a sentence each.
    """

    pixels: Pixels
    product: Box
    magnification: float
    cut_off: Sides
    notes: tuple[str, ...] = ()


def compose(
    cut: Cut,
    photo: Photo,
    look: Look,
    check: Check = go_on,
    admit: Callable[[int], None] = lambda _pixels: None,
) -> Composition:
    """Set the product before its background, in the photo's own frame or in a new one.

    Args:
        cut: The product, cut out of its photo.
        photo: The photo.
        look: What the packshot shall look like.
        check: Asked between the parts of the work whether to go on; it raises what ends it.
        admit: Called with the picture's pixels, once they are known and before one is painted; it
            raises what ends the work.

    Returns:
        The picture, with the product's box in it.

    Raises:
        NoForegroundError: The cut holds no product.
        InvalidOptionError: The frame would be larger than allowed, or leaves no room.
    """
    product = find_product(cut.alpha)
    visible = box_of(cut.alpha, 1) or product
    if look.frame:
        placement = place_in_frame(look.frame, photo.width_px, photo.height_px, product, visible)
    else:
        placement = stay_in_place(photo.width_px, photo.height_px, product, visible)
    admit(placement.width_px * placement.height_px)
    placed = place(cut, placement)
    sides = cut_off(product, photo.width_px, photo.height_px)
    if look.clears_border:
        placed = clear_border(placed, placement.product, sides)
    return Composition(
        _show(placed, placement, cut, photo, look, check),
        placement.product,
        placement.magnification,
        sides,
        (*placement.notes, *_notes(look.background, cut)),
    )


def _notes(background: Background, cut: Cut) -> Iterator[str]:
    if isinstance(background, Blur) and int(cut.alpha.min()) > SURELY_OUT:
        yield "the product covers the whole photo; there is no background to blur, grey stands in"


def _show(
    placed: Cut, placement: Placement, cut: Cut, photo: Photo, look: Look, check: Check
) -> Pixels:
    check()
    match look.content:
        case Content.MASK:
            return placed.alpha
        case Content.ALPHA:
            black = np.zeros_like(placed.alpha)
            return np.asarray(cv2.merge((black, black, black, placed.alpha)), dtype=np.uint8)
        case Content.PICTURE | Content.LAYERS:
            staging = _suited(look.staging, look.background)
            if isinstance(look.background, Transparent):
                return _without_background(placed, placement.product, staging)
            if isinstance(look.background, Color) and _is_plain(staging):
                return _on_color(placed, placement.target, look.background)
            behind = paint_background(
                look.background, placement, _as_seen(photo), cut, staging.light_angle_deg, check
            )
            return _before(np.ascontiguousarray(behind), placed, placement, staging, check)


def _as_seen(photo: Photo) -> Photo:
    """Return a photo on white: the colours under its transparency are nobody's business."""
    if photo.alpha is None:
        return photo
    return Photo(composite_over(photo.rgb, photo.alpha, WHITE))


def _suited(staging: Staging, background: Background) -> Staging:
    """Fill in what the staging leaves to the background."""
    in_scene = isinstance(background, Scene)
    fitting = suits(background.kind) if isinstance(background, Scene) else None
    shadow = staging.shadow or (ShadowKind.CONTACT if in_scene else ShadowKind.NONE)
    opacity, reflection = staging.shadow_opacity, staging.reflection
    if opacity is None:
        opacity = fitting.shadow_opacity if fitting else _DEFAULT_SHADOW_OPACITY
    if reflection is None:
        reflection = fitting.reflection if fitting else 0.0
    return replace(staging, shadow=shadow, shadow_opacity=opacity, reflection=reflection)


def _is_plain(staging: Staging) -> bool:
    return not _has_shadow(staging) and not staging.reflection and not staging.color_match


def _has_shadow(staging: Staging) -> bool:
    return staging.shadow is not ShadowKind.NONE and bool(staging.shadow_opacity)


def _shadow(placed: Cut, product: Box, staging: Staging) -> Pixels:
    return cast_shadow(
        placed.alpha,
        product,
        staging.shadow or ShadowKind.NONE,
        staging.shadow_opacity or 0.0,
        staging.light_angle_deg,
    )


def _without_background(placed: Cut, product: Box, staging: Staging) -> Pixels:
    if _has_shadow(staging):
        shadow = _shadow(placed, product, staging)
        placed = Cut(*over_shadow(placed.foreground, placed.alpha, shadow), placed.confidence)
    # What does not show is white: the old background is nobody's business, takes half of the file
    # and of the time to write it, and who drops the alpha then sees the product on white.
    return on_transparency(placed)


def _on_color(placed: Cut, target: Box, color: Color) -> Pixels:
    """Paint the colour everywhere and the product inside the box that holds all of it."""
    height_px, width_px = placed.alpha.shape
    pixels = paint_color(color, width_px, height_px)
    composite_cut(placed, target, pixels)
    return pixels


def _before(
    behind: Pixels, placed: Cut, placement: Placement, staging: Staging, check: Check
) -> Pixels:
    """Set the product before a painted background, which is written to."""
    if staging.color_match:
        matched = match_colors(placed.foreground, placed.alpha, behind, staging.color_match)
        placed = Cut(matched, placed.alpha, placed.confidence)
    check()
    if staging.reflection:
        mirrored = reflect(placed, placement.product, staging.reflection)
        if mirrored:
            mirrored_rgb, mirrored_alpha, box = mirrored
            composite_onto(mirrored_rgb, mirrored_alpha, behind[box.slices])
    check()
    if _has_shadow(staging):
        shade(behind, _shadow(placed, placement.product, staging))
    composite_cut(placed, placement.target, behind)
    return behind
