"""Which scene is which, and how a product sits in it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from imaging.cancellation import Check, go_on
from imaging.compose.composition import Scene, SceneKind
from imaging.compose.scenes.fabric import fabric
from imaging.compose.scenes.light import Light
from imaging.compose.scenes.marble import marble
from imaging.compose.scenes.podium import podium
from imaging.compose.scenes.rows import Rows, develop, enlarged
from imaging.compose.scenes.stage import Stage
from imaging.compose.scenes.studio import studio
from imaging.compose.scenes.table import table
from imaging.compose.scenes.wood import wood
from imaging.types import Box, Pixels

# A texture has 3200 texels across at most: a pixel of a larger picture shows less than one.
MOST_PAINTED = 16_000_000


@dataclass(frozen=True, slots=True)
class SceneStaging:
    """How a product sits in a scene.

    Attributes:
        shadow_opacity: How dark its shadow is at its darkest, 0 to 1.
        reflection: How strong its mirror image is, 0 to 1.
    """

    shadow_opacity: float
    reflection: float


_SETS: dict[SceneKind, Callable[[Stage, Scene, Light, np.random.Generator], Rows]] = {
    SceneKind.STUDIO: studio,
    SceneKind.TABLE: table,
    SceneKind.PODIUM: podium,
    SceneKind.WOOD: wood,
    SceneKind.MARBLE: marble,
    SceneKind.FABRIC: fabric,
}
_STAGINGS = {
    SceneKind.STUDIO: SceneStaging(shadow_opacity=0.45, reflection=0.05),
    SceneKind.TABLE: SceneStaging(shadow_opacity=0.5, reflection=0.06),
    SceneKind.PODIUM: SceneStaging(shadow_opacity=0.5, reflection=0.0),
    SceneKind.WOOD: SceneStaging(shadow_opacity=0.62, reflection=0.0),
    SceneKind.MARBLE: SceneStaging(shadow_opacity=0.48, reflection=0.18),
    SceneKind.FABRIC: SceneStaging(shadow_opacity=0.58, reflection=0.0),
}


def paint_scene(
    scene: Scene,
    width_px: int,
    height_px: int,
    product: Box,
    light_angle_deg: float,
    check: Check = go_on,
) -> Pixels:
    """Paint a scene around the place where the product will stand.

    Args:
        scene: Which one.
        width_px: The picture's width, 1 or more.
        height_px: The picture's height, 1 or more.
        product: The product's box in the picture; it stands on the floor at its lower edge.
        light_angle_deg: Where the light comes from, clockwise from straight above, -80 to 80.
        check: Asked now and then whether to go on.

    Returns:
        (height_px, width_px, 3) uint8, sRGB: the same bytes for the same arguments, and the same
        scene, but for the grain, at every size. Above `MOST_PAINTED` pixels it is painted at half
        its size and enlarged before the grain: a floor's texture has no finer detail there.
    """
    stage = Stage(width_px, height_px, product)
    painted = stage
    if width_px * height_px > MOST_PAINTED:
        half = Box(*(round(side / 2) for side in product))
        painted = Stage(-(-width_px // 2), -(-height_px // 2), half)
    # Streams of their own: the grain's length depends on the size.
    made, grain = np.random.default_rng(scene.seed).spawn(2)
    rows = _SETS[scene.kind](painted, scene, Light(light_angle_deg), made)
    if painted is not stage:
        rows = enlarged(rows, painted, width_px)
    return develop(stage, rows, grain, check)


def suits(kind: SceneKind) -> SceneStaging:
    """Return how a product sits best in a kind of scene."""
    return _STAGINGS[kind]
