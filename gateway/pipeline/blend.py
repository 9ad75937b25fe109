"""Blending over a colour or a picture, for the steps that need it."""

import cv2
import numpy as np

from gateway.pipeline.arrays import Color, Pixels

# What is worked on at a time stays in a core's cache.
_STRIP_ROWS = 32


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
    blended = np.empty_like(rgb)
    transparency = 255 - np.arange(256, dtype=np.float64)
    shares = [np.rint(transparency * channel / 255).astype(np.uint8) for channel in color]
    for top in range(0, rgb.shape[0], _STRIP_ROWS):
        strip = slice(top, top + _STRIP_ROWS)
        opacity = alpha[strip]
        front = cv2.multiply(rgb[strip], cv2.merge((opacity,) * 3), scale=1 / 255)
        back = cv2.merge([cv2.LUT(opacity, share) for share in shares])
        blended[strip] = cv2.add(front, back)
    return blended


def composite_onto(rgb: Pixels, alpha: Pixels, behind: Pixels) -> None:
    """Blend pixels over a picture, in place (Porter and Duff's `over`, straight alpha).

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        behind: (H, W, 3) uint8, the picture, which is written to: within 1 of the exact value;
            exactly `rgb` where alpha is 255, and as it was where alpha is 0.
    """
    for top in range(0, rgb.shape[0], _STRIP_ROWS):
        strip = slice(top, top + _STRIP_ROWS)
        opacity = cv2.merge((alpha[strip],) * 3)
        front = cv2.multiply(rgb[strip], opacity, scale=1 / 255)
        back = cv2.multiply(behind[strip], cv2.bitwise_not(opacity), scale=1 / 255)
        behind[strip] = cv2.add(front, back)
