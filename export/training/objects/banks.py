"""Banks of rendered objects, by the kind that ``SceneConfig.cutouts`` weighs."""

import zlib
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from export.training.cutouts import Pixels
from export.training.objects.animals import draw_animal
from export.training.objects.devices import draw_device
from export.training.objects.flacons import draw_flacon
from export.training.objects.furniture import draw_furniture
from export.training.objects.glass import draw_glass
from export.training.objects.jewellery import draw_jewel
from export.training.objects.packages import draw_package
from export.training.objects.props import draw_plinth, draw_prop
from export.training.objects.vehicles import draw_vehicle
from export.training.objects.wares import draw_ware

RENDERERS: dict[str, Callable[[Generator, int], Pixels]] = {
    "vehicle": draw_vehicle,
    "animal": draw_animal,
    "package": draw_package,
    "glass": draw_glass,
    "jewel": draw_jewel,
    "furniture": draw_furniture,
    "flacon": draw_flacon,
    "plinth": draw_plinth,
    "prop": draw_prop,
    "ware": draw_ware,
    "device": draw_device,
}


def render_bank(kind: str, seed: int, count: int, side: int) -> list[Pixels]:
    """Render objects of one kind.

    Args:
        kind: a key of ``RENDERERS``.
        seed: decides them, whatever other kinds are rendered.
        count: of objects.
        side: of each, pixels.

    Returns:
        Each (side, side, 4) uint8, straight colours that reach past the edge.
    """
    rng = np.random.default_rng((seed, zlib.crc32(kind.encode()), count))
    return [RENDERERS[kind](rng, side) for _ in range(count)]
