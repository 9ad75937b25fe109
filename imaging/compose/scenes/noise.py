"""Seeded noise on a floor's canvas.

Value noise: random values on a lattice, interpolated smoothly, and octaves of it summed (Perlin:
An Image Synthesizer, SIGGRAPH 1985, sums octaves so; Ebert et al.: Texturing and Modeling, chapter
2, has the lattice of values).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from imaging.compose.scenes.stage import Floats

# A lattice repeats after so many cells: enough for it not to be seen.
_MOST_CELLS = 512
# Of uniform values within -1 and 1, smoothed by interpolation.
_DEVIATION = 0.42


@dataclass(frozen=True, slots=True)
class Canvas:
    """A stretch of floor to paint a texture on; its first row is the floor's back edge.

    Attributes:
        width: In units of the frame.
        depth: In units of the frame.
        columns: Texels across.
        rows: Texels along.
    """

    width: float
    depth: float
    columns: int
    rows: int

    @property
    def texels_across(self) -> float:
        """Texels per unit, across."""
        return self.columns / self.width

    @property
    def texels_along(self) -> float:
        """Texels per unit, along."""
        return self.rows / self.depth


def fractal_noise(
    canvas: Canvas,
    chance: np.random.Generator,
    *,
    across: float,
    along: float,
    octaves: int = 1,
    gain: float = 0.5,
) -> Floats:
    """Sum octaves of value noise, each of twice the last one's frequency.

    Args:
        canvas: What it is for.
        chance: What decides the values; it is drawn from equally at any number of texels.
        across: The first octave's cells per unit, across.
        along: The first octave's cells per unit, along.
        octaves: How many.
        gain: An octave's amplitude, of the one before.

    Returns:
        (rows, columns) float32, of mean 0 and a standard deviation of about 1. Details finer than
        the texels are averaged, not sampled.
    """
    rows = math.ceil(canvas.depth * along) + 1
    columns = math.ceil(canvas.width * across) + 1
    total = np.zeros((rows, columns), np.float32)
    for octave in range(octaves):
        if octave:
            size = (total.shape[1] * 2, total.shape[0] * 2)
            total = np.asarray(cv2.resize(total, size, interpolation=cv2.INTER_CUBIC), np.float32)
        total += np.float32(gain**octave) * _lattice(chance, *total.shape)
    deviation = _DEVIATION * math.sqrt(sum(gain ** (2 * octave) for octave in range(octaves)))
    total *= np.float32(1 / deviation)
    wanted_columns = max(round(columns / across * canvas.texels_across), canvas.columns)
    wanted_rows = max(round(rows / along * canvas.texels_along), canvas.rows)
    stretched = _stretch(
        _stretch(total, wanted_columns, total.shape[0]), wanted_columns, wanted_rows
    )
    return np.ascontiguousarray(stretched[: canvas.rows, : canvas.columns])


def _lattice(chance: np.random.Generator, rows: int, columns: int) -> Floats:
    """Draw values within -1 and 1. What is drawn does not depend on how many are asked for."""
    values = chance.random((_MOST_CELLS, _MOST_CELLS), np.float32) * 2 - 1
    return np.asarray(
        values[np.ix_(np.arange(rows) % _MOST_CELLS, np.arange(columns) % _MOST_CELLS)], np.float32
    )


def _stretch(values: Floats, columns: int, rows: int) -> Floats:
    shrinks = columns < values.shape[1] or rows < values.shape[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(values, (columns, rows), interpolation=how), np.float32)
