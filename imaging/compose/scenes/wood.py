"""A table of oak planks before a wall.

Each plank is a cut through a trunk: its figure is the distance from the trunk's axis, which wanders
along the plank, taken modulo a year's ring (the solid wood of Peachey: Solid Texturing of Complex
Surfaces, SIGGRAPH 1985). Where the cut comes near the axis the rings show as cathedrals, elsewhere
as straight grain; a knot is a bump in that distance.
"""

import cv2
import numpy as np

from imaging.compose.composition import Scene
from imaging.compose.scenes.backdrop import gain, sheen, wall
from imaging.compose.scenes.floor import Floor, floor_rows
from imaging.compose.scenes.light import Light
from imaging.compose.scenes.noise import Canvas, fractal_noise
from imaging.compose.scenes.palette import mix, ramp, tinted
from imaging.compose.scenes.rows import Rows
from imaging.compose.scenes.stage import Floats, Stage
from imaging.types import Color, Pixels

_OAK = (Color(92, 62, 38), Color(150, 106, 67), Color(186, 140, 94), Color(211, 168, 120))
_WALL = Color(233, 227, 218)
_PLANK = 0.19
# Half of a joint and its bevel, in units.
_JOINT, _BEVEL = 0.0012, 0.005
_RING = 0.0125
_KNOT_ODDS = 0.3


def wood(stage: Stage, scene: Scene, light: Light, chance: np.random.Generator) -> Rows:
    """Set up the planks; see `scene.paint_scene`."""
    stops = tinted(_OAK, scene.color)
    behind = _WALL if scene.color is None else mix(_WALL, scene.color, 0.2)

    def paint(canvas: Canvas) -> Pixels:
        return _planks(canvas, stops, light, chance)

    floor = Floor(
        paint, (scene, light), gain(stage, light), sheen(stage, light, width=0.22, strength=16)
    )
    return floor_rows(stage, floor, wall(stage, light, behind))


def _planks(
    canvas: Canvas, stops: tuple[Color, ...], light: Light, chance: np.random.Generator
) -> Pixels:
    """Lay planks side by side from the canvas's middle outwards."""
    painted = np.empty((canvas.rows, canvas.columns, 3), np.uint8)
    pores = _pores(canvas, chance)
    seed = int(chance.integers(2**32))
    shift = float(chance.uniform(0, _PLANK))
    start = canvas.width / 2 + shift
    for number in range(-int(start / _PLANK) - 1, int(start / _PLANK) + 2):
        left = start + number * _PLANK
        columns = slice(
            *(
                min(max(round(side * canvas.texels_across), 0), canvas.columns)
                for side in (left, left + _PLANK)
            )
        )
        if columns.stop > columns.start:
            own = np.random.default_rng((seed, number % 2**32))
            plank = _plank(canvas, columns, left, light, pores, own)
            tone = float(own.uniform(0.8, 1.06))
            painted[:, columns] = cv2.applyColorMap(plank, ramp(stops, tone))
    return painted


def _pores(canvas: Canvas, chance: np.random.Generator) -> Floats:
    """Return the fibres: fine dark dashes along the grain, and streaks."""
    fine = fractal_noise(canvas, chance, across=420, along=9, octaves=2, gain=0.7)
    streaks = fractal_noise(canvas, chance, across=60, along=0.9, octaves=2)
    dashes = np.minimum(fine + np.float32(0.4), 0)
    return np.asarray(np.float32(0.11) * dashes + np.float32(0.05) * streaks, np.float32)


def _plank(
    canvas: Canvas,
    columns: slice,
    left: float,
    light: Light,
    pores: Floats,
    chance: np.random.Generator,
) -> Pixels:
    """Return one plank's tone, (rows, columns of it) uint8, 0 the darkest."""
    x = _places(columns, canvas.texels_across)[None] - np.float32(left)
    z = _places(slice(0, canvas.rows), canvas.texels_along)[:, None]
    axis = _wander(chance, z, 0.04) + chance.uniform(-0.3, 1.3) * _PLANK
    depth = _wander(chance, z, 0.05) + chance.uniform(0.0, 0.16)
    distance = np.hypot(x - axis, depth).astype(np.float32)
    if chance.random() < _KNOT_ODDS:
        distance += _knot(chance, x, z)
    rings = distance / np.float32(_RING * chance.uniform(0.7, 1.4))
    strip = Canvas(_PLANK, canvas.depth, columns.stop - columns.start, canvas.rows)
    rings += np.float32(0.1) * fractal_noise(strip, chance, across=24, along=1.6, octaves=3)
    phase = rings - np.floor(rings)
    # Pale spring wood darkens slowly into summer wood, which ends sharply with the year.
    summer = phase**3 * np.minimum((1 - phase) * 9, 1)
    contrast = np.float32(chance.uniform(0.18, 0.36))
    tone = np.float32(0.8) - contrast * summer + pores[:, columns]
    shaded = tone * _joint(x, light)
    return np.asarray(cv2.addWeighted(shaded, 255, shaded, 0, 0, dtype=cv2.CV_8U), np.uint8)


def _places(texels: slice, per_unit: float) -> Floats:
    """Return where texels' middles are, in units."""
    middles = np.arange(texels.start, texels.stop, dtype=np.float32) + np.float32(0.5)
    return np.asarray(middles / np.float32(per_unit), np.float32)


def _wander(chance: np.random.Generator, z: Floats, reach: float) -> Floats:
    """Return a slow curve along a plank, within about `reach` either way: a few sines."""
    waves = chance.uniform((0.8, 2.0), (1.8, 4.5))
    phases = chance.uniform(0, 2 * np.pi, 2)
    first, second = (np.sin(z * wave + phase) for wave, phase in zip(waves, phases, strict=True))
    return np.asarray(reach * (first + 0.35 * second))


def _knot(chance: np.random.Generator, x: Floats, z: Floats) -> Floats:
    """Return a bump in the distance from the axis, several rings high."""
    across = (x - chance.uniform(0.25, 0.75) * _PLANK) / 0.022
    along = (z - chance.uniform(0.1, 1.4)) / 0.06
    return np.asarray(0.06 / (1 + across**2 + along**2), np.float32)


def _joint(x: Floats, light: Light) -> Floats:
    """Return the shade across a plank: a gap at its sides and bevels, one turned to the light."""
    to_side = np.minimum(x, _PLANK - x)
    gap = 1 - 0.72 * np.exp(-((to_side / _JOINT) ** 2))
    facing = np.where(x < _PLANK / 2, -light.sideways, light.sideways)
    bevel = 1 + (0.1 * facing - 0.1) * np.exp(-((to_side / _BEVEL) ** 2))
    return np.asarray(gap * bevel, np.float32)
