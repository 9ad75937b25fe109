"""Gradients, linear and radial, without bands.

The geometry is that of CSS (CSS Images Module Level 3, sections 3.1 and 3.2): along a linear
gradient's line the corners that lie farthest out have exactly the first and last colour; a radial
one is a circle whose last colour is met in the farthest corner. As in CSS, colours are mixed in
sRGB values. A corner is the corner pixel's centre here, so that its colour is the exact one.
"""

from math import cos, hypot, radians, sin

import cv2
import numpy as np
import numpy.typing as npt

from imaging.compose.backgrounds.dither import PARTS, TILE_PX, dither, noise_rows
from imaging.compose.composition import LinearGradient, RadialGradient
from imaging.types import Color, Pixels

_Floats = npt.NDArray[np.float32]

# Where a pixel lies between first and last colour is counted in so many steps.
_STEPS = 65535
# Sine and cosine are rounded to this, so that right angles are.
_DIGITS = 12
# A line that is shorter has no length: an angle so near to a right one is meant as one.
_SHORTEST_PX = 1e-6


def paint_gradient(
    gradient: LinearGradient | RadialGradient, width_px: int, height_px: int
) -> Pixels:
    """Paint a gradient.

    Args:
        gradient: Its colours and how they lie.
        width_px: The picture's width.
        height_px: The picture's height.

    Returns:
        (height_px, width_px, 3) uint8 sRGB, less than 1.02 levels from the exact value and equal
        to it on average (`dither`); exact in the corners that the geometry gives a colour and
        between two equal colours. A linear gradient whose line has no length, as across a single
        column, is its middle throughout.
    """
    pixels = np.empty((height_px, width_px, 3), np.uint8)
    colors = _colors_by_step(gradient.colors)
    noise = noise_rows(width_px, 4)
    x_px = np.arange(width_px, dtype=np.float32)[None, :]
    for top in range(0, height_px, TILE_PX):
        rows = slice(top, min(top + TILE_PX, height_px))
        y_px = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
        if isinstance(gradient, LinearGradient):
            steps = _linear_steps(gradient, x_px, y_px, width_px, height_px)
        else:
            steps = _radial_steps(gradient, x_px, y_px, width_px, height_px)
        # One word per pixel: NumPy picks four channels as fast as one.
        nearest = np.minimum(steps + np.float32(0.5), np.float32(_STEPS)).astype(np.uint16)
        picked = np.take(colors, nearest)
        levels = picked.view(np.uint16).reshape(*picked.shape, 4)
        pixels[rows] = cv2.cvtColor(dither(levels, noise), cv2.COLOR_RGBA2RGB)
    return pixels


def _colors_by_step(colors: tuple[Color, ...]) -> npt.NDArray[np.uint64]:
    """Tabulate the colours: (_STEPS + 1,) uint64, each four uint16 in parts of a level."""
    distances = np.linspace(0, 1, len(colors))
    table = np.zeros((_STEPS + 1, 4), np.uint16)
    at = np.linspace(0, 1, _STEPS + 1)
    for channel, values in enumerate(np.array(colors, np.float64).T):
        table[:, channel] = np.rint(PARTS * np.interp(at, distances, values))
    return table.view(np.uint64)[:, 0]


def _linear_steps(
    gradient: LinearGradient, x_px: _Floats, y_px: _Floats, width_px: int, height_px: int
) -> _Floats:
    """Project pixels on the gradient's line: (h, W) float32, 0 to _STEPS but for rounding."""
    angle = radians(gradient.angle_deg)
    right, down = round(sin(angle), _DIGITS), round(-cos(angle), _DIGITS)
    last_x, last_y = width_px - 1, height_px - 1
    length_px = last_x * abs(right) + last_y * abs(down)
    scale = _STEPS / length_px if length_px > _SHORTEST_PX else 0.0
    along = (x_px - last_x / 2) * np.float32(scale * right)
    across = (y_px - last_y / 2) * np.float32(scale * down) + np.float32(_STEPS / 2)
    return np.maximum(along + across, 0)


def _radial_steps(
    gradient: RadialGradient, x_px: _Floats, y_px: _Floats, width_px: int, height_px: int
) -> _Floats:
    """Measure how far pixels are from the centre: (h, W) float32, 0 to _STEPS but for rounding."""
    center, last_x, last_y = gradient.center, width_px - 1, height_px - 1
    farthest_px = hypot(last_x * max(center.x, 1 - center.x), last_y * max(center.y, 1 - center.y))
    scale = np.float32(_STEPS / farthest_px if farthest_px else 0.0)
    right, down = (x_px - center.x * last_x) * scale, (y_px - center.y * last_y) * scale
    return np.asarray(cv2.sqrt(right * right + down * down), np.float32)
