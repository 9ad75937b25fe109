"""Part of the third step: alpha as a linear function of colour, fitted around the matte's cells.

The guided filter's regression (He, Sun, Tang: Guided Image Filtering, TPAMI 2013, section 3.5),
with cells weighed by how sure the matte is of them: unsure ones lie beside the true edge.
Windows move by a cell at a time over sums of whole numbers, which are exact however far they move;
the small differences that variances are of them are taken in double precision.
"""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from imaging.compiled import (
    COUNT,
    DENSE_FLAGS_2D,
    DENSE_PIXELS_2D,
    DENSE_PIXELS_3D,
    DENSE_WRITTEN_2D,
    DENSE_WRITTEN_FLOATS_3D,
    kernel,
    kernel_part,
)
from imaging.types import Pixels

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Sums = npt.NDArray[np.int32]

# Cells on each side of a cell that its fit looks at: fewer where a cell has less than two pixels
# of the photo across, whose noise is the fit's too.
NARROW_CELLS, WIDE_CELLS, WIDE_FROM_PX = 2, 3, 2
# The variance, of colours within 0 to 1, below which a neighbourhood counts as flat: texture of
# less than 2.5 of 255 steps moves no edge.
FLATNESS: Final = 1e-4
_OPAQUE: Final = 255
# Red, green, blue and the matte; the weights, these four times them, and likewise the products of
# each colour with itself, with the colours behind it and with the matte.
_PLANES, _SUMS = 4, 14
# A cell that is surely product or surely background weighs 63 times as much as one halfway.
PER_WEIGHT: Final = 1040
# Cells around one that tell whether an edge is sure, and by how much the fit of a sure one rises.
AROUND_CELLS, STEEPER = 2, 1.5
# The least contrast of the matte around a cell from which the fit rises, and that of a sure edge.
UNSURE_CONTRAST, SURE_CONTRAST = 128, 224
# From this slope on, of alpha against colour, both within 0 to 1, a fit is steep.
STEEP_FROM: Final = 3
STEEP: Final = 2


def fit_colours(
    matte: Pixels, guide: Pixels, band: Flags, radius_cells: int
) -> tuple[Floats, Pixels]:
    """Fit alpha as a linear function of colour around each cell of the band.

    A network's matte is blurred, so that its fit is too flat. STEEPER is by how much it rises where
    the matte is sure of product and background near by; in a faint smear or in glass it stays.

    Args:
        matte: (h, w) uint8, 255 product.
        guide: (h, w, 3) uint8, the photo at the matte's size.
        band: (h, w) bool, where to fit.
        radius_cells: Cells on each side that a fit looks at.

    Returns:
        (4, h, w) float32: alpha = a1 red + a2 green + a3 blue + b, all of them within 0 to 1;
        outside the band a is 0 and b the matte. And (h, w) uint8: STEEP where the fit is, 1
        elsewhere in the band, 0 outside.
    """
    fit = np.zeros((4, *matte.shape), np.float32)
    np.divide(matte, np.float32(_OPAQUE), out=fit[3])
    cells = band.astype(np.uint8)
    columns = np.flatnonzero(band.any(axis=0))
    if columns.size:
        around = np.ones((2 * AROUND_CELLS + 1, 2 * AROUND_CELLS + 1), np.uint8)
        contrast = cv2.subtract(cv2.dilate(matte, around), cv2.erode(matte, around))
        _fit_band(
            np.ascontiguousarray(matte),
            np.ascontiguousarray(guide),
            np.ascontiguousarray(band),
            int(columns[0]),
            int(columns[-1]) + 1,
            radius_cells,
            np.asarray(contrast, np.uint8),
            fit,
            cells,
        )
    return fit, cells


@kernel_part
def _reflected(at: int, length: int) -> int:
    """Return the place within a length that stands for one beyond its ends, the last one twice."""
    while at < 0 or at >= length:
        at = -1 - at if at < 0 else 2 * length - 1 - at
    return at


@kernel_part
def _add_products(planes: Sums, y: int, sign: int, sums: Sums) -> None:
    """Add a row's weights, weighted values and their products to sums by column.

    Args:
        planes: (5, h, columns) int32, red, green, blue, the matte and the weights.
        y: The row; beyond the planes' ends rows are mirrored.
        sign: 1 to add, -1 to take away.
        sums: (14, columns) int32: the weights, the four times these, and of each colour the
            products with itself, with the colours behind it and with the matte times these.
    """
    row, factor = _reflected(y, planes.shape[1]), np.int32(sign)
    total, weights = sums[0], planes[_PLANES, row]
    for column in range(total.size):
        total[column] += factor * weights[column]
    at = _PLANES + 1
    for k in range(_PLANES):
        total, one = sums[k + 1], planes[k, row]
        for column in range(total.size):
            total[column] += factor * weights[column] * one[column]
    for k in range(_PLANES - 1):
        for j in range(k, _PLANES):
            total, one, other = sums[at], planes[k, row], planes[j, row]
            for column in range(total.size):
                total[column] += factor * weights[column] * one[column] * other[column]
            at += 1


@kernel_part
def _planes(matte: Pixels, guide: Pixels, first: int, columns: int) -> Sums:
    """Return red, green, blue, the matte and weights from a column on, (5, h, columns) int32."""
    height, width = matte.shape
    planes = np.empty((_PLANES + 1, height, columns), np.int32)
    for column in range(columns):
        x = _reflected(first + column, width)
        for y in range(height):
            for k in range(_PLANES - 1):
                planes[k, y, column] = guide[y, x, k]
            value = np.int32(matte[y, x])
            planes[_PLANES - 1, y, column] = value
            sureness = 2 * value - np.int32(_OPAQUE)
            planes[_PLANES, y, column] = 1 + sureness * sureness // PER_WEIGHT
    return planes


