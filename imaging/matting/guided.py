"""Part of the third step: the network's small matte to full size, its edges on the photo's.

The guided filter (He, Sun, Tang: Guided Image Filtering, TPAMI 2013, section 3.5 for a colour
guide) takes alpha for a linear function of colour, `alpha = a . rgb + b`, with one `a` and `b` per
neighbourhood. Where product and background have a colour each, the true alpha is such a function,
and it stays the same one when both photo and matte are shrunk. So a and b are fitted where the
matte is, enlarged bilinearly and applied to the photo's own pixels (He, Sun: Fast Guided Filter,
arXiv 1505.00996). The fit is evaluated in the edge band only: everywhere else the matte's own
value, enlarged bilinearly, is the answer.

Two things are beyond the paper. A network's matte is blurred by nearly a cell, and a fit to it is
too flat: where the matte is sure of product and of background near by, the fit is made steeper.
And a steep fit multiplies the photo's noise: it is applied to medians of three by three pixels.
"""

import cv2
import numpy as np
import numpy.typing as npt

from imaging.compiled import (
    COUNT,
    DENSE_FLOATS_3D,
    DENSE_PIXELS_2D,
    DENSE_PIXELS_3D,
    DENSE_WRITTEN_2D,
    kernel,
    kernel_part,
)
from imaging.matting.guided_fit import NARROW_CELLS, STEEP, WIDE_CELLS, WIDE_FROM_PX, fit_colours
from imaging.resample import resample
from imaging.types import Pixels

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

# From here to there a matte's values are neither surely background nor surely product.
SURELY_OUT, SURELY_IN = 5, 250
# Rows of a photo that are smoothed at a time.
_PART_ROWS = 64
_OPAQUE = 255


