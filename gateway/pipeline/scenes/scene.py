"""Which scene is which, and how a product sits in it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gateway.pipeline.arrays import Box, Pixels
from gateway.pipeline.look import Scene, SceneKind
from gateway.pipeline.scenes.fabric import fabric
from gateway.pipeline.scenes.light import Light
from gateway.pipeline.scenes.marble import marble
from gateway.pipeline.scenes.podium import podium
from gateway.pipeline.scenes.rows import Rows, develop
from gateway.pipeline.scenes.stage import Stage
from gateway.pipeline.scenes.studio import studio
from gateway.pipeline.scenes.table import table
from gateway.pipeline.scenes.wood import wood


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
    scene: Scene, width_px: int, height_px: int, product: Box, light_angle_deg: float
) -> Pixels:
    """Paint a scene around the place where the product will stand.

    Args:
        scene: Which one.
        width_px: The picture's width, 1 or more.
        height_px: The picture's height, 1 or more.
        product: The product's box in the picture; it stands on the floor at its lower edge.
        light_angle_deg: Where the light comes from, clockwise from straight above, -80 to 80.

    Returns:
        (height_px, width_px, 3) uint8, sRGB: the same bytes for the same arguments, and the same
        scene, but for the grain, at every size.
    """
    stage = Stage(width_px, height_px, product)
    # Streams of their own: the grain's length depends on the size.
    made, grain = np.random.default_rng(scene.seed).spawn(2)
    rows = _SETS[scene.kind](stage, scene, Light(light_angle_deg), made)
    return develop(stage, rows, grain)


def suits(kind: SceneKind) -> SceneStaging:
    """Return how a product sits best in a kind of scene."""
    return _STAGINGS[kind]
