"""The plain wall behind a table, out of focus, and what it and the lamp do to the floor."""

import numpy as np

from imaging.compose.scenes.light import Light, smoothstep, vignette
from imaging.compose.scenes.palette import shaded
from imaging.compose.scenes.stage import Floats, Stage
from imaging.types import Color

# The wall is a little darker where the table keeps the light from it.
_DUSK = 0.07
_DUSK_REACH = 0.3
# How much of the brightest floor's excess over the base's light the exposure takes back.
_EXPOSURE = 0.75


def wall(stage: Stage, light: Light, color: Color) -> Floats:
    """Light a wall.

    Args:
        stage: The set.
        light: The light.
        color: The wall's colour where it is brightest.

    Returns:
        (h, w, 3) float32 on the stage's grid, 0 to 255.
    """
    shade = light.on_wall(stage)
    rows, _ = stage.grid()
    above = (np.float32(stage.edge) - rows) / np.float32(stage.unit_px)
    dusk = 1 - np.float32(_DUSK) * (1 - smoothstep(-0.02, _DUSK_REACH, above))
    lit = shade * dusk * vignette(stage)
    return shaded(np.asarray(lit, np.float32), color)


def gain(stage: Stage, light: Light) -> Floats:
    """Return the floor's light, (h, w, 3) on the stage's grid; about 1 at the product's base."""
    shade = light.on_floor(stage) * vignette(stage)
    shade /= np.float32(max(float(shade.max()), 1.0) ** _EXPOSURE)
    return np.ascontiguousarray(np.repeat(shade[:, :, None], 3, axis=2))


def sheen(stage: Stage, light: Light, *, width: float, strength: float) -> Floats:
    """Return the lamp's blurred reflection on a floor that is not quite matte.

    A lobe about the mirror direction, of a Gaussian's shape (the small-angle form of Ward:
    Measuring and Modeling Anisotropic Reflection, SIGGRAPH 1992): long towards the camera, as
    reflections at a slant are, and narrow across.

    Args:
        stage: The set.
        light: The light.
        width: The lobe's standard deviation across, in units.
        strength: What it adds at its middle, 0 to 255.

    Returns:
        (h, w, 3) float32 on the stage's grid.
    """
    x, z = stage.floor_points()
    across = (x - stage.middle - np.float32(0.38 * light.sideways)) / np.float32(width)
    near = stage.base_distance + 0.35 * (stage.back_distance - stage.base_distance)
    along = (z - np.float32(near)) / np.float32(2.2 * width)
    lobe = np.exp(-(across**2 + along**2) / 2) * np.float32(strength)
    return np.ascontiguousarray(np.repeat(lobe[:, :, None], 3, axis=2).astype(np.float32))


def mirrored(stage: Stage, wall_seen: Floats, *, at_front: float, at_back: float) -> Floats:
    """Return the share of the wall that a polished floor mirrors, by Schlick's Fresnel curve.

    Reflectance grows as the view gets flatter, `F = F0 + (1 - F0) (1 - cos)^5` (Schlick: An
    Inexpensive BRDF Model, 1994); within the few degrees that a floor spans in a picture a power
    of the place between front and back stands for it.

    Args:
        stage: The set.
        wall_seen: (h, w, 3) float32, the wall.
        at_front: The share at the picture's lower edge, 0 to 1.
        at_back: The share at the floor's back edge.

    Returns:
        (h, w, 1) float32, that share on the stage's grid.
    """
    rows, _ = stage.grid()
    reach = np.float32(max(stage.height_px - stage.edge, 1))
    place = np.clip(1 - (rows - np.float32(stage.edge)) / reach, 0, 1)
    share = np.float32(at_front) + np.float32(at_back - at_front) * place**3
    return np.broadcast_to(share[:, :, None], (*wall_seen.shape[:2], 1)).astype(np.float32)
