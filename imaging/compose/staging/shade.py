"""Laying a shadow over a background, or under a product that has none."""

import cv2
import numpy as np

from imaging.types import Box, Pixels

# What is worked on at a time stays in a core's cache.
_STRIP_ROWS = 32
# How much of a background's chroma lies in its darkest shadow: light comes back from around it.
_BOUNCE = 0.15


def shade(background: Pixels, density: Pixels) -> Pixels:
    """Darken a background by a shadow, keeping its hue.

    Each colour c becomes (1 - d) c + d k (c - min(c)), min(c) its least channel: grey goes to
    black, other colours to a dark tone of their own hue, since the light that reaches a shadow
    comes off what surrounds it.

    Args:
        background: (H, W, 3) uint8, sRGB.
        density: (H, W) uint8, d: 0 no shadow, 255 fully dark.

    Returns:
        (H, W, 3) uint8, within 1 of the exact value; exactly `background` where the density is 0.
    """
    shaded = background.copy()
    shadow = _box(density)
    for top in range(shadow.top, shadow.bottom, _STRIP_ROWS):
        strip = Box(shadow.left, top, shadow.right, min(top + _STRIP_ROWS, shadow.bottom)).slices
        colors = background[strip]
        dark = cv2.merge((density[strip],) * 3)
        red, green, blue = cv2.split(colors)
        least = cv2.min(cv2.min(red, green), blue)
        chroma = cv2.subtract(colors, cv2.merge((least,) * 3))
        lit = cv2.multiply(colors, cv2.bitwise_not(dark), scale=1 / 255)
        shaded[strip] = cv2.add(lit, cv2.multiply(chroma, dark, scale=_BOUNCE / 255))
    return shaded


def under(alpha: Pixels, density: Pixels) -> Pixels:
    """Put a shadow under a product: Porter and Duff's `over`, a + (1 - a) d.

    Args:
        alpha: (H, W) uint8, the product's opacity.
        density: (H, W) uint8, the shadow's.

    Returns:
        (H, W) uint8, the opacity of both; exactly `alpha` where the density is 0.
    """
    behind = cv2.multiply(cv2.bitwise_not(alpha), density, scale=1 / 255)
    return np.asarray(cv2.add(alpha, behind), np.uint8)


def over_shadow(rgb: Pixels, alpha: Pixels, density: Pixels) -> tuple[Pixels, Pixels]:
    """Lay a product over its shadow, for a picture with nothing behind.

    The shadow is black, so that of the premultiplied colour, a c + (1 - a) d 0, only the product's
    part is left; divided by the opacity of both it is a straight colour again.

    Args:
        rgb: (H, W, 3) uint8, the product's straight colours.
        alpha: (H, W) uint8, its opacity.
        density: (H, W) uint8, the shadow's.

    Returns:
        (H, W, 3) uint8 straight colours and (H, W) uint8 opacity; exactly `rgb` and `alpha` where
        the density is 0.
    """
    both = under(alpha, density)
    colors = rgb.copy()
    shadow = _box(density)
    for top in range(shadow.top, shadow.bottom, _STRIP_ROWS):
        strip = Box(shadow.left, top, shadow.right, min(top + _STRIP_ROWS, shadow.bottom)).slices
        unshaded = density[strip] == 0
        # The shares of nothing in nothing among them.
        share = alpha[strip] / np.maximum(both[strip], 1).astype(np.float32)
        share[unshaded] = 1
        colors[strip] = cv2.multiply(rgb[strip], cv2.merge((share,) * 3), dtype=cv2.CV_8U)
    return colors, both


def _box(density: Pixels) -> Box:
    left, top, width, height = cv2.boundingRect(density)
    return Box(left, top, left + width, top + height)
