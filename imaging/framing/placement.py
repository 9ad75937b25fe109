"""The cut set into its frame: what `frame` decided, done to pixels."""

import cv2
import numpy as np

from imaging.framing.frame import Placement
from imaging.resample import resample
from imaging.types import Cut, Pixels


def place(cut: Cut, placement: Placement) -> Cut:
    """Scale what a placement takes of a cut and set it into an empty frame.

    Args:
        cut: The product, cut out of its photo.
        placement: Where it goes.

    Returns:
        The cut in its frame, transparent outside the placement's target; the same cut if it stays
        where it is. Pixels that only move keep their values.
    """
    source, target = placement.source, placement.target
    height_px, width_px = cut.alpha.shape
    if source == target and (placement.width_px, placement.height_px) == (width_px, height_px):
        return cut
    rgb, alpha = cut.colors_within(source), cut.alpha[source.slices]
    if (source.width, source.height) != (target.width, target.height):
        rgb, alpha = _resampled(rgb, alpha, target.width, target.height)
    placed = np.zeros((placement.height_px, placement.width_px, 3), np.uint8)
    placed_alpha = np.zeros(placed.shape[:2], np.uint8)
    placed[target.slices] = rgb
    placed_alpha[target.slices] = alpha
    return Cut(placed, placed_alpha, cut.confidence)


def _resampled(rgb: Pixels, alpha: Pixels, width_px: int, height_px: int) -> tuple[Pixels, Pixels]:
    # Colours are averaged by their opacity, or the old background would bleed into the edge.
    opacity = cv2.merge((alpha,) * 3)
    premultiplied = np.asarray(cv2.multiply(rgb, opacity, scale=1 / 255), dtype=np.uint8)
    scaled_alpha = resample(alpha, width_px, height_px)
    scaled = resample(premultiplied, width_px, height_px)
    straight = cv2.divide(scaled, cv2.merge((scaled_alpha,) * 3), scale=255)
    return np.asarray(straight, dtype=np.uint8), scaled_alpha
