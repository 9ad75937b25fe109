"""Fourth step: product, background and frame to one picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from gateway.pipeline.arrays import Box, Color, Cut, Pixels
from gateway.pipeline.blend import composite_over
from gateway.pipeline.frame import Frame, Placement, place_in_frame
from gateway.pipeline.refine import box_of, find_product
from gateway.pipeline.resample import resample


@dataclass(frozen=True, slots=True)
class Composition:
    """The finished picture, before encoding.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB, or (H, W, 4) with straight alpha on a transparent background.
        product: The product's box in it.
        product_scale: Factor from the photo's pixels to the picture's.
    """

    pixels: Pixels
    product: Box
    product_scale: float


def compose(cut: Cut, background: Color | None, frame: Frame | None) -> Composition:
    """Set the product on its background, in the photo's own frame or in a new one.

    Args:
        cut: The product, cut out of its photo.
        background: The colour behind the product; None for transparency.
        frame: The frame to centre the product in; None keeps the photo's.

    Returns:
        The picture, with the product's box in it.

    Raises:
        NoForegroundError: The cut holds no product.
        InvalidOptionError: The frame would be larger than allowed.
    """
    product = find_product(cut.alpha)
    visible = box_of(cut.alpha, 1) or product
    if frame is None:
        pixels = _paint(cut.foreground, cut.alpha, background, visible)
        return Composition(pixels, product, product_scale=1.0)
    placement = place_in_frame(frame, product, visible)
    rgb, placed_alpha = _place(cut.foreground, cut.alpha, placement)
    pixels = _paint(rgb, placed_alpha, background, placement.target)
    return Composition(pixels, placement.product, placement.scale)


def _paint(rgb: Pixels, alpha: Pixels, background: Color | None, painted: Box) -> Pixels:
    """Paint the background everywhere and the product inside the box that holds all of it."""
    if background is None:
        return np.asarray(cv2.merge((rgb, alpha)), dtype=np.uint8)
    pixels = np.empty_like(rgb)
    # By rows: NumPy repeats a row far faster than a colour.
    pixels[:] = np.tile(np.array(background, np.uint8), (rgb.shape[1], 1))
    inside = painted.slices
    pixels[inside] = composite_over(rgb[inside], alpha[inside], background)
    return pixels


def _place(rgb: Pixels, alpha: Pixels, placement: Placement) -> tuple[Pixels, Pixels]:
    """Scale what the placement takes of the cut and set it into an empty frame."""
    source, target = placement.source.slices, placement.target
    # Colours are averaged by their opacity, or the old background would bleed into the edge.
    alphas = cv2.merge((alpha[source],) * 3)
    premultiplied = np.asarray(cv2.multiply(rgb[source], alphas, scale=1 / 255), dtype=np.uint8)
    scaled_alpha = resample(alpha[source], target.width, target.height)
    scaled = resample(premultiplied, target.width, target.height)
    straight = cv2.divide(scaled, cv2.merge((scaled_alpha,) * 3), scale=255)

    placed = np.zeros((placement.height_px, placement.width_px, 3), np.uint8)
    placed_alpha = np.zeros(placed.shape[:2], np.uint8)
    placed[target.slices] = straight
    placed_alpha[target.slices] = scaled_alpha
    return placed, placed_alpha
