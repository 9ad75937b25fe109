"""A polished slab of marble before a wall.

Perlin's marble (An Image Synthesizer, SIGGRAPH 1985): layers through the stone, bent by noise. The
noise is sampled at places that another one has moved: Quilez's domain warping (iquilezles.org).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from imaging.compose.composition import Scene
from imaging.compose.scenes.backdrop import gain, mirrored, sheen, wall
from imaging.compose.scenes.floor import Floor, floor_rows
from imaging.compose.scenes.light import Light
from imaging.compose.scenes.noise import Canvas, fractal_noise
from imaging.compose.scenes.palette import mix, ramp, tinted
from imaging.compose.scenes.rows import Rows
from imaging.compose.scenes.stage import Floats, Stage
from imaging.types import Color, Pixels

# From the veins' cores to the clear stone.
_STONE = (Color(128, 126, 127), Color(186, 184, 183), Color(224, 222, 220), Color(243, 242, 240))
_WALL = Color(222, 222, 221)
_DETAIL = 0.6
# How far the warp moves what it moves, in units.
_WARP = 0.07


@dataclass(frozen=True, slots=True)
class _Veins:
    """One generation of veins: cracks of a time, that run one way.

    Attributes:
        density: Veins per unit.
        turn: Their direction, in radians from straight away from the camera.
        swirls: Cells per unit of the noise that bends them.
        bend: How far it bends them, in distances between them.
        width: Half of their width, in distances between them.
        tone: How much darker than the stone they are, 0 to 1.
    """

    density: float
    turn: float
    swirls: float
    bend: float
    width: float
    tone: float


_VEINS = (
    _Veins(density=1.3, turn=0.75, swirls=1.6, bend=0.32, width=0.055, tone=0.22),
    _Veins(density=1.3, turn=0.75, swirls=1.6, bend=0.32, width=0.015, tone=0.72),
    _Veins(density=2.4, turn=0.5, swirls=2.2, bend=0.4, width=0.014, tone=0.34),
    _Veins(density=5.0, turn=-0.6, swirls=4.0, bend=0.55, width=0.025, tone=0.14),
)


def marble(stage: Stage, scene: Scene, light: Light, chance: np.random.Generator) -> Rows:
    """Set up the slab; see `scene.paint_scene`."""
    stops = tinted(_STONE, scene.color)
    seen = wall(stage, light, _WALL if scene.color is None else mix(_WALL, scene.color, 0.35))

    def paint(canvas: Canvas) -> Pixels:
        return np.asarray(cv2.applyColorMap(_slab(canvas, chance), ramp(stops)), np.uint8)

    share = mirrored(stage, seen, at_front=0.06, at_back=0.45)
    glow = seen * share + sheen(stage, light, width=0.3, strength=8)
    shade = gain(stage, light) * (1 - share)
    floor = Floor(paint, (scene, light), shade, np.asarray(glow, np.float32), _DETAIL)
    return floor_rows(stage, floor, seen)


def _slab(canvas: Canvas, chance: np.random.Generator) -> Pixels:
    """Return the stone's clearness, (rows, columns) uint8, 0 in the darkest vein."""
    moved = [fractal_noise(canvas, chance, across=1.3, along=1.3, octaves=5) for _ in range(2)]
    cloud = fractal_noise(canvas, chance, across=1.6, along=1.6, octaves=5, gain=0.55)
    presence = fractal_noise(canvas, chance, across=1.4, along=1.4, octaves=3)
    clear = np.float32(0.82) + np.float32(0.1) * _warped(canvas, cloud, moved)
    for kind in _VEINS:
        swirl = fractal_noise(canvas, chance, across=kind.swirls, along=kind.swirls, octaves=5)
        line = _vein(_phase(canvas, kind, swirl, moved, float(chance.random())), kind.width)
        line *= np.clip(np.float32(0.55) + np.float32(0.5) * presence, 0.04, 1)
        clear -= np.float32(kind.tone) * line
        presence = -presence
    return np.asarray(cv2.addWeighted(clear, 255, clear, 0, 0, dtype=cv2.CV_8U), np.uint8)


def _phase(
    canvas: Canvas, kind: _Veins, swirl: Floats, moved: list[Floats], start: float
) -> Floats:
    """Return a ramp across the veins' direction, bent by noise: they are where it is whole."""
    x = np.arange(canvas.columns, dtype=np.float32)[None] / np.float32(canvas.texels_across)
    y = np.arange(canvas.rows, dtype=np.float32)[:, None] / np.float32(canvas.texels_along)
    across, along = kind.density * math.cos(kind.turn), kind.density * math.sin(kind.turn)
    phase = np.float32(across) * x + np.float32(along) * y + np.float32(start)
    phase += np.float32(kind.bend) * _warped(canvas, swirl, moved)
    return np.asarray(phase, np.float32)


def _warped(canvas: Canvas, field: Floats, moved: list[Floats]) -> Floats:
    """Sample a field at places that noise has moved."""
    x = np.arange(canvas.columns, dtype=np.float32)[None]
    y = np.arange(canvas.rows, dtype=np.float32)[:, None]
    from_x = x + np.float32(_WARP * canvas.texels_across) * moved[0]
    from_y = y + np.float32(_WARP * canvas.texels_along) * moved[1]
    return np.asarray(
        cv2.remap(field, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT),
        np.float32,
    )


def _vein(phase: Floats, width: float) -> Floats:
    """Return 1 where a phase is whole, falling off within a width by Lorentz's curve."""
    ratio = (phase - np.rint(phase)) * np.float32(1 / width)
    return np.asarray(1 / (1 + ratio * ratio), np.float32)
