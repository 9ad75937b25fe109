"""Averages over areas, compiled: what each pixel of a smaller picture covers of a larger one."""

from typing import Final

import numpy as np
import numpy.typing as npt

from imaging.compiled import DENSE_PIXELS_2D, DENSE_WRITTEN_2D, kernel, kernel_part
from imaging.types import Pixels

_Sums = npt.NDArray[np.uint32]

# A pixel that an area covers in part counts in so many parts of one.
_PARTS: Final = 1024
# How many rows' sum 32 bits hold.
MOST_ROWS: Final = 2**32 // (255 * _PARTS) - 2


def average_areas(rgb: Pixels, width_px: int, height_px: int) -> Pixels:
    """Shrink a picture, each pixel the average of the area that it covers.

    Args:
        rgb: (H, W, 3) uint8, without gaps, of at most MOST_ROWS times the new height.
        width_px: The new width, at most W.
        height_px: The new height, at most H.

    Returns:
        (height_px, width_px, 3) uint8, rounded to nearest; a pixel that an area's border cuts
        through counts in 1024ths.
    """
    height, width = rgb.shape[:2]
    small = np.empty((height_px, width_px, 3), np.uint8)
    _average(rgb.reshape(height, 3 * width), small.reshape(height_px, 3 * width_px))
    return small


@kernel_part
def _covered(cells: int, length: int) -> npt.NDArray[np.int64]:
    """Return what each cell covers of a length, (cells, 5) int64.

    Its first and its last, how much of these, and how much in all; the amounts in _PARTS. What
    lies between first and last is covered wholly. Of a single one there is no last to count.
    """
    covered = np.empty((cells, 5), np.int64)
    for at in range(cells):
        begin, end = at * length / cells, (at + 1) * length / cells
        first, last = int(begin), min(int(end), length - 1)
        part, rest = int((min(end, first + 1.0) - begin) * _PARTS + 0.5), 0
        if last > first:
            rest = int((end - last) * _PARTS + 0.5)
        whole = max(last - first - 1, 0)
        covered[at] = first, last, part, rest, part + rest + whole * _PARTS
    return covered


@kernel_part
def _sum_rows(rows: Pixels, first: int, last: int, part: int, rest: int, sums: _Sums) -> None:
    """Sum rows, column by column, in _PARTS: of the first and the last so many, else all."""
    sums[:] = 0
    for y in range(first + 1, last):
        row = rows[y]
        for x in range(sums.size):
            sums[x] += np.uint32(row[x])
    one, other = rows[first], rows[last]
    for x in range(sums.size):
        edges = np.uint32(one[x]) * np.uint32(part) + np.uint32(other[x]) * np.uint32(rest)
        sums[x] = sums[x] * np.uint32(_PARTS) + edges


@kernel_part
def _rounded(total: np.int64, edges: np.int64, scale: float) -> np.uint8:
    """Return the value of a sum of whole columns, and of one in _PARTS."""
    return np.uint8(np.int32(float(total * _PARTS + edges) * scale + 0.5))


@kernel_part
def _edges(sums: _Sums, first: int, last: int, part: int, rest: int) -> np.int64:
    return np.int64(sums[first]) * part + np.int64(sums[last]) * rest


@kernel(DENSE_PIXELS_2D, DENSE_WRITTEN_2D)
def _average(rows: Pixels, small: Pixels) -> None:
    """Average a picture: (H, 3 W) uint8, of colours that take turns, to (h, 3 w) uint8."""
    down = _covered(small.shape[0], rows.shape[0])
    across = _covered(small.shape[1] // 3, rows.shape[1] // 3)
    sums = np.empty(rows.shape[1], np.uint32)
    for y in range(small.shape[0]):
        first, last, part, rest, height = down[y]
        _sum_rows(rows, first, last, part, rest, sums)
        for cell in range(across.shape[0]):
            first, last, part, rest, width = across[cell]
            scale = 1 / float(height * width)
            at, end, to = 3 * first, 3 * last, 3 * cell
            # All three at once: a loop of few turns takes as long to begin as to run.
            red, green, blue = np.int64(0), np.int64(0), np.int64(0)
            for x in range(at + 3, end, 3):
                red += np.int64(sums[x])
                green += np.int64(sums[x + 1])
                blue += np.int64(sums[x + 2])
            small[y, to] = _rounded(red, _edges(sums, at, end, part, rest), scale)
            small[y, to + 1] = _rounded(green, _edges(sums, at + 1, end + 1, part, rest), scale)
            small[y, to + 2] = _rounded(blue, _edges(sums, at + 2, end + 2, part, rest), scale)
