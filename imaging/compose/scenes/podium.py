"""A round podium on a seamless sweep of its own colour."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from imaging.compiled import DENSE_FLOATS_2D, DENSE_PIXELS_2D, DENSE_WRITTEN_FLOATS_2D, kernel
from imaging.compose.composition import Scene
from imaging.compose.scenes.light import Light, smoothstep
from imaging.compose.scenes.palette import mix, rgb, scaled, shaded
from imaging.compose.scenes.rows import Rows, smooth_rows
from imaging.compose.scenes.stage import Floats, Stage
from imaging.compose.scenes.studio import sweep
from imaging.types import WHITE, Color, Pixels

_PLASTER = Color(240, 220, 208)
# The room's brightness, of the podium's, and how much paler than the podium its top is.
_ROOM, _PALER = 0.92, 0.12
# The top's half-width, of the product's width, and its least, in units.
_SPREAD, _LEAST = 0.62, 0.2
# The top's half-height, of its half-width, and its most, of the frame's height.
_FLATTENING, _FLATTEST = 0.2, 0.09
# The podium's height, in units.
_HEIGHT = 0.12
# The bevel between top and side, in units, and how much brighter than the top it is.
_BEVEL, _GLINT = 0.003, 1.06
# The side's light: the room's, and the lamp's, whose part towards the camera is the second figure.
_FILL, _TOWARDS = 0.42, 0.55
_TOUCHED, _CAST = 0.34, 0.16
# Bits of fraction in the coordinates that OpenCV draws by.
_BITS = 4


def podium(stage: Stage, scene: Scene, light: Light, chance: np.random.Generator) -> Rows:
    """Set up the podium; see `scene.paint_scene`."""
    del chance
    color = scene.color or _PLASTER
    drum = _Drum(stage)
    room = sweep(stage, light, scaled(color, _ROOM)) * drum.shadows(light)
    lit = np.minimum(light.on_floor(stage), 1)[:, :, None] * rgb(mix(color, WHITE, _PALER))
    background, surface = smooth_rows(stage, room), smooth_rows(stage, lit)
    top, bevel, body = drum.masks()
    across = drum.side_shade(light)
    side = shaded(across, color)

    def rows(first: int, last: int) -> Floats:
        picture = background(first, last)
        strip = slice(first, last)
        if body[strip].any():
            _lay(picture, drum.down_shade(first, last) * side, body[strip])
        if bevel[strip].any():
            lid = surface(first, last)
            _lay(picture, lid * (across * np.float32(_GLINT))[:, :, None], bevel[strip])
            _lay(picture, lid, top[strip])
        return picture

    return rows


@dataclass(frozen=True, slots=True)
class _Drum:
    """The podium's shape in the picture, in pixels."""

    stage: Stage

    @property
    def middle(self) -> float:
        return (self.stage.product.left + self.stage.product.right) / 2

    @property
    def radius(self) -> float:
        return max(_SPREAD * self.stage.product.width, _LEAST * self.stage.unit_px)

    @property
    def rise(self) -> float:
        return min(_FLATTENING * self.radius, _FLATTEST * self.stage.height_px)

    @property
    def height(self) -> float:
        return _HEIGHT * self.stage.unit_px

    def masks(self) -> tuple[Pixels, Pixels, Pixels]:
        """Return where the top is, top and bevel, and all of it: (H, W) uint8 with soft edges."""
        turn = np.linspace(0, 2 * math.pi, 721)
        x, y = self.middle + self.radius * np.cos(turn), self.stage.base + self.rise * np.sin(turn)
        outlines = (
            y,
            y + _BEVEL * self.stage.unit_px,
            y + np.where(np.sin(turn) > 0, self.height, 0),
        )
        top, bevel, body = (self._drawn(np.stack((x, outline), axis=1)) for outline in outlines)
        return top, bevel, body

    def side_shade(self, light: Light) -> Floats:
        """Return the side's shade by column, (1, W): Lambert's n . l of an upright cylinder."""
        columns = np.arange(self.stage.width_px) + 0.5
        sine = np.clip((columns - self.middle) / self.radius, -1, 1)
        facing = np.maximum(sine * light.sideways + np.sqrt(1 - sine * sine) * _TOWARDS, 0)
        return np.asarray((_FILL + 0.5 * facing) ** (1 / 2.2), np.float32)[None]

    def down_shade(self, first: int, last: int) -> Floats:
        """Return the side's shade by row, (rows, 1, 1): less light towards the floor."""
        rows = np.arange(first, last, dtype=np.float32) + np.float32(0.5 - self.stage.base)
        below = smoothstep(0, self.height + self.rise, rows)
        return np.asarray(1 - np.float32(0.16) * below, np.float32)[:, None, None]

    def shadows(self, light: Light) -> Floats:
        """Return what the podium leaves of the floor's light, (h, w, 1) on the stage's grid."""
        rows, columns = self.stage.grid()
        x, y = columns - self.middle, rows - (self.stage.base + self.height)
        contact = np.hypot(x / (self.radius * 1.03), y / (self.rise * 1.15)).astype(np.float32)
        away = -light.sideways * self.height * 1.6
        cast = np.hypot((x - away) / (self.radius * 1.15), y / (self.rise * 1.3)).astype(np.float32)
        left = 1 - np.float32(_TOUCHED) * (1 - smoothstep(0.9, 1.35, contact))
        left *= 1 - np.float32(_CAST) * (1 - smoothstep(0.5, 1.3, cast))
        return np.asarray(left, np.float32)[:, :, None]

    def _drawn(self, outline: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Pixels:
        mask = np.zeros((self.stage.height_px, self.stage.width_px), np.uint8)
        # OpenCV's whole coordinates are pixels' centres.
        points = np.rint((outline - 0.5) * (1 << _BITS)).astype(np.int32)
        cv2.fillConvexPoly(mask, points, 255, cv2.LINE_AA, _BITS)
        return mask


def _lay(picture: Floats, layer: Floats, mask: Pixels) -> None:
    """Blend a layer over rows of a picture, in place."""
    rows = len(picture)
    colors = np.ascontiguousarray(np.broadcast_to(layer, picture.shape), np.float32)
    _blend(colors.reshape(rows, -1), mask, picture.reshape(rows, -1))


@kernel(DENSE_FLOATS_2D, DENSE_PIXELS_2D, DENSE_WRITTEN_FLOATS_2D)
def _blend(layer: Floats, mask: Pixels, picture: Floats) -> None:
    """Blend rows of colours; layer and picture are (n, 3 W) float32, the mask (n, W) uint8."""
    for y in range(mask.shape[0]):
        above, shares, row = layer[y], mask[y], picture[y]
        for x in range(shares.size):
            share = np.float32(shares[x]) * np.float32(1 / 255)
            for k in range(3):
                row[3 * x + k] += (above[3 * x + k] - row[3 * x + k]) * share
