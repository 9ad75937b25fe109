"""A plain matte table before a wall, with the horizon between them."""

import cv2
import numpy as np

from imaging.compose.composition import Scene
from imaging.compose.scenes.backdrop import gain, sheen, wall
from imaging.compose.scenes.floor import Floor, floor_rows
from imaging.compose.scenes.light import Light
from imaging.compose.scenes.noise import Canvas, fractal_noise
from imaging.compose.scenes.palette import mix, ramp, scaled
from imaging.compose.scenes.rows import Rows
from imaging.compose.scenes.stage import Stage
from imaging.types import Color, Pixels

_TOP = Color(234, 224, 211)
_WALL = Color(224, 215, 205)
# How far the lacquer's brightness strays, at most.
_MOTTLE = 0.04


def table(stage: Stage, scene: Scene, light: Light, chance: np.random.Generator) -> Rows:
    """Set up the table; see `scene.paint_scene`."""
    color = scene.color or _TOP
    behind = _WALL if scene.color is None else mix(scaled(color, 0.93), _WALL, 0.3)

    def paint(canvas: Canvas) -> Pixels:
        return _lacquer(canvas, color, chance)

    floor = Floor(
        paint, (scene, light), gain(stage, light), sheen(stage, light, width=0.34, strength=9), 0.8
    )
    return floor_rows(stage, floor, wall(stage, light, behind))


def _lacquer(canvas: Canvas, color: Color, chance: np.random.Generator) -> Pixels:
    """Paint lacquer: even, but for a cloudiness and a tooth that are felt rather than seen."""
    cloud = fractal_noise(canvas, chance, across=2.5, along=2.5, octaves=3)
    tooth = fractal_noise(canvas, chance, across=260, along=130, octaves=2, gain=0.8)
    level = cv2.addWeighted(cloud, 20, tooth, 24, 127.5, dtype=cv2.CV_8U)
    stops = tuple(scaled(color, 1 + side * _MOTTLE) for side in (-1, 1))
    return np.asarray(cv2.applyColorMap(level, ramp(stops)), np.uint8)