@kernel_part
def _covariance(product: np.int32, one: np.int32, other: np.int32, count: int) -> float:
    """Return a covariance of values within 0 to 1, by sums of values within 0 to 255."""
    scale = float(_OPAQUE * _OPAQUE) * count * count
    return (count * np.int64(product) - np.int64(one) * np.int64(other)) / scale


@kernel_part
def _solve(sums: Sums, x: int) -> tuple[float, float, float, float]:
    """Return a1, a2, a3 and b of the window whose sums stand in a column."""
    count = int(sums[0, x])
    red, green, blue, value = sums[1, x], sums[2, x], sums[3, x], sums[4, x]
    rr = _covariance(sums[5, x], red, red, count) + FLATNESS
    rg = _covariance(sums[6, x], red, green, count)
    rb = _covariance(sums[7, x], red, blue, count)
    rp = _covariance(sums[8, x], red, value, count)
    gg = _covariance(sums[9, x], green, green, count) + FLATNESS
    gb = _covariance(sums[10, x], green, blue, count)
    gp = _covariance(sums[11, x], green, value, count)
    bb = _covariance(sums[12, x], blue, blue, count) + FLATNESS
    bp = _covariance(sums[13, x], blue, value, count)
    # The symmetric 3x3 system, by Cramer's rule.
    c_rr, c_rg, c_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c_gg, c_gb, c_bb = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    determinant = rr * c_rr + rg * c_rg + rb * c_rb
    a_r = (c_rr * rp + c_rg * gp + c_rb * bp) / determinant
    a_g = (c_rg * rp + c_gg * gp + c_gb * bp) / determinant
    a_b = (c_rb * rp + c_gb * gp + c_bb * bp) / determinant
    rest = float(value) - a_r * float(red) - a_g * float(green) - a_b * float(blue)
    return a_r, a_g, a_b, rest / (float(_OPAQUE) * count)


@kernel_part
def _steepness(contrast: Pixels, y: int, x: int) -> float:
    """Tell how much steeper than its fit alpha is around a cell, by contrasts beside it."""
    height, width = contrast.shape
    sure = 0.0
    for row in range(y - 1, y + 2):
        for column in range(x - 1, x + 2):
            found = contrast[min(max(row, 0), height - 1), min(max(column, 0), width - 1)]
            part = (float(found) - UNSURE_CONTRAST) / (SURE_CONTRAST - UNSURE_CONTRAST)
            sure += min(max(part, 0.0), 1.0) / 9
    return 1 + (STEEPER - 1) * sure


@kernel_part
def _move(planes: Sums, summed: int, y: int, radius_cells: int, sums: Sums) -> None:
    """Move sums by column from the rows around one row to those around another."""
    if y - summed > 2 * radius_cells:
        sums[:] = 0
        for away in range(-radius_cells, radius_cells + 1):
            _add_products(planes, y + away, 1, sums)
        return
    for row in range(summed, y):
        _add_products(planes, row - radius_cells, -1, sums)
        _add_products(planes, row + 1 + radius_cells, 1, sums)


@kernel_part
def _sum_along(sums: Sums, windows: Sums) -> None:
    """Sum the sums by column over each window, (14, columns) int32."""
    columns = windows.shape[1]
    side = sums.shape[1] - columns + 1
    for k in range(_SUMS):
        window = windows[k]
        window[:] = sums[k, :columns]
        for away in range(1, side):
            beside = sums[k, away:]
            for column in range(columns):
                window[column] += beside[column]


@kernel(
    *(DENSE_PIXELS_2D, DENSE_PIXELS_3D, DENSE_FLAGS_2D, COUNT, COUNT, COUNT, DENSE_PIXELS_2D),
    *(DENSE_WRITTEN_FLOATS_3D, DENSE_WRITTEN_2D),
)
def _fit_band(
    matte: Pixels,
    guide: Pixels,
    band: Flags,
    first: int,
    end: int,
    radius_cells: int,
    contrast: Pixels,
    fit: Floats,
    cells: Pixels,
) -> None:
    """Set the fit of each cell of the band, over windows that are mirrored at the matte's border.

    Args:
        matte: (h, w) uint8.
        guide: (h, w, 3) uint8.
        band: (h, w) bool.
        first: The first column that the band is in.
        end: The column behind its last.
        radius_cells: Cells on each side that a fit looks at.
        contrast: (h, w) uint8, how much the matte differs around each cell.
        fit: (4, h, w) float32, written to.
        cells: (h, w) uint8, set to STEEP where the fit is.
    """
    side, columns = 2 * radius_cells + 1, end - first
    planes = _planes(matte, guide, first - radius_cells, columns + 2 * radius_cells)
    sums = np.zeros((_SUMS, columns + 2 * radius_cells), np.int32)
    windows = np.empty((_SUMS, columns), np.int32)
    summed = -side  # the row that the sums are for
    for y in range(band.shape[0]):
        if not band[y].any():
            continue
        _move(planes, summed, y, radius_cells, sums)
        summed = y
        _sum_along(sums, windows)
        for column in range(columns):
            if band[y, first + column]:
                x = first + column
                red, green, blue, alone = _solve(windows, column)
                steeper = _steepness(contrast, y, x)
                fit[0, y, x], fit[1, y, x] = steeper * red, steeper * green
                fit[2, y, x], fit[3, y, x] = steeper * blue, steeper * (alone - 0.5) + 0.5
                slope = steeper * steeper * (red * red + green * green + blue * blue)
                if slope > STEEP_FROM * STEEP_FROM:
                    cells[y, x] = STEEP
