"""A set's light: one large lamp and what the room gives back.

A small surface with the normal n, at d from a lamp, receives `n . d / |d|^3` of its light:
Lambert's cosine law and the inverse square law. The pictures are gamma-encoded, and a power of a
product is the product of the powers, so a shade multiplies encoded colours as its 2.2nd root.
"""

import math
from dataclasses import dataclass

import numpy as np

from imaging.compose.scenes.stage import Floats, Stage

_GAMMA = 2.2
# The lamp's distance from the product's base, in units, and how far of it towards the camera.
_REACH = 2.1
_FORWARD = 0.6
# The lamp never sinks lower than this above the floor, in units.
_LOWEST = 0.8
# Light from the room, of the lamp's at the base.
_FILL = 1.15
_VIGNETTE = 0.08
# The lamp that lights the wall: its reach sideways, its least height and what the angle adds to it,
# and its distance from the wall, in units.
_WALL_SIDEWAYS = 0.75
_WALL_HEIGHT, _WALL_UPWARDS = 0.25, 0.4
_WALL_DISTANCE = 1.0


@dataclass(frozen=True, slots=True)
class Light:
    """Where the light comes from.

    Attributes:
        angle_deg: Clockwise from straight above, -80 to 80.
    """

    angle_deg: float

    @property
    def sideways(self) -> float:
        """The light's direction to the right, -1 to 1."""
        return math.sin(math.radians(self.angle_deg))

    @property
    def upwards(self) -> float:
        """The light's direction upwards, 0 to 1."""
        return math.cos(math.radians(self.angle_deg))

    def on_floor(self, stage: Stage) -> Floats:
        """Return the shade of the floor, (h, w) on the stage's grid; 1 at the product's base."""
        x, z = stage.floor_points()
        lamp_x, lamp_y, lamp_z = self._lamp(stage)
        squares = (x - lamp_x) ** 2 + lamp_y**2 + (z - lamp_z) ** 2
        at_base = (stage.middle - lamp_x) ** 2 + lamp_y**2 + (stage.base_distance - lamp_z) ** 2
        return _shade(np.asarray((squares / at_base) ** -1.5, np.float32))

    def on_wall(self, stage: Stage) -> Floats:
        """Return the shade of the wall, (h, w) on the stage's grid; 1 where the lamp is nearest."""
        x, y = stage.wall_points()
        lamp_x = stage.middle * stage.wall_distance / stage.base_distance
        lamp_x += _WALL_SIDEWAYS * self.sideways
        lamp_y = _WALL_HEIGHT + _WALL_UPWARDS * self.upwards
        squares = ((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / np.float32(_WALL_DISTANCE**2)
        return _shade(np.asarray((1 + squares) ** -1.5, np.float32))

    def _lamp(self, stage: Stage) -> tuple[float, float, float]:
        height = max(_REACH * self.upwards, _LOWEST)
        return (
            stage.middle + _REACH * self.sideways,
            height,
            stage.base_distance - _FORWARD,
        )


def vignette(stage: Stage) -> Floats:
    """Return the lens's darkening towards the corners, (h, w) on the stage's grid, up to 1."""
    rows, columns = stage.grid()
    x, y = columns / stage.width_px - 0.5, rows / stage.height_px - 0.5
    return np.asarray(1 - _VIGNETTE * (2 * (x * x + y * y)), np.float32)


def smoothstep(start: float, end: float, values: Floats) -> Floats:
    """Return 0 up to `start`, 1 from `end` on, and Hermite's cubic 3t^2 - 2t^3 in between."""
    share = np.clip((values - np.float32(start)) / np.float32(end - start), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _shade(lamp: Floats) -> Floats:
    received = (lamp + np.float32(_FILL)) / np.float32(1 + _FILL)
    return np.asarray(received ** np.float32(1 / _GAMMA), np.float32)
