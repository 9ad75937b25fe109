"""Coats, hairs along an outline, and things of long pile."""

import numpy as np
from numpy.random import Generator

from export.training.objects.sculpture import (
    FINE,
    Outline,
    Plane,
    Sculpture,
    between,
    box_blur,
    field,
    tone,
)

PLAIN, SHADED, PATCHED, STRIPED, SPOTTED = range(5)
INSIDE, DEEP = 0.3, 0.8  # of a mask and of its blurred copy: hairs grow between the two
COATS = (
    (0.45, 0.3, 0.18),
    (0.25, 0.16, 0.1),
    (0.75, 0.6, 0.42),
    (0.9, 0.87, 0.82),
    (0.12, 0.11, 0.11),
    (0.5, 0.48, 0.46),
    (0.72, 0.42, 0.18),
    (0.6, 0.5, 0.38),
)


def coat(rng: Generator, side: int) -> Plane:
    """Draw an animal's coat, (side, side, 3): plain, shaded, patched, striped or spotted."""

    def one() -> Plane:
        base = np.array(COATS[int(rng.integers(len(COATS)))]) + rng.normal(0, 0.05, 3)
        return np.clip(base * rng.uniform(0.7, 1.15), 0.03, 0.97).astype(np.float32)

    cells = int(rng.integers(3, 9))
    grain = 0.06 * field(rng, side, (side // 3, side // 3)) + 0.08 * field(rng, side, (5, 5))
    kind = int(rng.integers(SPOTTED + 1))
    if kind == PLAIN:
        blend = np.zeros((side, side), np.float32)
    elif kind == SHADED:
        blend = np.linspace(-0.5, 1.2, side, dtype=np.float32)[:, None] + 0.2 * field(
            rng, side, (4, 4)
        )
    elif kind == PATCHED:
        blend = (field(rng, side, (cells, cells)) - between(rng, -0.3, 0.6)) * 8 + 0.5
    elif kind == STRIPED:
        wave = np.linspace(0, between(rng, 50, 110), side, dtype=np.float32)[None, :]
        wave = wave + np.float32(1.6) * field(rng, side, (5, 4))
        blend = np.sin(wave) * np.float32(4) - np.float32(0.5)
    else:
        blend = (field(rng, side, (22, 22)) - 0.6) * 6
    share = np.clip(blend, 0, 1)[..., None]
    colours = one() * (1 - share) + one() * share
    hide: Plane = np.clip(colours + grain[..., None], 0.02, 0.98).astype(np.float32)
    return hide


def furred(rng: Generator, mask: Plane, length: float, density: int, lean: float) -> Plane:
    """Grow hairs from a silhouette's edge.

    Args:
        rng: decides each hair.
        mask: (side, side) in [0, 1].
        length: of hairs, of the side.
        density: number of hairs.
        lean: direction in which they are combed, radians from the outward one.

    Returns:
        The mask with its hairs, (side, side) in [0, 1].
    """
    side = len(mask)
    height = box_blur(mask, max(side // 40, 1))
    down: Plane = np.gradient(height, axis=0)
    across: Plane = np.gradient(height, axis=1)
    edge = np.stack(np.nonzero((mask > INSIDE) & (height < DEEP)), axis=1)
    if len(edge) == 0:
        return mask
    roots = edge[rng.integers(len(edge), size=density)]
    outward = np.arctan2(-down[roots[:, 0], roots[:, 1]], -across[roots[:, 0], roots[:, 1]])
    angles = outward + lean + rng.normal(0, 0.45, density)
    bend = angles + rng.normal(0, 0.5, density)
    reach = length * side * FINE * rng.uniform(0.3, 1, density)
    start = (roots[:, ::-1] + 0.5) * FINE
    middle = start + np.stack([np.cos(angles), np.sin(angles)], 1) * reach[:, None] / 2
    end = middle + np.stack([np.cos(bend), np.sin(bend)], 1) * reach[:, None] / 2
    hairs = Outline(side)
    for a, b, c in zip(start.tolist(), middle.tolist(), end.tolist(), strict=True):
        hairs.draw.line([tuple(a), tuple(b)], 255, 2)
        hairs.draw.line([tuple(b), tuple(c)], 255, 1)
    return np.maximum(mask, hairs.mask())


def plush(own: Sculpture) -> None:
    """Lay something of long pile: a soft ball, cushion, hat, slipper, wig or brush."""
    rng = own.rng
    pile = tone(rng, 0.5) + 0.07 * field(rng, own.side, (own.side // 3, own.side // 3))[..., None]
    pile = np.clip(pile, 0.02, 0.98).astype(np.float32)
    shape = own.outline()
    for _ in range(int(rng.integers(1, 5))):
        centre = (between(rng, 0.35, 0.65), between(rng, 0.35, 0.65))
        shape.ellipse(centre, between(rng, 0.12, 0.3), between(rng, 0.12, 0.3), between(rng, 0, 3))
    lean = between(rng, -1.2, 1.2)
    mask = furred(rng, shape.mask(), between(rng, 0.03, 0.16), int(rng.integers(900, 2200)), lean)
    own.lay(mask, pile, roundness=between(rng, 0.04, 0.1), gloss=0.05)
