"""Part of the third step: the product's own colours along its edge.

A soft pixel of a photo is product and background mixed, `I = alpha F + (1 - alpha) B`; blended
over a new background as it is, it takes the old one along. F is estimated by blur-fusion (Forte:
Approximate Fast Foreground Colour Estimation, ICIP 2021): F and B are averaged around each pixel,
weighted by alpha and 1 - alpha, and what the two then fail to explain of the pixel's colour is
added to F in proportion to alpha. Two passes: a wide one that reaches opaque product from
anywhere in the edge, a narrow one that brings its detail back.
"""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from imaging.compiled import (
    FLOATS_3D,
    PIXELS_2D,
    PIXELS_3D,
    WRITTEN_3D,
    kernel,
    kernel_part,
)
from imaging.matting.guided import SURELY_IN, SURELY_OUT
from imaging.types import Pixels

Floats = npt.NDArray[np.float32]

# The paper's wide window; its narrow one of 6 pixels is three by three of every other pixel.
WIDE_PX: Final = 90
# The wide averages come from every so many pixels across: a window still holds over a hundred.
STRIDE_PX: Final = 8
# Weight that the plain average keeps, so that a window without product still has a colour.
_TRACE: Final = 1e-3
# Smaller tiles follow an edge more closely, larger ones share more of what lies around them.
_TILE_PX: Final = 64
_OPAQUE: Final = 255


def estimate_foreground(rgb: Pixels, alpha: Pixels) -> Pixels:
    """Estimate the colours that the product has where it is see-through.

    Args:
        rgb: (H, W, 3) uint8, the photo.
        alpha: (H, W) uint8, the product's opacity in it.

    Returns:
        (H, W, 3) uint8: the photo's own pixels where alpha is 255, and far from every edge.
    """
    foreground = rgb.copy()
    front, back = _wide_averages(rgb, alpha)
    _unmix(rgb, alpha, front, back, foreground)
    return foreground


