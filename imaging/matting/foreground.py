"""Part of the third step: the product's own colours along its edge.

A soft pixel of a photo is product and background mixed, `I = alpha F + (1 - alpha) B`; blended
over a new background as it is, it takes the old one along. F is estimated by blur-fusion (Forte:
Approximate Fast Foreground Colour Estimation, ICIP 2021): F and B are averaged around each pixel,
weighted by alpha and 1 - alpha, and what the two then fail to explain of the pixel's colour is
added to F in proportion to alpha. Two passes: a wide one that reaches opaque product from
anywhere in the edge, a narrow one that brings its detail back.
"""

import cv2
import numpy as np

from imaging.matting.guided import SURELY_IN, SURELY_OUT
from imaging.matting.unmixing import unmix
from imaging.matting.wide_averages import STRIDE_PX, average_widely
from imaging.types import Cut, OwnColors, Pixels


def estimate_foreground(rgb: Pixels, alpha: Pixels) -> Pixels:
    """Estimate the colours that the product has where it is see-through.

    Args:
        rgb: (H, W, 3) uint8, the photo.
        alpha: (H, W) uint8, the product's opacity in it.

    Returns:
        (H, W, 3) uint8: the photo's own pixels where alpha is 255, and far from every edge.
    """
    return Cut(rgb, alpha, 1.0, own_colors(rgb, alpha)).foreground


def own_colors(rgb: Pixels, alpha: Pixels) -> OwnColors:
    """Estimate the same colours where the product is see-through, and nothing elsewhere.

    Args:
        rgb: (H, W, 3) uint8, the photo.
        alpha: (H, W) uint8, the product's opacity in it.
    """
    rgb, alpha = np.ascontiguousarray(rgb), np.ascontiguousarray(alpha)
    height_px, width_px = alpha.shape
    unsure = np.empty((height_px, width_px), np.uint8)
    cv2.inRange(alpha, SURELY_OUT + 1, SURELY_IN - 1, unsure)
    averages = np.empty((6, -(-height_px // STRIDE_PX), -(-width_px // STRIDE_PX)), np.float32)
    average_widely(rgb, alpha, averages)
    own = np.empty((height_px, width_px, 3), np.uint8)
    unmix(rgb, alpha, unsure, averages, own)
    return OwnColors(own, unsure)
