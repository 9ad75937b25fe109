"""Moving a product's colours a little towards those of the background that it is put before."""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from imaging.types import Box, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

# The most that a colour moves at strength 1: in lightness of 0 to 100, and in a* and b*.
MAX_LIGHTNESS, MAX_CHROMA = 8.0, 6.0
# Shares of the way between the two means, and between the two deviations, at strength 1.
_MEAN_SHARE, _DEVIATION_SHARE = 0.35, 0.25
_CONTRAST = (0.9, 1.1)
# What share of its move a colour of some lightness makes, straight lines between: blacks would turn
# hazy, whites tinted.
_LIGHTNESS, _MOVE_SHARE = (0, 25, 75, 100), (0.4, 1, 1, 0.25)

# Statistics come from about this many pixels a side.
_SAMPLE_PX = 256
# The map is worked out for so many levels of each channel: a move changes slowly with the colour.
_LEVEL_BITS = 6
_STRIP_ROWS = 32


@dataclass(frozen=True, slots=True)
class _Statistics:
    """Of some colours in CIELAB.

    Attributes:
        mean: (3,) float32.
        contrast: Standard deviation of lightness.
    """

    mean: Floats
    contrast: float


def match_colors(rgb: Pixels, alpha: Pixels, background: Pixels, strength: float) -> Pixels:
    """Move a product's colours and brightness towards a background's, mildly.

    After Reinhard et al. (Color Transfer between Images, IEEE CG&A 21(5), 2001), who give a picture
    another's means and standard deviations, L' = (L - m) s_b / s + m_b, here in CIELAB and only
    part of the way, so that a product stays the colour that it is sold in: the means move by about
    a third of their distance, contrast changes by at most a tenth, each colour by no more than
    `MAX_LIGHTNESS` and `MAX_CHROMA`, white by a quarter and black by two fifths of that. The
    deviations of a* and b*, its colourfulness, stay.

    Args:
        rgb: (H, W, 3) uint8, sRGB, the product's straight colours.
        alpha: (H, W) uint8, the product's opacity, the weight of each colour.
        background: (h, w, 3) uint8, sRGB, of any size.
        strength: 0 to 1; the moves and their limits are in proportion to it.

    Returns:
        (H, W, 3) uint8, exactly `rgb` where alpha is 0; `rgb` itself at strength 0 or without a
        product.
    """
    left, top, width, height = cv2.boundingRect(alpha)
    if strength <= 0 or not width:
        return rgb
    product = Box(left, top, left + width, top + height)
    moves = _table(
        _statistics(rgb[product.slices], alpha[product.slices]),
        _statistics(background, None),
        strength,
    )
    matched = rgb.copy()
    for row in range(product.top, product.bottom, _STRIP_ROWS):
        strip = product._replace(top=row, bottom=min(row + _STRIP_ROWS, product.bottom)).slices
        moved = _moved(rgb[strip], moves)
        cv2.copyTo(moved, alpha[strip], matched[strip])
    return matched


def _statistics(rgb: Pixels, weights: Pixels | None) -> _Statistics:
    """Measure colours, each counted by its weight; evenly without weights."""
    step_y, step_x = (-(-side // _SAMPLE_PX) for side in rgb.shape[:2])
    few = np.ascontiguousarray(rgb[::step_y, ::step_x]).astype(np.float32) / 255
    colors = cv2.cvtColor(few, cv2.COLOR_RGB2Lab).reshape(-1, 3).astype(np.float64)
    counted = None if weights is None else weights[::step_y, ::step_x].reshape(-1)
    if counted is None or not counted.any():
        counted = np.ones(len(colors), np.uint8)
    mean = np.average(colors, axis=0, weights=counted)
    variance = np.average((colors[:, 0] - mean[0]) ** 2, weights=counted)
    return _Statistics(mean.astype(np.float32), float(np.sqrt(variance)))


def _table(product: _Statistics, background: _Statistics, strength: float) -> npt.NDArray[np.int32]:
    """Work out the move of every colour, for the middles of a cube's cells.

    Returns:
        (cells,) int32, red changing slowest: the bytes of each are the moves of red, green and
        blue, and 0.
    """
    levels = 1 << _LEVEL_BITS
    middles = (np.arange(levels, dtype=np.float32) + np.float32(0.5)) / np.float32(levels)
    cube = np.stack(np.meshgrid(middles, middles, middles, indexing="ij"), axis=-1)
    cube = cube.reshape(levels, levels * levels, 3)
    lab = np.asarray(cv2.cvtColor(cube, cv2.COLOR_RGB2Lab), np.float32)
    lab += _moves(lab, product, background, strength)
    change = (np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), np.float32) - cube) * 255
    table = np.zeros((levels**3, 4), np.int8)
    table[:, :3] = np.rint(change).clip(-128, 127).reshape(-1, 3)
    return table.view(np.int32).reshape(-1)


def _moves(lab: Floats, product: _Statistics, background: _Statistics, strength: float) -> Floats:
    """Work out how far each colour moves in CIELAB."""
    contrast = background.contrast / max(product.contrast, 1.0)
    gain = np.clip(1 + _DEVIATION_SHARE * (contrast - 1), *_CONTRAST)
    moves = np.empty_like(lab)
    moves[:] = _MEAN_SHARE * (background.mean - product.mean)
    moves[:, :, 0] += (gain - 1) * (lab[:, :, 0] - product.mean[0])
    limits = np.array([MAX_LIGHTNESS, MAX_CHROMA, MAX_CHROMA], np.float32)
    np.clip(moves, -limits, limits, out=moves)
    moves *= strength * np.interp(lab[:, :, :1], _LIGHTNESS, _MOVE_SHARE).astype(np.float32)
    return moves


def _moved(rgb: Pixels, moves: npt.NDArray[np.int32]) -> Pixels:
    level = (rgb >> (8 - _LEVEL_BITS)).astype(np.int32)
    cell = level[:, :, 0] << (2 * _LEVEL_BITS) | level[:, :, 1] << _LEVEL_BITS | level[:, :, 2]
    change = moves.take(cell).view(np.int8).reshape(*cell.shape, 4)
    moved = cv2.add(cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA), change, dtype=cv2.CV_8U)
    return np.asarray(cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB), np.uint8)
