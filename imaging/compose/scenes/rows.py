"""How a scene's picture is put together: strip by strip, in float32, with grain at the end."""

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np

from imaging.cancellation import Check, go_on
from imaging.compiled import (
    COUNT,
    DENSE_FLOATS_2D,
    DENSE_WRITTEN_FLOATS_2D,
    SHARE,
    kernel,
)
from imaging.compose.scenes.stage import Floats, Stage
from imaging.types import Pixels

# From a first row to one before the last: (rows, W, 3) float32, 0 to 255, the caller's to change.
Rows: TypeAlias = Callable[[int, int], Floats]

_STRIP_ROWS = 48
# The grain's strip is shifted sideways by up to this much from strip to strip.
_SHIFT_PX = 509
_GRAIN_LEVELS = 1.0


def smooth_rows(stage: Stage, field: Floats) -> Rows:
    """Enlarge a smooth field to the picture's size, when and where its rows are asked for.

    Args:
        stage: The set.
        field: (h, w, 3) float32 on the stage's grid.

    Returns:
        Its rows: cubic across, and down by the uniform cubic B-spline, whose second derivative is
        continuous, so that a gradient shows no bands where cells meet.
    """
    height = field.shape[0]
    padded = np.empty((height + 4, 3 * stage.width_px), np.float32)
    wide = padded[2:-2].reshape(height, stage.width_px, 3)
    cv2.resize(field, (stage.width_px, height), wide, interpolation=cv2.INTER_CUBIC)
    padded[:2], padded[-2:] = padded[2], padded[-3]
    scale = height / stage.height_px

    def rows(top: int, bottom: int) -> Floats:
        strip = np.empty((bottom - top, padded.shape[1]), np.float32)
        _spline(padded, top, scale, strip)
        return strip.reshape(bottom - top, stage.width_px, 3)

    return rows


@kernel(DENSE_FLOATS_2D, COUNT, SHARE, DENSE_WRITTEN_FLOATS_2D)
def _spline(field: Floats, top: int, scale: float, strip: Floats) -> None:
    """Interpolate rows by the uniform cubic B-spline.

    Args:
        field: (h + 4, n) float32, with two rows more at each end.
        top: The first of the picture's rows.
        scale: The field's rows for one of the picture's.
        strip: (rows, n) float32, written to.
    """
    for row in range(strip.shape[0]):
        place = (top + row + 0.5) * scale + 1.5
        above = int(place) - 1
        t = place - int(place)
        first = np.float32((1 - t) ** 3 / 6)
        second = np.float32((4 - 6 * t**2 + 3 * t**3) / 6)
        third = np.float32((4 - 6 * (1 - t) ** 2 + 3 * (1 - t) ** 3) / 6)
        fourth = np.float32(t**3 / 6)
        one, two, three, four = field[above], field[above + 1], field[above + 2], field[above + 3]
        into = strip[row]
        for at in range(into.size):
            into[at] = first * one[at] + second * two[at] + third * three[at] + fourth * four[at]


def enlarged(rows: Rows, half: Stage, width_px: int) -> Rows:
    """Enlarge a picture's rows to twice their size, bilinearly, when they are asked for.

    Args:
        rows: The rows of the picture at half its size.
        half: Its set.
        width_px: The width wanted, at most twice the half's.
    """

    def twice(top: int, bottom: int) -> Floats:
        # A row more on either side, for what the outer ones are interpolated with.
        first, last = max(top // 2 - 1, 0), min(-(-bottom // 2) + 1, half.height_px)
        strip = rows(first, last)
        size = (2 * half.width_px, 2 * (last - first))
        large = cv2.resize(strip, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(large[top - 2 * first : bottom - 2 * first, :width_px], np.float32)

    return twice


def develop(stage: Stage, rows: Rows, chance: np.random.Generator, check: Check = go_on) -> Pixels:
    """Paint a picture from its rows, with a fine grain that hides the steps of eight bits.

    Args:
        stage: The set.
        rows: The picture.
        chance: What decides the grain: of triangular distribution within a level either way, the
            dither whose noise does not depend on the signal (Lipshitz, Wannamaker and Vanderkooy:
            Quantization and Dither, JAES 1992).
        check: Asked from strip to strip whether to go on.

    Returns:
        (H, W, 3) uint8.
    """
    shape = (_STRIP_ROWS, stage.width_px + _SHIFT_PX)
    noise = chance.random(shape, np.float32) - chance.random(shape, np.float32)
    grain = cv2.merge((noise * np.float32(_GRAIN_LEVELS),) * 3)
    picture = np.empty((stage.height_px, stage.width_px, 3), np.uint8)
    for top in range(0, stage.height_px, _STRIP_ROWS):
        check()
        bottom = min(top + _STRIP_ROWS, stage.height_px)
        shift = int(chance.integers(_SHIFT_PX))
        speck = grain[: bottom - top, shift : shift + stage.width_px]
        cv2.add(rows(top, bottom), speck, picture[top:bottom], dtype=cv2.CV_8U)
    return picture
