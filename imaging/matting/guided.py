"""Part of the third step: the network's small matte to full size, its edges on the photo's.

The guided filter (He, Sun, Tang: Guided Image Filtering, TPAMI 2013, section 3.5 for a colour
guide) takes alpha for a linear function of colour, `alpha = a . rgb + b`, with one `a` and `b` per
neighbourhood. Where product and background have a colour each, the true alpha is such a function,
and it stays the same one when both photo and matte are shrunk. So a and b are fitted where the
matte is, enlarged bilinearly and applied to the photo's own pixels (He, Sun: Fast Guided Filter,
arXiv 1505.00996). The fit is evaluated in the edge band only: everywhere else the matte's own
value, enlarged bilinearly, is the answer.
"""

import cv2
import numpy as np
import numpy.typing as npt

from imaging.compiled import FLAGS_2D, FLOATS_3D, PIXELS_3D, WRITTEN_2D, kernel
from imaging.resample import resample
from imaging.types import Pixels

Floats = npt.NDArray[np.float32]

# Cells on each side of a cell that its fit looks at.
RADIUS_CELLS = 2
# The variance, of colours within 0 to 1, below which a neighbourhood counts as flat: texture of
# less than 2.5 of 255 steps moves no edge.
FLATNESS = 1e-4
# From here to there a matte's values are neither surely background nor surely product.
SURELY_OUT, SURELY_IN = 5, 250


def upsample_guided(
    matte: Pixels, guide: Pixels, rgb: Pixels, *, radius_cells: int = RADIUS_CELLS
) -> Pixels:
    """Bring a matte to a photo's size, with edges where the photo's are.

    Args:
        matte: (h, w) uint8, 255 product.
        guide: (h, w, 3) uint8, the photo as the network saw it.
        rgb: (H, W, 3) uint8, the photo.
        radius_cells: Cells of the matte on each side that a fit looks at.

    Returns:
        (H, W) uint8 alpha: soft where the matte is, never stretched; a matte of one value stays
        of that value. A photo that is not larger than the matte has nothing to add to it: there
        the matte is merely resampled.
    """
    height_px, width_px = rgb.shape[:2]
    height, width = matte.shape
    alpha = resample(matte, width_px, height_px)
    if height_px <= height or width_px <= width:
        return alpha
    band = edge_band(matte)
    if not band.any():
        return alpha
    fit = _fit(matte, guide, band, radius_cells)
    _apply(fit, band, rgb, alpha)
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


def _fit(matte: Pixels, guide: Pixels, band: npt.NDArray[np.bool_], radius_cells: int) -> Floats:
    """Fit alpha as a linear function of colour around each cell of the band.

    Returns:
        (h, w, 4) float32: alpha = a1 red + a2 green + a3 blue + b, all of them within 0 to 1;
        outside the band a is 0 and b the matte.
    """
    fit = np.zeros((*matte.shape, 4), np.float32)
    fit[:, :, 3] = matte / np.float32(255)
    left, top, width, height = cv2.boundingRect(band.view(np.uint8))
    # With all that the windows of the band's cells look at.
    part = (
        slice(max(top - radius_cells, 0), top + height + radius_cells),
        slice(max(left - radius_cells, 0), left + width + radius_cells),
    )
    band, value = band[part], fit[part][:, :, 3]
    red, green, blue = cv2.split(guide[part].astype(np.float32) / 255)
    window = (2 * radius_cells + 1,) * 2
    planes = (red, green, blue, value)
    products = (
        *(red * value, green * value, blue * value),
        *(red * red, red * green, red * blue, green * green, green * blue, blue * blue),
    )
    means = np.stack(
        [
            cv2.blur(plane, window, borderType=cv2.BORDER_REFLECT)[band]
            for plane in planes + products
        ]
    )
    r, g, b, p = means[:4]
    rp, gp, bp = means[4:7] - means[:3] * p
    rr, rg, rb = means[7:10] - r * means[:3]
    gg, gb = means[10:12] - g * means[1:3]
    bb = means[12] - b * b
    rr, gg, bb = rr + FLATNESS, gg + FLATNESS, bb + FLATNESS
    # The symmetric 3x3 system of each cell, by Cramer's rule.
    c_rr, c_rg, c_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c_gg, c_gb, c_bb = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    determinant = rr * c_rr + rg * c_rg + rb * c_rb
    a_r = (c_rr * rp + c_rg * gp + c_rb * bp) / determinant
    a_g = (c_rg * rp + c_gg * gp + c_gb * bp) / determinant
    a_b = (c_rb * rp + c_gb * gp + c_bb * bp) / determinant
    b = p - a_r * r - a_g * g - a_b * b
    fit[part][band] = np.stack((a_r, a_g, a_b, b), axis=1)
    return fit


@kernel(FLOATS_3D, FLAGS_2D, PIXELS_3D, WRITTEN_2D)
def _apply(fit: Floats, band: npt.NDArray[np.bool_], rgb: Pixels, alpha: Pixels) -> None:
    """Set alpha to a . rgb + b, held within 0 to 255, wherever a cell of the band has a part in it.

    Cells are areas: where pixel x looks is (x + 1/2) / scale - 1/2, in cells. The pixels between
    the centres of two neighbours are interpolated between these.

    Args:
        fit: (h, w, 4) float32, as `_fit` gives it.
        band: (h, w) bool.
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8, written to.
    """
    height_px, width_px = alpha.shape
    height, width = band.shape
    scale_y, scale_x = height_px / height, width_px / width
    step = np.float32(1 / scale_x)
    row = np.empty((width, 4), np.float32)
    wanted = np.empty(width, np.bool_)
    for y in range(height_px):
        at = min(max((y + 0.5) / scale_y - 0.5, 0.0), height - 1.0)
        upper = int(at)
        lower = min(upper + 1, height - 1)
        share = np.float32(at - upper)
        for cell in range(width):
            wanted[cell] = band[upper, cell] or band[lower, cell]
            for k in range(4):
                row[cell, k] = fit[upper, cell, k] + share * (
                    fit[lower, cell, k] - fit[upper, cell, k]
                )
        end = 0
        for cell in range(-1, width):
            left, right = max(cell, 0), min(cell + 1, width - 1)
            begin, end = end, min(int(np.ceil((cell + 1.5) * scale_x - 0.5)), width_px)
            if not (wanted[left] or wanted[right]):
                continue
            first = np.float32((begin + 0.5) / scale_x - 0.5 - cell)
            red, green, blue, alone = row[left, 0], row[left, 1], row[left, 2], row[left, 3]
            more_red, more_green = row[right, 0] - red, row[right, 1] - green
            more_blue, more_alone = row[right, 2] - blue, row[right, 3] - alone
            for x in range(begin, end):
                part = first + np.float32(x - begin) * step
                value = (
                    (red + part * more_red) * np.float32(rgb[y, x, 0])
                    + (green + part * more_green) * np.float32(rgb[y, x, 1])
                    + (blue + part * more_blue) * np.float32(rgb[y, x, 2])
                    + (alone + part * more_alone) * np.float32(255)
                )
                value = min(max(value, np.float32(0)), np.float32(255))
                alpha[y, x] = np.uint8(value + np.float32(0.5))
