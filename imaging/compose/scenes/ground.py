"""A floor's rows in perspective, compiled: a row of the picture shows a straight row of texture.

The camera looks level, so that all of a row is equally far away. Its texels are mixed from two rows
of the texture, sharp and blurred, and then stretched along the row.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from imaging.compiled import (
    DENSE_FLOATS_2D,
    DENSE_PIXELS_2D,
    DENSE_WRITTEN_FLOATS_2D,
    kernel,
    kernel_part,
)
from imaging.compose.scenes.stage import Floats
from imaging.types import Pixels

_Line = npt.NDArray[np.float32]

# What `lay_ground` is told of a row.
ROW, STEP, BEGIN, FOCUS, TOLD = 0, 1, 2, 3, 4
_CHANNELS: Final = 3


@kernel_part
def _mixed_row(sharp: Pixels, soft: Pixels, at: float, focus: np.float32, line: _Line) -> None:
    """Interpolate a row of texels between two, and between sharp and blurred."""
    place = min(max(at, 0.0), sharp.shape[0] - 1.0)
    upper = int(place)
    lower = min(upper + 1, sharp.shape[0] - 1)
    down, up = np.float32(place - upper), np.float32(1 - (place - upper))
    one, two, three, four = sharp[upper], sharp[lower], soft[upper], soft[lower]
    blur = np.float32(1) - focus
    for i in range(line.size):
        line[i] = focus * (up * np.float32(one[i]) + down * np.float32(two[i])) + blur * (
            up * np.float32(three[i]) + down * np.float32(four[i])
        )


@kernel_part
def _stretched(line: _Line, step: float, begin: float, row: _Line) -> None:
    """Sample a row of texels at even distances; beyond its ends they repeat."""
    last = line.size // _CHANNELS - 1
    for x in range(row.size // _CHANNELS):
        place = min(max(begin + step * x, 0.0), float(last))
        left = min(int(place), max(last - 1, 0))
        part = np.float32(place - left)
        at, beside = _CHANNELS * left, _CHANNELS * min(left + 1, last)
        for k in range(_CHANNELS):
            value = line[at + k]
            row[_CHANNELS * x + k] = value + part * (line[beside + k] - value)


@kernel(
    DENSE_PIXELS_2D,
    DENSE_PIXELS_2D,
    DENSE_FLOATS_2D,
    DENSE_FLOATS_2D,
    DENSE_FLOATS_2D,
    DENSE_WRITTEN_FLOATS_2D,
)
def lay_ground(
    sharp: Pixels, soft: Pixels, told: Floats, gains: Floats, glows: Floats, rows: Floats
) -> None:
    """Lay a texture on rows of a picture, and light it.

    Args:
        sharp: (h, 3 w) uint8, the texture.
        soft: (h, 3 w) uint8, the texture blurred.
        told: (n, TOLD) float32, for each row: the row of the texture, the step between the texels
            of neighbours, the texel of the first one, and how sharp it is, 0 to 1.
        gains: (n, 3 W) float32, what is multiplied by.
        glows: (n, 3 W) float32, what is added.
        rows: (n, 3 W) float32, written to.
    """
    line = np.empty(sharp.shape[1], np.float32)
    for y in range(rows.shape[0]):
        _mixed_row(sharp, soft, told[y, ROW], told[y, FOCUS], line)
        row, gain, glow = rows[y], gains[y], glows[y]
        _stretched(line, told[y, STEP], told[y, BEGIN], row)
        for i in range(row.size):
            row[i] = row[i] * gain[i] + glow[i]
