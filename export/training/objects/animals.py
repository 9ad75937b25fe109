"""Four-legged animals, birds and soft toys, with coats and fur along their outline."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from export.training.cutouts import Pixels
from export.training.objects.fur import coat, furred, plush
from export.training.objects.sculpture import (
    Plane,
    Point,
    Sculpture,
    between,
    chance,
    tone,
)

GRAZING = 2
Grow = Callable[..., Plane]  # a mask with the animal's hairs, longer or shorter

DARK = np.array([0.05, 0.04, 0.04], np.float32)


def _joined(*parts: Plane) -> Plane:
    joined: Plane = np.max(parts, axis=0)
    return joined


def _leg(own: Sculpture, hip: Point, foot: Point, thick: float, bend: float) -> Plane:
    knee = ((hip[0] + foot[0]) / 2 + bend, (hip[1] + foot[1]) / 2)
    toe = (foot[0] + thick * 0.8, foot[1] + thick * 0.1)
    return (
        own.outline()
        .limb([hip, knee, foot, toe], [thick * 1.7, thick, thick * 0.65, thick * 0.6])
        .mask()
    )


def quadruped(own: Sculpture) -> None:
    """Lay an animal on four legs: mouse to horse, standing, walking or grazing."""
    rng = own.rng
    own.squeeze = between(rng, 0.75, 1)
    skin = coat(rng, own.side)
    stout, floor = between(rng, 0.07, 0.15), 0.93
    tall = between(rng, 0.16, 0.42)  # length of the legs
    back = floor - tall - stout
    rump, chest = (between(rng, 0.2, 0.28), back), (between(rng, 0.58, 0.68), back)
    thick = stout * between(rng, 0.22, 0.4)
    fur = between(rng, 0.008, 0.05) if chance(rng, 0.6) else 0.0

    def grown(mask: Plane, share: float = 1.0) -> Plane:
        return furred(rng, mask, fur * share, 700, 0.4) if fur else mask

    stride = between(rng, 0, 0.1)
    legs = [
        (x, x + stride * s + between(rng, -0.02, 0.02), b)
        for x, s, b in (
            (rump[0] + 0.03, 1, -0.03),
            (chest[0] - 0.03, -1, 0.01),
            (rump[0] - 0.03, -1, -0.03),
            (chest[0] + 0.02, 1, 0.01),
        )
    ]
    masks = [
        _leg(own, (x, back + stout * 0.5), (foot, floor), thick, bend) for x, foot, bend in legs
    ]
    own.lay(grown(_joined(*masks[:2]), 0.3), skin * 0.6, roundness=0.02)
    tail_end = (rump[0] - between(rng, 0.05, 0.2), back + between(rng, -0.3, 0.3))
    tail = own.outline().limb(
        [(rump[0] - stout * 0.7, back - 0.02), (rump[0] - 0.16, back), tail_end],
        [thick * 0.8, thick * between(rng, 0.3, 1.2)],
    )
    own.lay(grown(tail.mask(), 1.5), skin * 0.85, roundness=0.015)
    body = own.outline().limb(
        [rump, ((rump[0] + chest[0]) / 2, back + between(rng, -0.02, 0.06)), chest],
        [stout * between(rng, 0.8, 1.05), stout * between(rng, 0.75, 1.1), stout],
    )
    pose = int(rng.integers(3))
    rise = (between(rng, 0.15, 0.35), between(rng, 0, 0.12), -tall * 0.9)[pose]
    head_size = stout * between(rng, 0.4, 0.75)
    head = (min(chest[0] + between(rng, 0.12, 0.2), 0.84), max(back - rise, 0.12))
    neck = own.outline().limb([chest, head], [stout * 0.8, head_size * 0.75])
    own.lay(
        grown(_joined(*masks[2:], body.mask(), neck.mask())),
        skin,
        roundness=stout * 0.55,
        gloss=between(rng, 0, 0.15),
    )
    if chance(rng, 0.3):  # a mane along the neck
        mane = own.outline().limb(
            [(head[0] - head_size, head[1] - head_size * 0.6), (chest[0] - 0.04, back - stout)],
            [head_size * 0.4, head_size * 0.6],
        )
        own.lay(furred(rng, mane.mask(), 0.05, 500, 0.8), coat(rng, own.side) * 0.5)
    _face(own, skin, head, head_size, grown, down=pose == GRAZING)


def _face(
    own: Sculpture, skin: Plane, head: Point, size: float, grown: Grow, *, down: bool
) -> None:
    """Lay ears, head, muzzle, nose and eye, and at times horns."""
    rng = own.rng
    muzzle = size * between(rng, 0.5, 1.9)
    angle = between(rng, 1.1, 1.5) if down else between(rng, -0.1, 0.6)
    along, across = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([np.sin(angle), -np.cos(angle)]),
    )
    centre = np.array(head)

    def at(forth: float, up: float) -> Point:
        x, y = centre + along * size * forth + across * size * up
        return float(x), float(y)

    length, wide = between(rng, 0.4, 1.9), between(rng, 0.2, 0.45)
    ears = own.outline()
    for forth in (-0.6, -0.15):
        ears.limb([at(forth, 0.6), at(forth - 0.25, 0.7 + length)], [size * wide, size * 0.1])
    if chance(rng, 0.2):
        horns = own.outline()
        for forth in (0.0, 0.2):
            horns.limb(
                [at(forth, 0.6), at(forth - 0.4, 1.5), at(forth + 0.3, 2.4)],
                [size * 0.16, size * 0.04],
            )
        own.lay(horns, tone(rng, 0.0), roundness=0.01)
    own.lay(grown(ears.mask(), 0.5), skin * 0.8, roundness=0.01)
    nose = (centre + along * (size + muzzle)).tolist()
    face = own.outline().ellipse(head, size, size * 0.85)
    face.limb([head, (nose[0], nose[1])], [size * 0.8, size * between(rng, 0.3, 0.5)])
    own.lay(grown(face.mask(), 0.6), skin, roundness=size * 0.5)
    own.lay(own.outline().ellipse((nose[0], nose[1]), size * 0.16), DARK, gloss=0.3)
    own.lay(own.outline().ellipse(at(0.35, 0.3), size * 0.1), DARK, roundness=0.01, gloss=0.8)


def sitting(own: Sculpture) -> None:
    """Lay a sitting cat, dog, hare or ape: upright, tail beside it, seen from front or side."""
    rng = own.rng
    skin, fur = coat(rng, own.side), between(rng, 0.01, 0.06)

    def grown(mask: Plane, share: float = 1.0) -> Plane:
        return furred(rng, mask, fur * share, 800, 0.3)

    lean, stout = between(rng, -0.06, 0.06), between(rng, 0.13, 0.21)
    head, size = (0.5 + lean, between(rng, 0.2, 0.3)), between(rng, 0.09, 0.15)
    turn = between(rng, -0.3, 0.3)
    tail = own.outline().limb(
        [(0.5, 0.88), (0.75, 0.9), (between(rng, 0.7, 0.9), between(rng, 0.6, 0.9))],
        [0.035, between(rng, 0.015, 0.05)],
    )
    own.lay(grown(tail.mask()), skin * 0.8, roundness=0.02)
    trunk = own.outline().limb([(0.5, 0.76), (0.5 + lean, 0.5), head], [stout, stout * 0.8, size])
    for x in (-1, 1):
        trunk.ellipse((0.5 + x * stout * 0.75, 0.82), stout * 0.62, 0.1)
    own.lay(grown(trunk.mask()), skin, roundness=0.07)
    paws = own.outline()
    for x in (-1, 1):
        top = (0.5 + x * stout * 0.4 + lean, 0.58)
        paws.limb([top, (0.5 + x * stout * 0.42, 0.9)], [0.045, 0.035])
    own.lay(grown(paws.mask(), 0.3), skin * 1.08, roundness=0.03)
    ears, length = own.outline(), between(rng, 0.5, 1.8)
    for x in (-1, 1):
        tip = (head[0] + x * size * between(rng, 0.6, 1.2), head[1] - size * (0.5 + length))
        ears.limb([(head[0] + x * size * 0.6, head[1] - size * 0.4), tip], [size * 0.4, size * 0.1])
    own.lay(grown(ears.mask(), 0.4), skin * 0.85, roundness=0.02)
    own.lay(grown(own.outline().ellipse(head, size * 1.1, size).mask(), 0.8), skin, roundness=0.06)
    eyes = own.outline()
    for apart in (-0.42, 0.42):
        eyes.ellipse((head[0] + (apart + turn) * size, head[1] - size * 0.1), size * 0.13)
    own.lay(eyes, DARK, roundness=0.01, gloss=0.8)
    muzzle = (head[0] + turn * size * 1.3, head[1] + size * 0.38)
    own.lay(own.outline().ellipse(muzzle, size * 0.42, size * 0.3), skin * 1.15, roundness=0.03)
    own.lay(own.outline().ellipse((muzzle[0], muzzle[1] - size * 0.12), size * 0.12), DARK)


def bird(own: Sculpture) -> None:
    """Lay a bird on thin legs."""
    rng = own.rng
    skin, stout = coat(rng, own.side), between(rng, 0.1, 0.2)
    y, foot = between(rng, 0.42, 0.58), 0.92
    legs = own.outline()
    for x in (0.46, 0.54):
        legs.tube([(x, y + stout * 0.7), (x + 0.02, foot), (x + 0.07, foot)], 0.014)
    own.lay(legs, tone(rng), roundness=0.006)
    tail = own.outline().limb([(0.4, y), (0.06, y + between(rng, -0.15, 0.2))], [stout * 0.5, 0.03])
    own.lay(furred(rng, tail.mask(), 0.03, 300, 0), skin * 0.75, roundness=0.02)
    head, size = (0.76, y - between(rng, 0.12, 0.3)), stout * between(rng, 0.4, 0.65)
    body = own.outline().limb([(0.4, y), (0.58, y), head], [stout * 0.8, stout, size])
    own.lay(furred(rng, body.mask(), 0.02, 500, 0.5), skin, roundness=0.06)
    wing = own.outline().limb([(0.62, y - 0.02), (0.3, y + 0.03)], [stout * 0.6, stout * 0.25])
    own.lay(wing, coat(rng, own.side) * 0.9, roundness=0.03)
    beak = between(rng, 0.05, 0.16)
    own.lay(
        own.outline().limb([head, (head[0] + size + beak, head[1] + 0.02)], [size * 0.4, 0.006]),
        np.array([0.85, 0.6, 0.15], np.float32) * between(rng, 0.2, 1),
    )
    own.lay(own.outline().ellipse(head, size), skin * 1.05, roundness=0.03)
    own.lay(
        own.outline().ellipse((head[0] + size * 0.3, head[1] - size * 0.2), size * 0.15),
        DARK,
        gloss=0.8,
    )


ANIMALS = (quadruped, quadruped, quadruped, sitting, sitting, bird, plush)


def draw_animal(rng: Generator, side: int) -> Pixels:
    """Draw one animal or furry thing, (side, side, 4) uint8."""
    own = Sculpture(rng, side)
    ANIMALS[int(rng.integers(len(ANIMALS)))](own)
    return own.finish()
