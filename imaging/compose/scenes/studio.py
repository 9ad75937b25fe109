"""A seamless paper sweep: the floor runs into the backdrop in a wide curve, with no edge."""

import numpy as np

from imaging.compose.composition import Scene
from imaging.compose.scenes.light import Light, smoothstep, vignette
from imaging.compose.scenes.palette import shaded
from imaging.compose.scenes.rows import Rows, smooth_rows
from imaging.compose.scenes.stage import Floats, Stage
from imaging.types import Color

_PAPER = Color(244, 243, 241)
# The bend, over which paper turns from lying to hanging, faces neither lamp nor camera: it is
# darker by this.
_BEND = 0.025
# The hanging paper's brightness, of the lying one's, .
_HANGING = 0.985


def studio(stage: Stage, scene: Scene, light: Light, chance: np.random.Generator) -> Rows:
    """Set up the sweep; see `scene.paint_scene`."""
    del chance
    return smooth_rows(stage, sweep(stage, light, scene.color or _PAPER))


def sweep(stage: Stage, light: Light, color: Color) -> Floats:
    """Light a sweep of paper.

    Args:
        stage: The set.
        light: The light.
        color: The paper's colour in full light.

    Returns:
        (h, w, 3) float32 on the stage's grid, 0 to 255.
    """
    rows, _ = stage.grid()
    behind = stage.base - stage.edge
    # From the floor's shade to the wall's, around the row where a floor would end.
    start, end = stage.edge + 0.8 * behind, stage.edge - 1.8 * behind
    hanging = 1 - smoothstep(end, start, rows)
    lying = light.on_floor(stage)
    upright = light.on_wall(stage) * np.float32(_HANGING)
    shade = lying + (upright - lying) * hanging
    # 4 t (1 - t) is 1 half way through the bend.
    shade *= 1 - np.float32(_BEND) * 4 * hanging * (1 - hanging)
    shade *= vignette(stage)
    highest = max(float(shade.max()), 1.0)
    return shaded(np.asarray(shade / np.float32(highest), np.float32), color)
