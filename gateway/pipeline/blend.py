"""Blending over a colour, for the steps that need it."""

import cv2
import numpy as np

from gateway.pipeline.arrays import Color, Pixels


def composite_over(rgb: Pixels, alpha: Pixels, color: Color) -> Pixels:
    """Blend pixels over one colour (Porter and Duff's `over`, straight alpha).

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        color: The colour behind.

    Returns:
        (H, W, 3) uint8, within 1 of the exact value; exactly `rgb` where alpha is 255 and exactly
        `color` where it is 0.
    """
    alphas = cv2.merge((alpha, alpha, alpha))
    front = cv2.multiply(rgb, alphas, scale=1 / 255)
    transparency = 255 - np.arange(256, dtype=np.float64)
    shares = np.rint(transparency[:, None] * np.asarray(color) / 255).astype(np.uint8)
    return np.asarray(cv2.add(front, cv2.LUT(alphas, shares[None])), dtype=np.uint8)
