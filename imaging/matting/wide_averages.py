"""Part of the third step: the product's and the background's colours, averaged over wide windows.

They are sums of whole numbers, of pixels some way apart from each other: exact, however far a
window has moved.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from imaging.compiled import (
    DENSE_PIXELS_2D,
    DENSE_PIXELS_3D,
    DENSE_WRITTEN_FLOATS_3D,
    kernel,
    kernel_part,
)
from imaging.types import Pixels

Floats = npt.NDArray[np.float32]
_Sums = npt.NDArray[np.int32]

# The paper's wide window (`imaging.matting.foreground`).
WIDE_PX: Final = 90
# The averages come from every so many pixels across: a window still holds over a hundred.
STRIDE_PX: Final = 8
# Weight that the plain average keeps, so that a window without product still has a colour.
TRACE: Final = 1e-3
_REACH: Final = WIDE_PX // STRIDE_PX // 2
_OPAQUE: Final = 255


@kernel_part
def _mirrored(at: int, length: int) -> int:
    """Return the place within a length that a place up to once beyond its ends is the mirror of."""
    if length == 1:
        return 0
    while at < 0 or at >= length:
        at = -at if at < 0 else 2 * length - 2 - at
    return at


@kernel_part
def _add_row(rgb: Pixels, alpha: Pixels, y: int, sign: int, sums: _Sums) -> None:
    """Add a row's pixels to sums by column: colours, colours times alpha, and alpha."""
    row, opacity = rgb[y], alpha[y]
    for cell in range(sums.shape[1]):
        share = np.int32(opacity[cell * STRIDE_PX]) * np.int32(sign)
        sums[6, cell] += share
        for k in range(3):
            value = np.int32(row[cell * STRIDE_PX, k])
            sums[k, cell] += np.int32(sign) * value
            sums[k + 3, cell] += share * value


@kernel(DENSE_PIXELS_3D, DENSE_PIXELS_2D, DENSE_WRITTEN_FLOATS_3D)
def average_widely(rgb: Pixels, alpha: Pixels, averages: Floats) -> None:
    """Average product and background over the wide window, on a grid of every STRIDE_PX pixels.

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        averages: (6, ceil(H / STRIDE_PX), ceil(W / STRIDE_PX)) float32, written to: the product's
            red, green and blue, and the background's, of 0 to 255.
    """
    rows, columns = averages.shape[1:]
    side = 2 * _REACH + 1
    scale = np.float32(1 / (side * side))
    sums = np.zeros((7, columns), np.int32)
    for away in range(-_REACH, _REACH + 1):
        _add_row(rgb, alpha, STRIDE_PX * _mirrored(away, rows), 1, sums)
    window = np.empty((7, columns), np.int32)
    for row in range(rows):
        for k in range(7):
            total = np.int32(0)
            for away in range(-_REACH, _REACH + 1):
                total += sums[k, _mirrored(away, columns)]
            for column in range(columns):
                window[k, column] = total
                total += sums[k, _mirrored(column + _REACH + 1, columns)]
                total -= sums[k, _mirrored(column - _REACH, columns)]
        for k in range(3):
            for column in range(columns):
                mixed = scale * np.float32(window[k, column])
                product = scale / np.float32(_OPAQUE) * np.float32(window[k + 3, column])
                weight = scale / np.float32(_OPAQUE) * np.float32(window[6, column])
                trace = np.float32(TRACE)
                averages[k, row, column] = (product + trace * mixed) / (weight + trace)
                averages[k + 3, row, column] = (mixed - product + trace * mixed) / (
                    np.float32(1) - weight + trace
                )
        if row + 1 < rows:
            _add_row(rgb, alpha, STRIDE_PX * _mirrored(row + _REACH + 1, rows), 1, sums)
            _add_row(rgb, alpha, STRIDE_PX * _mirrored(row - _REACH, rows), -1, sums)
