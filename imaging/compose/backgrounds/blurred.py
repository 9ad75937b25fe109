"""The photo's own background, blurred, with nothing of the product in it.

Only what is surely background counts: colours are averaged with weights, normalised convolution
(Knutsson, Westin: Normalized and Differential Convolution, CVPR 1993), the certainty being 0 on
the product. What that leaves unknown is filled from coarser averages by pull-push (Gortler,
Grzeszczuk, Szeliski, Cohen: The Lumigraph, SIGGRAPH 1996, section 3.4). A product blurred along
with its background would shine out from behind itself as a halo. As the result is smooth, all of
this happens on a grid several times coarser than the frame.
"""

import math
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from imaging.compose.backgrounds.dither import PARTS, dither, noise_rows
from imaging.compose.composition import Blur
from imaging.framing.frame import Placement
from imaging.matting.guided import SURELY_OUT
from imaging.types import Pixels

_Floats: TypeAlias = npt.NDArray[np.float32]

# Cells of the grid per standard deviation: bilinear enlargement of such a blur is off by less than
# half a level, even across a step from black to white.
_CELLS_PER_SIGMA = 4
# A weak blur does with half of that: nobody sees the kinks of so small a cell.
_FINE_CELL_PX = 2.0
# Cells of that grid, at most: in a larger picture a cell is as small a part of it.
_MOST_FINE_CELLS = 4_000_000
# Around the product, the share of the photo's longer side where a matte may be wrong.
_DOUBT = 0.004
# The certainty that what lies there keeps, for where nothing else is known.
_TRACE = 1e-3
# Longest side of the grid that the calm far outside of the photo is made on.
_CALM_CELLS = 64


