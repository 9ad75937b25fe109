"""The frame's border kept clear of haze, so that a pure background is pure up to the last pixel.

What is less than half product and lies outside of the product's box, at the very border, is the
network's doubt. It fades out over a narrow band; a product that the frame cuts off there stays.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from imaging.types import Box, Cut, Pixels, Sides

# Wide enough for a block of JPEG, which spreads what it holds over all of its pixels.
_CLEAR_PX: Final = 8
# Of the frame's side along the same axis, at least twice the clear part.
_BAND_SHARE: Final = 0.02


def clear_border(placed: Cut, product: Box, cut_off: Sides) -> Cut:
    """Fade haze out along the frame's border.

    Args:
        placed: The product in its frame.
        product: Its box there; nothing within it changes.
        cut_off: The sides at which the product goes on beyond the frame; these stay as they are.

    Returns:
        The cut with alpha 0 along the border, as far as the product's box is from it but at most 8
        pixels wide; the same cut if it is so already.
    """
    height_px, width_px = placed.alpha.shape
    gaps = (
        (0, cut_off.top, product.top, height_px),
        (2, cut_off.bottom, height_px - product.bottom, height_px),
        (1, cut_off.right, width_px - product.right, width_px),
        (3, cut_off.left, product.left, width_px),
    )
    alpha = placed.alpha
    for turns, touched, gap_px, side_px in gaps:
        band_px = 0 if touched else min(gap_px, max(round(_BAND_SHARE * side_px), 2 * _CLEAR_PX))
        # Turned, every side is the upper one.
        if np.rot90(alpha, turns)[:band_px].any():
            if alpha is placed.alpha:
                alpha = alpha.copy()
            _fade(np.rot90(alpha, turns)[:band_px])
    return placed if alpha is placed.alpha else replace(placed, alpha=alpha)


def _fade(band: Pixels) -> None:
    """Fade a band in place: clear at its beginning, as it was at its end."""
    clear_px = min(_CLEAR_PX, len(band))
    ramp = np.linspace(0, 1, len(band) - clear_px + 2, dtype=np.float32)[1:-1]
    weights = np.concatenate((np.zeros(clear_px, np.float32), ramp))
    band[:] = (band * weights[:, None]).astype(np.uint8)