def upsample_guided(matte: Pixels, guide: Pixels, rgb: Pixels) -> Pixels:
    """Bring a matte to a photo's size, with edges where the photo's are.

    Args:
        matte: (h, w) uint8, 255 product.
        guide: (h, w, 3) uint8, the photo as the network saw it.
        rgb: (H, W, 3) uint8, the photo.

    Returns:
        (H, W) uint8 alpha: soft where the matte is; a matte of one value stays of that value. A
        photo that is not larger than the matte has nothing to add: there it is merely resampled.
    """
    height_px, width_px = rgb.shape[:2]
    height, width = matte.shape
    alpha = resample(matte, width_px, height_px)
    if height_px <= height or width_px <= width:
        return alpha
    band = edge_band(matte)
    if not band.any():
        return alpha
    cell_px = min(height_px / height, width_px / width)
    radius_cells = WIDE_CELLS if cell_px >= WIDE_FROM_PX else NARROW_CELLS
    fit, cells = fit_colours(matte, guide, band, radius_cells)
    rgb = np.ascontiguousarray(rgb)
    smooth = np.empty((_PART_ROWS + 2, width_px, 3), np.uint8)
    for top in range(0, height_px, _PART_ROWS):
        bottom = min(top + _PART_ROWS, height_px)
        # With a pixel on each side, where there is one, so that parts do not show.
        above, below = max(top - 1, 0), min(bottom + 1, height_px)
        beside = cells[max(top * height // height_px - 1, 0) : bottom * height // height_px + 2]
        steep = np.flatnonzero((beside == STEEP).any(axis=0))
        if steep.size:
            left = max((int(steep[0]) - 1) * width_px // width - 1, 0)
            right = (int(steep[-1]) + 2) * width_px // width + 2
            cv2.medianBlur(rgb[above:below, left:right], 3, smooth[: below - above, left:right])
        _apply(fit, cells, rgb[top:bottom], smooth[top - above :], top, alpha)
    return alpha


def edge_band(matte: Pixels) -> npt.NDArray[np.bool_]:
    """Find the cells of a matte that an edge may run through.

    Args:
        matte: (h, w) uint8.

    Returns:
        (h, w) bool: where the cell or a neighbour is unsure, or neighbours disagree.
    """
    around = np.ones((3, 3), np.uint8)
    highest, lowest = cv2.dilate(matte, around), cv2.erode(matte, around)
    return np.asarray((highest > SURELY_OUT) & (lowest < SURELY_IN))


@kernel_part
def _cells_of_pixels(scale: float, begins: Counts, parts: Floats) -> None:
    """Tell between the centres of which cells pixels lie, and how far along.

    Args:
        scale: Pixels for a cell.
        begins: (w + 1,) int64, written to: the first pixel from each cell's centre on, of the
            first cell all that lie before it too.
        parts: (W,) float32, written to: how far each is from that centre to the next, 0 to 1.
    """
    begins[0] = 0
    for cell in range(begins.size - 1):
        begins[cell + 1] = min(int(np.ceil((cell + 1.5) * scale - 0.5)), parts.size)
    begins[-1] = parts.size
    for cell in range(begins.size - 1):
        for x in range(begins[cell], begins[cell + 1]):
            parts[x] = min(max((x + 0.5) / scale - 0.5 - cell, 0.0), 1.0)


@kernel_part
def _between(fit: Floats, upper: int, lower: int, share: np.float32, row: Floats) -> None:
    """Interpolate a row of the fit, (4, w + 1), between two; the last cell stands twice."""
    for k in range(4):
        above, below, between = fit[k, upper], fit[k, lower], row[k]
        for cell in range(above.size):
            between[cell] = above[cell] + share * (below[cell] - above[cell])
        between[-1] = between[-2]


@kernel_part
def _apply_between(row: Floats, cell: int, parts: Floats, pixels: Pixels, opacity: Pixels) -> None:
    """Set the alpha of the pixels between the centres of a cell and of the next one."""
    red, green, blue, alone = row[0, cell], row[1, cell], row[2, cell], row[3, cell]
    more_red, more_green = row[0, cell + 1] - red, row[1, cell + 1] - green
    more_blue, more_alone = row[2, cell + 1] - blue, row[3, cell + 1] - alone
    for x in range(opacity.size):
        part = parts[x]
        value = (
            (red + part * more_red) * np.float32(pixels[x, 0])
            + (green + part * more_green) * np.float32(pixels[x, 1])
            + (blue + part * more_blue) * np.float32(pixels[x, 2])
            + (alone + part * more_alone) * np.float32(_OPAQUE)
        )
        value = min(max(value, np.float32(0)), np.float32(_OPAQUE))
        opacity[x] = np.uint8(value + np.float32(0.5))


@kernel(DENSE_FLOATS_3D, DENSE_PIXELS_2D, DENSE_PIXELS_3D, DENSE_PIXELS_3D, COUNT, DENSE_WRITTEN_2D)
def _apply(
    fit: Floats, cells: Pixels, rgb: Pixels, smooth: Pixels, top: int, alpha: Pixels
) -> None:
    """Set rows of alpha to a . rgb + b, within 0 to 255, wherever a cell of the band has a part.

    Cells are areas: where pixel x looks is (x + 1/2) / scale - 1/2, in cells. The pixels between
    the centres of two neighbours are interpolated between these.

    Args:
        fit: (4, h, w) float32, as `fit_colours` gives it.
        cells: (h, w) uint8, as `fit_colours` gives it.
        rgb: (rows, W, 3) uint8, some rows of the photo.
        smooth: (rows or more, W, 3) uint8, what a steep fit is applied to.
        top: The first of these rows.
        alpha: (H, W) uint8, written to.
    """
    height_px, width_px = alpha.shape
    height, width = cells.shape
    scale_y = height_px / height
    begins, parts = np.empty(width + 1, np.int64), np.empty(width_px, np.float32)
    _cells_of_pixels(width_px / width, begins, parts)
    row = np.empty((4, width + 1), np.float32)
    wanted = np.zeros(width + 1, np.uint8)
    for y in range(top, top + rgb.shape[0]):
        at = min(max((y + 0.5) / scale_y - 0.5, 0.0), height - 1.0)
        upper = int(at)
        lower = min(upper + 1, height - 1)
        wanted[:width] = np.maximum(cells[upper], cells[lower])
        wanted[width] = wanted[width - 1]
        if not wanted.any():
            continue
        _between(fit, upper, lower, np.float32(at - upper), row)
        for cell in range(width):
            kind = max(wanted[cell], wanted[cell + 1])
            if kind:
                inside = slice(begins[cell], begins[cell + 1])
                pixels = smooth if kind == STEEP else rgb
                _apply_between(row, cell, parts[inside], pixels[y - top, inside], alpha[y, inside])
