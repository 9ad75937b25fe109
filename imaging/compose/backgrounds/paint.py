"""Any background, painted at the picture's size."""

from typing import assert_never

from imaging.cancellation import Check, go_on
from imaging.compose.backgrounds.blurred import paint_blurred
from imaging.compose.backgrounds.gradient import paint_gradient
from imaging.compose.backgrounds.picture import paint_picture
from imaging.compose.blend import composite_over, paint_color
from imaging.compose.composition import (
    Background,
    BackgroundPicture,
    Blur,
    LinearGradient,
    RadialGradient,
    Scene,
    Transparent,
)
from imaging.compose.scenes import paint_scene
from imaging.compose.scenes.textures import textures
from imaging.framing.frame import Placement
from imaging.types import WHITE, Color, Cut, Photo, Pixels


def paint_background(
    background: Background,
    placement: Placement,
    photo: Photo,
    cut: Cut,
    light_angle_deg: float,
    check: Check = go_on,
) -> Pixels:
    """Paint what stands behind the product.

    Args:
        background: What it is, never transparent.
        placement: The frame to fill, and where the product stands in it.
        photo: The photo, for a background made of its own.
        cut: The product as cut out of the photo.
        light_angle_deg: Where a scene's light comes from, clockwise from straight above.
        check: Asked now and then whether to go on.

    Returns:
        (H, W, 3) uint8 of the frame's size, the caller's to write to.

    Raises:
        ValueError: The background is transparent.
    """
    width_px, height_px = placement.width_px, placement.height_px
    match background:
        case Color():
            return paint_color(background, width_px, height_px)
        case LinearGradient() | RadialGradient():
            (painted,) = textures.get(
                (background, width_px, height_px),
                lambda: (paint_gradient(background, width_px, height_px),),
            )
            return painted.copy()
        case BackgroundPicture():
            return paint_picture(background, width_px, height_px)
        case Blur():
            # Under a photo's transparency lies whatever its editor left there.
            seen = photo.rgb
            if photo.alpha is not None:
                seen = composite_over(photo.rgb, photo.alpha, WHITE)
            return paint_blurred(seen, cut.alpha, placement, background)
        case Scene():
            return paint_scene(
                background, width_px, height_px, placement.product, light_angle_deg, check
            )
        case Transparent():
            raise ValueError("a transparent background has no pixels")
        case _:
            assert_never(background)
