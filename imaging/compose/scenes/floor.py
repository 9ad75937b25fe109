"""A textured floor before a wall: a texture of bounded size, laid into perspective.

The texture has about one texel per pixel at the product's base, less along than across, as the
floor is seen at a slant. Two versions of it, one sharp and one blurred, are blended by distance
from the base: the lens's depth of field, and no detail too fine for the pixels far away (Williams:
Pyramidal Parametrics, SIGGRAPH 1983).
"""

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from imaging.compose.scenes.ground import BEGIN, FOCUS, ROW, STEP, TOLD, lay_ground
from imaging.compose.scenes.light import smoothstep
from imaging.compose.scenes.noise import Canvas
from imaging.compose.scenes.rows import Rows, smooth_rows
from imaging.compose.scenes.stage import Floats, Stage
from imaging.compose.scenes.textures import textures
from imaging.types import Pixels

# Texels per pixel at the base; at least and at most so many per unit, and in all, each way.
_DENSITY = 1.1
_LEAST_PER_UNIT, _MOST_PER_UNIT = 900, 2200
_MOST_ACROSS, _MOST_ALONG = 3200, 1600
# The depth is rounded up to this, in units, so that a pixel's difference changes no lattice.
_STEP = 1 / 8
# How soft the back edge and how blurred the floor there is, in units.
_EDGE_BLUR = 0.007
_FAR_BLUR = 0.004

S = TypeVar("S", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Floor:
    """What a floor is made of and how it is lit.

    Attributes:
        paint: Paints its texture on a canvas, (rows, columns, 3) uint8.
        made_of: What the texture follows from beside the canvas.
        gain: (h, w, 3) float32 on the stage's grid: what the texture is multiplied by.
        glow: (h, w, 3) float32: what is added, 0 to 255: sheen and reflections.
        detail: How many of the texels it needs, above 0 to 1: fewer where nothing is fine.
    """

    paint: Callable[[Canvas], Pixels]
    made_of: Hashable
    gain: Floats
    glow: Floats
    detail: float = 1.0


def floor_rows(stage: Stage, floor: Floor, wall: Floats) -> Rows:
    """Lay a floor before a wall.

    Args:
        stage: The set.
        floor: The floor.
        wall: (h, w, 3) float32 on the stage's grid, 0 to 255.

    Returns:
        The picture's rows.
    """
    canvas = canvas_for(stage, floor.detail)
    size = _size_of(stage, canvas)

    def made() -> tuple[Pixels, Pixels]:
        sharp = _fitted(floor.paint(canvas), size)
        blur = max(_FAR_BLUR * sharp.shape[1] / canvas.width, 0.5)
        return sharp, np.asarray(cv2.GaussianBlur(sharp, (0, 0), blur), np.uint8)

    sharp, soft = textures.get((floor.made_of, canvas, size), made)
    gains, glows = smooth_rows(stage, floor.gain), smooth_rows(stage, floor.glow)
    walls = smooth_rows(stage, wall)
    blur_px = max(_EDGE_BLUR * stage.unit_px, 1.0)

    def ground(top: int, bottom: int) -> Floats:
        strip = np.empty((bottom - top, 3 * stage.width_px), np.float32)
        lay_ground(
            _in_rows(sharp),
            _in_rows(soft),
            _seen(stage, canvas, sharp, top, bottom),
            _in_rows(gains(top, bottom)),
            _in_rows(glows(top, bottom)),
            strip,
        )
        return strip.reshape(bottom - top, stage.width_px, 3)

    def rows(top: int, bottom: int) -> Floats:
        if bottom <= stage.edge - blur_px:
            return walls(top, bottom)
        if top >= stage.edge + blur_px:
            return ground(top, bottom)
        middles = np.arange(top, bottom, dtype=np.float32)[:, None, None] + np.float32(0.5)
        share = smoothstep(stage.edge - blur_px, stage.edge + blur_px, middles)
        behind = walls(top, bottom)
        return np.asarray(behind + (ground(top, bottom) - behind) * share, np.float32)

    return rows


def canvas_for(stage: Stage, detail: float = 1.0) -> Canvas:
    """Return the canvas for the floor that a picture shows, with a share of the texels each way."""
    depth = math.ceil((stage.back_distance - stage.front_distance) / _STEP) * _STEP
    width = stage.back_width
    density = detail * min(max(stage.unit_px * _DENSITY, _LEAST_PER_UNIT), _MOST_PER_UNIT)
    slant = stage.camera_height / stage.base_distance
    return Canvas(
        width=width,
        depth=depth,
        columns=max(round(min(density * width, _MOST_ACROSS)), 2),
        rows=max(round(min(density * slant * depth, _MOST_ALONG)), 2),
    )


def _size_of(stage: Stage, canvas: Canvas) -> tuple[int, int]:
    """Return how many texels across and along the picture shows, of those of the canvas."""
    share = min(stage.unit_px * _DENSITY / _LEAST_PER_UNIT, 1.0)
    if share == 1:
        return canvas.columns, canvas.rows
    return max(round(canvas.columns * share), 2), max(round(canvas.rows * share), 2)


def _fitted(texture: Pixels, size: tuple[int, int]) -> Pixels:
    """Shrink a texture that is finer than the picture, so that no detail is skipped."""
    if size == (texture.shape[1], texture.shape[0]):
        return texture
    return np.asarray(cv2.resize(texture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _in_rows(array: npt.NDArray[S]) -> npt.NDArray[S]:
    return array.reshape(len(array), -1)


def _seen(stage: Stage, canvas: Canvas, texture: Pixels, top: int, bottom: int) -> Floats:
    """Return which texels rows of the picture show, (rows, TOLD) float32 as `lay_ground` is told.

    A homography, pixel to texel, whose scale grows by the same from row to row.
    """
    height, width = texture.shape[:2]
    across, along = width / canvas.width, height / canvas.depth
    scale = (np.arange(top, bottom) + 0.5 - stage.vanishing) / (stage.base - stage.vanishing)
    step = across / stage.unit_px / scale
    told = np.empty((bottom - top, TOLD), np.float32)
    told[:, ROW] = (stage.back_distance - stage.base_distance / scale) * along - 0.5
    told[:, STEP] = step
    told[:, BEGIN] = (0.5 - stage.width_px / 2) * step + canvas.width / 2 * across - 0.5
    told[:, FOCUS] = _focus(stage, top, bottom)
    return told


def _focus(stage: Stage, top: int, bottom: int) -> Floats:
    """Return how sharp rows are, (rows,), 1 at the base."""
    rows = np.arange(top, bottom, dtype=np.float32) + np.float32(0.5)
    behind = 1 - smoothstep(0.25, 1.0, (stage.base - rows) / np.float32(stage.base - stage.edge))
    before = 1 - smoothstep(0.12, 0.5, (rows - stage.base) / np.float32(stage.height_px))
    return np.asarray(behind * (0.35 + 0.65 * before), np.float32)
