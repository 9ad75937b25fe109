"""Laying a shadow over a background, or under a product that has none."""

import cv2
import numpy as np

from imaging.compiled import COUNT, DENSE_PIXELS_2D, DENSE_WRITTEN_2D, kernel, kernel_part
from imaging.types import Box, Pixels

# What is worked on at a time stays in a core's cache.
_STRIP_ROWS = 32
# How much of a background's chroma lies in its darkest shadow: light comes back from around it.
_BOUNCE = 0.15


def shade(background: Pixels, density: Pixels) -> None:
    """Darken a background by a shadow, in place, keeping its hue.

    Each colour c becomes (1 - d) c + d k (c - min(c)), min(c) its least channel: grey goes to
    black, other colours to a dark tone of their own hue, since the light that reaches a shadow
    comes off what surrounds it.

    Args:
        background: (H, W, 3) uint8, sRGB, without gaps, written to: the exact value rounded, and
            nothing where the density is 0.
        density: (H, W) uint8, d: 0 no shadow, 255 fully dark.
    """
    box = _box(density)
    _darken(np.ascontiguousarray(density), *box, background.reshape(len(background), -1))


@kernel_part
def _darken_row(density: Pixels, row: Pixels) -> None:
    for x in range(density.size):
        dark = np.float32(density[x]) * np.float32(1 / 255)
        red, green, blue = row[3 * x], row[3 * x + 1], row[3 * x + 2]
        # c - d (c - k (c - least)), the same with one product by d.
        floor = np.float32(_BOUNCE) * np.float32(min(red, green, blue))
        for k in range(3):
            color = np.float32(row[3 * x + k])
            lost = np.float32(1 - _BOUNCE) * color + floor
            row[3 * x + k] = np.uint8(np.int32(color - dark * lost + np.float32(0.5)))


@kernel(DENSE_PIXELS_2D, *(COUNT,) * 4, DENSE_WRITTEN_2D)
def _darken(
    density: Pixels, left: int, top: int, right: int, bottom: int, background: Pixels
) -> None:
    """Darken within a box; density is (H, W), the background (H, 3 W) uint8."""
    for y in range(top, bottom):
        _darken_row(density[y, left:right], background[y, 3 * left : 3 * right])


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
