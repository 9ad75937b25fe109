"""Blending over a colour or a picture, for the steps that need it."""

from typing import Final

import numpy as np

from imaging.compiled import PIXELS_2D, PIXELS_3D, WRITTEN_3D, kernel
from imaging.types import Color, Pixels

_OPAQUE: Final = 255


def paint_color(color: Color, width_px: int, height_px: int) -> Pixels:
    """Fill a picture with one colour.

    Returns:
        (height_px, width_px, 3) uint8.
    """
    pixels = np.empty((height_px, width_px, 3), np.uint8)
    # By rows: NumPy repeats a row far faster than a colour.
    pixels[:] = np.tile(np.array(color, np.uint8), (width_px, 1))
    return pixels


def composite_over(rgb: Pixels, alpha: Pixels, color: Color) -> Pixels:
    """Blend pixels over one colour (Porter and Duff's `over`, straight alpha).

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        color: The colour behind.

    Returns:
        (H, W, 3) uint8, the exact value rounded.
    """
    height_px, width_px = alpha.shape
    blended = paint_color(color, width_px, height_px)
    composite_onto(rgb, alpha, blended)
    return blended


@kernel(PIXELS_3D, PIXELS_2D, WRITTEN_3D)
def composite_onto(rgb: Pixels, alpha: Pixels, behind: Pixels) -> None:
    """Blend pixels over a picture, in place (Porter and Duff's `over`, straight alpha).

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        behind: (H, W, 3) uint8, the picture, which is written to: the exact value rounded.
    """
    height_px, width_px = alpha.shape
    half = np.uint32(128)
    for y in range(height_px):
        for x in range(width_px):
            share = np.uint32(alpha[y, x])
            rest = np.uint32(_OPAQUE) - share
            if not share:
                continue
            for k in range(3):
                if rest:
                    # Divided by 255 and rounded to nearest, exactly (Blinn: Three wrongs make a
                    # right, IEEE Computer Graphics and Applications 1995).
                    total = share * np.uint32(rgb[y, x, k]) + rest * np.uint32(behind[y, x, k])
                    total += half
                    behind[y, x, k] = np.uint8((total + (total >> np.uint32(8))) >> np.uint32(8))
                else:
                    behind[y, x, k] = rgb[y, x, k]