def _wide_averages(rgb: Pixels, alpha: Pixels) -> tuple[Floats, Floats]:
    """Average product and background over the wide window, on a grid of every STRIDE_PX pixels.

    Returns:
        Two of (ceil(H / STRIDE_PX), ceil(W / STRIDE_PX), 3) float32: colours of 0 to 255.
    """
    mixed = rgb[::STRIDE_PX, ::STRIDE_PX].astype(np.float32)
    share = cv2.merge((alpha[::STRIDE_PX, ::STRIDE_PX].astype(np.float32) / 255,) * 3)
    window = (WIDE_PX // STRIDE_PX | 1,) * 2
    total, weight = cv2.blur(mixed, window), cv2.blur(share, window)
    product = cv2.blur(mixed * share, window)
    front = (product + _TRACE * total) / (weight + _TRACE)
    back = (total - product + _TRACE * total) / (1 - weight + _TRACE)
    return front.astype(np.float32), back.astype(np.float32)


@kernel_part
def _corrected(f: np.float32, b: np.float32, share: np.float32, mixed: np.uint8) -> np.float32:
    """Return the paper's F + alpha (I - alpha F - (1 - alpha) B), within 0 to 255."""
    rest = np.float32(mixed) - share * f - (np.float32(1) - share) * b
    return min(max(f + share * rest, np.float32(0)), np.float32(_OPAQUE))


@kernel_part
def _narrow_pass(
    rgb: Pixels,
    alpha: Pixels,
    colours: Floats,
    y: int,
    above: int,
    left: int,
    right: int,
    before: int,
    foreground: Pixels,
) -> None:
    """Correct the narrow average at what is unsure in a row, from left to right."""
    rows, columns = colours.shape[1:]
    half = np.float32(0.5)
    upper = y // 2 - above
    lower = min(upper + y % 2, rows - 1)
    line = half * (colours[:, upper] + colours[:, lower])
    for x in range(left, right):
        if SURELY_OUT < alpha[y, x] < SURELY_IN:
            here = x // 2 - before
            following = min(here + x % 2, columns - 1)
            share = np.float32(alpha[y, x]) / np.float32(_OPAQUE)
            for k in range(3):
                f = half * (line[k, here] + line[k, following])
                b = half * (line[k + 3, here] + line[k + 3, following])
                estimate = _corrected(f, b, share, rgb[y, x, k])
                foreground[y, x, k] = np.uint8(estimate + half)


@kernel_part
def _average(weighted: Floats, colours: Floats) -> None:
    """Set F to its weighted average over three by three; what has no weight does not count."""
    rows, columns = colours.shape[1:]
    for row in range(rows):
        sums = weighted[:, row] + weighted[:, row + 1] + weighted[:, row + 2]
        for column in range(columns):
            weight = sums[3, column] + sums[3, column + 1] + sums[3, column + 2]
            for k in range(3):
                total = sums[k, column] + sums[k, column + 1] + sums[k, column + 2]
                colours[k, row, column] = total / weight


@kernel_part
def _end_wide_pass(
    rgb: Pixels,
    alpha: Pixels,
    front: Floats,
    back: Floats,
    above: int,
    before: int,
    colours: Floats,
    weighted: Floats,
) -> None:
    """Correct the wide averages at every other pixel of a part that begins at above and before."""
    rows, columns = colours.shape[1:]
    last_row, last_column = front.shape[0] - 1, front.shape[1] - 1
    line = np.empty((6, front.shape[1]), np.float32)
    for row in range(rows):
        y = 2 * (above + row)
        upper, lower = y // STRIDE_PX, min(y // STRIDE_PX + 1, last_row)
        down = np.float32(y % STRIDE_PX) / np.float32(STRIDE_PX)
        first = 2 * before // STRIDE_PX
        for cell in range(first, min(2 * (before + columns) // STRIDE_PX + 2, last_column + 1)):
            for k in range(3):
                f, b = front[upper, cell, k], back[upper, cell, k]
                line[k, cell] = f + down * (front[lower, cell, k] - f)
                line[k + 3, cell] = b + down * (back[lower, cell, k] - b)
        for column in range(columns):
            x = 2 * (before + column)
            cell, following = x // STRIDE_PX, min(x // STRIDE_PX + 1, last_column)
            along = np.float32(x % STRIDE_PX) / np.float32(STRIDE_PX)
            share = np.float32(alpha[y, x]) / np.float32(_OPAQUE)
            weight = share + np.float32(_TRACE)
            weighted[3, row + 1, column + 1] = weight
            for k in range(3):
                f = line[k, cell] + along * (line[k, following] - line[k, cell])
                b = line[k + 3, cell] + along * (line[k + 3, following] - line[k + 3, cell])
                estimate = _corrected(f, b, share, rgb[y, x, k])
                weighted[k, row + 1, column + 1] = weight * estimate
                colours[k + 3, row, column] = b


@kernel_part
def _unsure_box(alpha: Pixels, tile_top: int, tile_left: int) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of what is unsure within a tile; empty if nothing is."""
    height_px, width_px = alpha.shape
    top, bottom, left, right = height_px, 0, width_px, 0
    for y in range(tile_top, min(tile_top + _TILE_PX, height_px)):
        for x in range(tile_left, min(tile_left + _TILE_PX, width_px)):
            if SURELY_OUT < alpha[y, x] < SURELY_IN:
                top, bottom = min(top, y), y + 1
                left, right = min(left, x), max(right, x + 1)
    return min(top, bottom), bottom, left, right


@kernel(PIXELS_3D, PIXELS_2D, FLOATS_3D, FLOATS_3D, WRITTEN_3D)
def _unmix(rgb: Pixels, alpha: Pixels, front: Floats, back: Floats, foreground: Pixels) -> None:
    """End the wide pass, then do the narrow one, around whatever is neither product nor background.

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        front: The product's wide averages, as `_wide_averages` gives them.
        back: The background's.
        foreground: (H, W, 3) uint8, written to where alpha is unsure.
    """
    height_px, width_px = alpha.shape
    side = _TILE_PX // 2 + 4
    # By colour: F and B, and F weighted by its share with that share as a fourth, in a frame of
    # zeros.
    colours = np.empty((6, side, side), np.float32)
    weighted = np.empty((4, side + 2, side + 2), np.float32)
    for tile_top in range(0, height_px, _TILE_PX):
        for tile_left in range(0, width_px, _TILE_PX):
            top, bottom, left, right = _unsure_box(alpha, tile_top, tile_left)
            if top == bottom:
                continue
            # In steps of two pixels: what the box lies between, and one more on each side, which
            # the averages take in.
            above, below = max(top // 2 - 1, 0), min(bottom // 2 + 2, (height_px + 1) // 2)
            before, after = max(left // 2 - 1, 0), min(right // 2 + 2, (width_px + 1) // 2)
            part = colours[:, : below - above, : after - before]
            weighted[:] = 0
            _end_wide_pass(rgb, alpha, front, back, above, before, part, weighted)
            _average(weighted, part)
            for y in range(top, bottom):
                _narrow_pass(rgb, alpha, part, y, above, left, right, before, foreground)
