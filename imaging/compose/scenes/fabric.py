"""Woven cloth, spread with a few soft folds before a wall.

A plain weave: threads of both directions pass over and under each other in turn, each with its own
thickness and tone. Folds are a smooth height map whose slope towards the light decides the shade:
Lambert's cosine law for small slopes.
"""

import cv2
import numpy as np

from imaging.compose.composition import Scene
from imaging.compose.scenes.backdrop import gain, wall
from imaging.compose.scenes.floor import Floor, floor_rows
from imaging.compose.scenes.light import Light
from imaging.compose.scenes.noise import Canvas, fractal_noise
from imaging.compose.scenes.palette import mix, ramp, tinted
from imaging.compose.scenes.rows import Rows
from imaging.compose.scenes.stage import Floats, Stage
from imaging.types import Color, Pixels

_LINEN = (Color(120, 106, 88), Color(196, 181, 158), Color(222, 210, 190), Color(240, 231, 215))
_WALL = Color(232, 226, 218)
# Threads per unit.
_THREADS = 120
# Texels per thread of the tile that one crossing of 2 x 2 threads is drawn on.
_TILE_TEXELS = 32
# How rounded folds are, in units.
_FOLD_BLUR = 0.02
# The byte that stands for the shade of cloth that lies flat.
_FLAT = 220
# Texels of the small canvas that folds are modelled on, each way.
_FOLD_TEXELS = 256
# How far threads drift, in threads.
_SWAY = 0.17
# A standard deviation of noise, kept in a byte.
_COARSE = 36
_STRIP_ROWS = 64


def fabric(stage: Stage, scene: Scene, light: Light, chance: np.random.Generator) -> Rows:
    """Set up the cloth; see `scene.paint_scene`."""
    stops = tinted(_LINEN, scene.color)
    behind = _WALL if scene.color is None else mix(_WALL, scene.color, 0.35)

    def paint(canvas: Canvas) -> Pixels:
        cloth = cv2.applyColorMap(_weave(canvas, chance), ramp(stops))
        folds = _folds(canvas, light, chance)
        return np.asarray(cv2.multiply(cloth, folds, scale=1 / _FLAT, dtype=cv2.CV_8U), np.uint8)

    shade = gain(stage, light)
    return floor_rows(
        stage, Floor(paint, (scene, light), shade, np.zeros_like(shade)), wall(stage, light, behind)
    )


def _weave(canvas: Canvas, chance: np.random.Generator) -> Pixels:
    """Return the threads' brightness, (rows, columns) uint8."""
    noises = tuple(
        _coarse(fractal_noise(canvas, chance, across=across, along=along, octaves=2, gain=0.6))
        for across, along in ((18, 18), (18, 18), (_THREADS, 2.5), (2.5, _THREADS))
    )
    tile = _crossings()
    x = (np.arange(canvas.columns, dtype=np.float32) + 0.5)[None] / canvas.texels_across
    woven = np.empty((canvas.rows, canvas.columns), np.uint8)
    for top in range(0, canvas.rows, _STRIP_ROWS):
        strip = slice(top, min(top + _STRIP_ROWS, canvas.rows))
        y = (np.arange(strip.start, strip.stop, dtype=np.float32) + 0.5)[:, None]
        parts = tuple(noise[strip] for noise in noises)
        woven[strip] = _threads(tile, x, y / np.float32(canvas.texels_along), parts)
    return woven


def _threads(tile: Floats, x: Floats, y: Floats, noises: tuple[Pixels, ...]) -> Pixels:
    """Lay the crossings' tile along threads that drift, and give each thread its tone."""
    drift_x, drift_y, tone_along, tone_across = noises
    scale, period = _THREADS * _TILE_TEXELS, np.float32(2 * _TILE_TEXELS)
    sway = np.float32(_SWAY * _TILE_TEXELS / _COARSE)
    from_x, from_y = (
        np.asarray(np.fmod(np.float32(scale) * place + sway * drift, period), np.float32)
        for place, drift in ((x, drift_x), (y, drift_y))
    )
    crossing = cv2.remap(tile, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    height, upper = cv2.split(crossing)
    tone = tone_across + (tone_along - tone_across.astype(np.float32)) * upper
    level = 255 * (np.float32(0.42) + np.float32(0.36) * height) + np.float32(16 / _COARSE) * (
        tone - np.float32(128)
    )
    return np.asarray(cv2.addWeighted(level, 1, level, 0, 0, dtype=cv2.CV_8U), np.uint8)


def _coarse(noise: Floats) -> Pixels:
    """Keep noise in a byte: there are several of the canvas's size at a time."""
    return np.asarray(cv2.addWeighted(noise, _COARSE, noise, 0, 128, dtype=cv2.CV_8U), np.uint8)


def _crossings() -> Floats:
    """Draw 2 x 2 threads' crossings.

    Returns:
        (2 tiles, 2 tiles, 2) float32, repeating: how high the upper thread is, 0 to 1, and whether
        it runs along (1) or across (0).
    """
    places = (np.arange(2 * _TILE_TEXELS, dtype=np.float32) + 0.5) / _TILE_TEXELS
    x, y = places[None], places[:, None]
    bow_x, bow_y = np.abs(np.sin(np.pi * x)) ** 0.7, np.abs(np.sin(np.pi * y)) ** 0.7
    swing = np.sin(np.pi * x) * np.sin(np.pi * y)
    turn = 0.5 + 0.5 * np.sign(swing)
    along = bow_x * (0.35 + 0.65 * turn * bow_y)
    across = bow_y * (0.35 + 0.65 * (1 - turn) * bow_x)
    height = np.maximum(along, across)
    upper = (along >= across).astype(np.float32)
    blurred = cv2.GaussianBlur(np.tile(np.stack((height, upper), axis=2), (3, 3, 1)), (0, 0), 2)
    inner = slice(2 * _TILE_TEXELS, 4 * _TILE_TEXELS)
    return np.ascontiguousarray(blurred[inner, inner], dtype=np.float32)


def _folds(canvas: Canvas, light: Light, chance: np.random.Generator) -> Pixels:
    """Return the shade of the folds, (rows, columns, 3) uint8."""
    small = Canvas(canvas.width, canvas.depth, _FOLD_TEXELS, _FOLD_TEXELS)
    swell = fractal_noise(small, chance, across=2.2, along=1.1, octaves=2, gain=0.3)
    ridge = fractal_noise(small, chance, across=1.5, along=1.1, octaves=2, gain=0.3)
    # The smooth absolute value: folds are narrow above and wide below, as cloth falls.
    relief = np.float32(0.6) * swell - np.sqrt(ridge * ridge + np.float32(0.02))
    relief = cv2.GaussianBlur(
        relief,
        (0, 0),
        sigmaX=_FOLD_BLUR * small.texels_across,
        sigmaY=_FOLD_BLUR * small.texels_along,
    )
    slope = cv2.Sobel(relief, cv2.CV_32F, 1, 0, scale=small.texels_across / 8)
    away = cv2.Sobel(relief, cv2.CV_32F, 0, 1, scale=small.texels_along / 8)
    shade = np.float32(0.045) * (np.float32(-light.sideways) * slope + np.float32(0.5) * away)
    shade = np.float32(_FLAT) * (np.float32(0.98) + np.clip(shade, -0.25, 0.12))
    size = (canvas.columns, canvas.rows)
    level = cv2.resize(shade.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.merge((cv2.convertScaleAbs(level),) * 3), np.uint8)
