"""What products stand on, seen from above: boards, cloth, marble, concrete, tiles, paper."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image

from export.training.cutouts import Pixels
from export.training.objects.sculpture import Plane, between, chance, field

WOODS = ((0.78, 0.6, 0.4), (0.6, 0.42, 0.26), (0.36, 0.23, 0.14), (0.86, 0.74, 0.57))


def _base(rng: Generator) -> Plane:
    pale = chance(rng, 0.55)
    grey = between(rng, 0.65, 0.97) if pale else between(rng, 0.06, 0.75)
    return np.clip(grey + rng.normal(0, 0.06 if pale else 0.1, 3), 0.02, 1).astype(np.float32)


def grain(rng: Generator, side: int, rings: float = 9.0) -> Plane:
    """Draw the grain of wood along the rows, (side, side) around 0."""
    down = np.linspace(0, 1, side, dtype=np.float32)[:, None]
    bent = down * rings + 0.8 * field(rng, side, (3, 2)) + 0.15 * field(rng, side, (8, 3))
    lines = 0.5 * np.sin(2 * np.pi * bent) + 0.5 * np.sin(2 * np.pi * bent * 2.7 + 1)
    fine: Plane = lines * 0.5 + 0.5 * field(rng, side, (min(side, 150), 6))
    return fine.astype(np.float32)


def wood_colour(rng: Generator) -> Plane:
    """Draw the colour of a wood, (3,)."""
    own = np.array(WOODS[int(rng.integers(len(WOODS)))]) * between(rng, 0.75, 1.15)
    return np.clip(own + rng.normal(0, 0.03, 3), 0.03, 1).astype(np.float32)


def _boards(rng: Generator, side: int) -> Plane:
    base, boards = wood_colour(rng), int(rng.integers(1, 9))
    strength = between(rng, 0.03, 0.14)
    surface = base + strength * grain(rng, side, between(rng, 4, 30))[..., None]
    edges = np.sort(rng.uniform(0, side, boards - 1)).astype(int)
    if chance(rng, 0.6):
        edges = np.arange(1, boards) * side // boards
    row = np.searchsorted(edges, np.arange(side), side="right")
    shade = rng.normal(0, 0.05, boards)[row]
    surface = surface + shade[:, None, None]
    for edge in edges.tolist():
        surface[max(edge - 1, 0) : edge + 1] *= between(rng, 0.4, 0.8)
    return np.asarray(surface if chance(rng, 0.6) else surface.transpose(1, 0, 2), np.float32)


def _cloth(rng: Generator, side: int) -> Plane:
    threads = between(rng, 40, 150)
    at = np.arange(side, dtype=np.float32) / side * 2 * np.pi * threads
    weave = np.sin(at)[:, None] * np.sin(at)[None] + 0.5 * field(rng, side, (120, 120))
    folds = field(rng, side, (3, 4))
    surface: Plane = _base(rng) + (between(rng, 0.01, 0.06) * weave)[..., None]
    return surface + (between(rng, 0, 0.06) * folds)[..., None]


def _marble(rng: Generator, side: int) -> Plane:
    cloud = (
        field(rng, side, (4, 4)) + 0.5 * field(rng, side, (9, 9)) + 0.2 * field(rng, side, (30, 30))
    )
    veins = np.exp(-np.abs(cloud * between(rng, 3, 12)))
    veined = _base(rng) - (between(rng, -0.2, 0.5) * veins)[..., None]
    surface: Plane = veined + 0.03 * cloud[..., None]
    return surface


def _rough(rng: Generator, side: int) -> Plane:
    cloud = 0.6 * field(rng, side, (5, 5)) + 0.5 * field(rng, side, (40, 40))
    cloud = cloud + field(rng, side, (side, side)) * between(rng, 0, 1)
    surface: Plane = _base(rng) + (between(rng, 0.005, 0.07) * cloud)[..., None]
    return surface


def _tiled(rng: Generator, side: int) -> Plane:
    across, down = int(rng.integers(2, 9)), int(rng.integers(2, 9))
    shades = rng.normal(0, between(rng, 0.0, 0.08), (down, across, 1)).astype(np.float32)
    rows, columns = np.arange(side) * down // side, np.arange(side) * across // side
    surface = _rough(rng, side) + shades[rows][:, columns]
    gap = max(side // 120, 1)
    seam = (np.arange(side) % max(side // down, 1) < gap)[:, None]
    seam = seam | (np.arange(side) % max(side // across, 1) < gap)[None]
    return np.where(seam[..., None], surface * between(rng, 0.5, 1.3), surface).astype(np.float32)


def _plain(rng: Generator, side: int) -> Plane:
    soft = field(rng, side, (2, 2)) * between(rng, 0, 0.03)
    surface: Plane = _base(rng) + soft[..., None]
    return surface


DRAWN: tuple[Callable[[Generator, int], Plane], ...] = (
    _boards,
    _boards,
    _cloth,
    _marble,
    _rough,
    _tiled,
    _plain,
)


def draw_surface(rng: Generator, side: int) -> Pixels:
    """Draw a surface as from above, (side, side, 3) uint8."""
    surface = DRAWN[int(rng.integers(len(DRAWN)))](rng, side)
    pixels: Pixels = (np.clip(surface, 0, 1) * 255 + 0.5).astype(np.uint8)
    if chance(rng, 0.3):
        turned = Image.fromarray(pixels).rotate(90 * int(rng.integers(4)))
        pixels = np.asarray(turned, np.uint8)
    return pixels