def paint_blurred(photo: Pixels, alpha: Pixels, placement: Placement, blur: Blur) -> Pixels:
    """Paint the photo's background, blurred, as the frame shows it.

    Args:
        photo: (H, W, 3) uint8 sRGB.
        alpha: (H, W) uint8, the product's opacity in it.
        placement: How the photo lies in the frame. Beyond its borders the photo goes on mirrored
            and, within half its side, calms down to its broad colours: no pattern repeats itself.
        blur: How strong.

    Returns:
        (placement.height_px, placement.width_px, 3) uint8 sRGB. Where the photo shows no
        background, or less than 1/500 of any cell, grey as bright as the photo's border is on
        average: neutral, as nothing tells a background's colour.
    """
    width_px, height_px = placement.width_px, placement.height_px
    sigma_px = blur.strength * max(width_px, height_px)
    fine_px = max(_FINE_CELL_PX, math.sqrt(width_px * height_px / _MOST_FINE_CELLS))
    cell_px = max(sigma_px / _CELLS_PER_SIGMA, min(sigma_px / 2, fine_px), 1.0)
    weighted = _weighted_cells(photo, alpha, min(placement.magnification / cell_px, 1.0))
    if not weighted[:, :, 3].any():
        return np.full((height_px, width_px, 3), _border_brightness(photo), np.uint8)
    cells = (max(round(width_px / cell_px), 1), max(round(height_px / cell_px), 1))
    to_photo = _cells_to_photo(photo.shape[1], photo.shape[0], placement, cells)
    framed = _calmed(_framed(_filled(weighted), to_photo, cells), to_photo)
    smooth = cv2.GaussianBlur(
        framed,
        (0, 0),
        sigmaX=sigma_px * cells[0] / width_px,
        sigmaY=sigma_px * cells[1] / height_px,
        borderType=cv2.BORDER_REFLECT,
    )
    levels = np.rint(np.clip(smooth, 0, 255) * PARTS).astype(np.uint16)
    enlarged = cv2.resize(levels, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    return dither(np.asarray(enlarged, np.uint16), noise_rows(width_px, 3))


def _weighted_cells(photo: Pixels, alpha: Pixels, scale: float) -> _Floats:
    """Average the background over the grid's cells.

    Args:
        photo: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        scale: Cells per pixel, at most 1.

    Returns:
        (h, w, 4) float32: colour times certainty, 0 to 255, and certainty, 0 to 1.
    """
    height, width = alpha.shape
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    surely_out = cv2.inRange(alpha, 0, SURELY_OUT)
    behind = cv2.copyTo(photo, surely_out)
    colors = cv2.resize(behind, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    share = cv2.resize(surely_out, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    reach = max(round(_DOUBT * max(height, width) * scale), 1)
    certain = cv2.erode(share, np.ones((2 * reach + 1,) * 2, np.uint8))
    certainty = (certain + _TRACE * share) / (1 + _TRACE)
    factor = np.divide(certainty, share, out=np.zeros_like(share), where=share > 0)
    weighted = cv2.multiply(colors, cv2.merge((factor,) * 3))
    return np.asarray(cv2.merge((*cv2.split(weighted), certainty)), np.float32)


def _filled(weighted: _Floats) -> _Floats:
    """Fill what is uncertain from coarser averages.

    Args:
        weighted: (h, w, 4) float32, colour times certainty, and certainty, not 0 everywhere.

    Returns:
        (h, w, 3) float32, the colours.
    """
    levels = [weighted]
    while max(levels[-1].shape[:2]) > 1:
        levels.append(_pulled(levels[-1]))
    colors = levels[-1][:, :, :3] / levels[-1][:, :, 3:]
    for level in reversed(levels[:-1]):
        height, width = level.shape[:2]
        coarse = cv2.resize(colors, (width, height), interpolation=cv2.INTER_LINEAR)
        missing = 1 - level[:, :, 3]
        colors = level[:, :, :3] + cv2.multiply(coarse, cv2.merge((missing,) * 3))
    return colors


def _pulled(level: _Floats) -> _Floats:
    """Average a level two by two; one certain cell of four makes their average certain."""
    height, width = level.shape[:2]
    half = (width + 1) // 2, (height + 1) // 2
    averages = np.asarray(cv2.resize(level, half, interpolation=cv2.INTER_AREA), np.float32)
    averages = averages.reshape(half[1], half[0], 4)
    certainty = averages[:, :, 3:]
    return averages * (np.minimum(4, 1 / np.maximum(certainty, np.float32(1e-12))))


def _cells_to_photo(
    width: int, height: int, placement: Placement, cells: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """Tell where the frame's cells lie in the photo.

    Args:
        width: The photo's width in pixels.
        height: The photo's height in pixels.
        placement: How the photo lies in the frame.
        cells: The frame's grid, columns and rows.

    Returns:
        (2, 2) float64, for x and y: the photo's sides per cell, and where the middle of the first
        cell is, 0 at the photo's left or top, 1 at its right or bottom.
    """
    source, target, factor = placement.source, placement.target, placement.magnification
    axes = (
        (source.left + source.right, target.left + target.right, placement.width_px, width),
        (source.top + source.bottom, target.top + target.bottom, placement.height_px, height),
    )
    return np.array(
        [
            (
                frame_px / count / factor / photo_px,
                (twice_source + (frame_px / count - twice_target) / factor) / 2 / photo_px,
            )
            for (twice_source, twice_target, frame_px, photo_px), count in zip(
                axes, cells, strict=True
            )
        ]
    )


def _framed(colors: _Floats, to_photo: npt.NDArray[np.float64], cells: tuple[int, int]) -> _Floats:
    """Lay the photo's grid over the frame, mirrored as often as it takes.

    Args:
        colors: (h, w, 3) float32, the photo's grid.
        to_photo: Of `_cells_to_photo`.
        cells: The frame's grid, columns and rows.

    Returns:
        (rows, columns, 3) float32.
    """
    counts = np.array((colors.shape[1], colors.shape[0]))
    scales, starts = (to_photo * counts[:, None]).T
    framed = cv2.warpAffine(
        colors,
        np.column_stack((np.diag(scales), starts - 0.5)),
        cells,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(framed, np.float32)


def _calmed(framed: _Floats, to_photo: npt.NDArray[np.float64]) -> _Floats:
    """Pass over to broad colours, a blur of half the photo's side, outside of the photo."""
    rows, columns = framed.shape[:2]
    inside = []
    for (scale, start), count in zip(to_photo, (columns, rows), strict=True):
        at = start + scale * np.arange(count)
        outside = np.maximum(np.abs(at - 0.5) - 0.5, 0)
        near = 1 - np.minimum(2 * outside, 1)
        # Hermite's cubic: no kink where it begins and ends.
        inside.append(near * near * (3 - 2 * near))
    share = np.outer(inside[1], inside[0]).astype(np.float32)
    if share.min() == 1:
        return framed
    reduction = max(max(rows, columns) / _CALM_CELLS, 1)
    size = max(round(columns / reduction), 1), max(round(rows / reduction), 1)
    small = cv2.resize(framed, size, interpolation=cv2.INTER_AREA)
    sigmas = 0.5 / (to_photo[:, 0] * (columns / size[0], rows / size[1]))
    broad = cv2.GaussianBlur(
        small,
        (0, 0),
        sigmaX=min(sigmas[0], _CALM_CELLS),
        sigmaY=min(sigmas[1], _CALM_CELLS),
        borderType=cv2.BORDER_REFLECT,
    )
    calm = cv2.resize(broad, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.blendLinear(framed, calm, share, 1 - share), np.float32)


def _border_brightness(photo: Pixels) -> int:
    """Average the brightness (Rec. 601 luma) of the outermost pixels."""
    sides = (photo[0], photo[-1], photo[:, 0], photo[:, -1])
    border = np.concatenate(sides)[None]
    return round(float(cv2.cvtColor(border, cv2.COLOR_RGB2GRAY).mean()))
