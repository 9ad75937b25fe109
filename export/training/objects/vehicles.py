"""Cars, vans, motorcycles, bicycles, boats and planes, from the side or at an angle."""

import itertools

import numpy as np
from numpy.random import Generator

from export.training.cutouts import Pixels
from export.training.objects.cycles import (
    LAMP,
    RUBBER,
    STEEL,
    bicycle,
    lay_wheel,
    motorcycle,
)
from export.training.objects.sculpture import (
    Plane,
    Sculpture,
    between,
    chance,
    field,
    tone,
)

TAIL_LAMP = np.array([0.75, 0.1, 0.08], np.float32)


def _glass(rng: Generator, side: int) -> Plane:
    """Draw what a window mirrors: bands of sky and street, (side, side, 3)."""
    base = between(rng, 0.1, 0.55)
    seen = base + 0.16 * field(rng, side, (9, 5))
    tint = np.array([0.95, 1.0, 1.05], np.float32)
    panes: Plane = (np.clip(seen, 0.02, 0.95)[..., None] * tint).astype(np.float32)
    return panes


def car(own: Sculpture) -> None:
    """Lay a car, saloon to coupé, estate or open roadster."""
    rng = own.rng
    own.seen_at_an_angle()
    paint, floor, wheel = tone(rng, 0.6), 0.66, between(rng, 0.065, 0.095)
    belt, roof = between(rng, 0.44, 0.5), between(rng, 0.3, 0.4)
    front, rear = between(rng, 0.64, 0.8), between(rng, 0.05, 0.25)
    open_top = chance(rng, 0.25)
    bonnet = between(rng, 0.01, 0.05)
    lower = [
        (0.04, belt + 0.06),
        (0.07, belt),
        (0.3, belt),
        (front, belt),
        (0.93, belt + bonnet),
        (0.965, belt + bonnet + 0.06),
        (0.96, floor),
        (0.04, floor),
    ]
    cabin = [
        (rear, belt + 0.03),
        (rear + between(rng, 0.05, 0.14), roof),
        (front - between(rng, 0.12, 0.22), roof),
        (front + 0.02, belt + 0.03),
    ]
    far = between(rng, 0.0, 0.05)  # how much of the far side looks out above
    glass = _glass(rng, own.side)
    if open_top:
        screen = own.outline().tube([(front, belt), (front - 0.07, roof + 0.05)], 0.012)
        seats = own.outline()
        for x in (0.42, 0.52):
            seats.limb([(x, belt + 0.04), (x - 0.03, belt - 0.07)], [0.03, 0.022])
        own.lay(seats, tone(rng), roundness=0.02)
        own.lay(screen, STEEL * 0.5, gloss=0.5)
    else:
        shifted = [(x + far, y - far * 0.6) for x, y in cabin]
        own.lay(own.outline().fill(shifted, 1), paint * 0.7, roundness=0.02)
        own.lay(own.outline().fill(cabin, 1), paint, roundness=0.02, gloss=0.5)
        inset = [(x + (0.5 - x) * 0.1, y + 0.018 if y < belt else y - 0.02) for x, y in cabin]
        own.lay(own.outline().fill(inset, 1), glass, roundness=0.015, gloss=0.4)
        pillar = (cabin[0][0] + cabin[3][0]) / 2
        own.lay(own.outline().tube([(pillar, roof + 0.01), (pillar, belt)], 0.018), paint)
    if far:
        own.lay(own.outline().fill([(x + far, y - far * 0.6) for x, y in lower], 2), paint * 0.75)
    own.lay(own.outline().fill(lower, 2), paint, roundness=between(rng, 0.03, 0.07), gloss=0.6)
    lines = own.outline()
    for x in (between(rng, 0.3, 0.4), between(rng, 0.55, 0.66)):
        lines.tube([(x, belt + 0.01), (x, floor - 0.03)], 0.004)
    own.lay(lines, paint * 0.35)
    own.lay(own.outline().tube([(0.06, floor), (0.95, floor)], 0.02), RUBBER)
    own.lay(own.outline().ellipse((0.945, belt + bonnet + 0.05), 0.018, 0.022), LAMP, gloss=0.5)
    own.lay(own.outline().ellipse((0.05, belt + 0.06), 0.014, 0.024), TAIL_LAMP, gloss=0.4)
    spokes, turn = int(rng.integers(3, 11)), between(rng, 0, 6)
    for x in (between(rng, 0.17, 0.24), between(rng, 0.76, 0.82)):
        own.lay(own.outline().ellipse((x, floor), wheel * 1.2), RUBBER * 0.4)
        lay_wheel(own, (x, floor), wheel, spokes, turn)


def van(own: Sculpture) -> None:
    """Lay a van, bus, lorry or carriage: a box with windows on two wheels or more."""
    rng = own.rng
    own.seen_at_an_angle()
    paint, top, floor = tone(rng, 0.6), between(rng, 0.15, 0.35), 0.7
    wheel, nose = between(rng, 0.05, 0.085), between(rng, 0.0, 0.14)
    body = [
        (0.04, top),
        (0.95 - nose, top),
        (0.96, top + nose * 2 + 0.02),
        (0.965, floor - 0.02),
        (0.95, floor),
        (0.04, floor),
    ]
    own.lay(own.outline().fill(body), paint, roundness=between(rng, 0.01, 0.04), gloss=0.4)
    if chance(rng, 0.5):
        stripe = between(rng, top + 0.2, floor - 0.05)
        own.lay(
            own.outline().tube([(0.06, stripe), (0.95, stripe)], between(rng, 0.01, 0.06)),
            tone(rng, 0.8),
        )
    first, count = between(rng, 0.06, 0.7), int(rng.integers(2, 9))
    panes = own.outline()
    edges = np.linspace(first, 0.93, count + 1)
    low = top + between(rng, 0.13, 0.2)
    for left, right in itertools.pairwise(edges):
        panes.fill(
            [(left, top + 0.04), (right - 0.015, top + 0.04), (right - 0.015, low), (left, low)]
        )
    own.lay(panes, _glass(rng, own.side), roundness=0.008, gloss=0.3)
    own.lay(own.outline().ellipse((0.95, floor - 0.08), 0.014, 0.022), LAMP, gloss=0.5)
    for x in np.linspace(between(rng, 0.15, 0.25), 0.82, int(rng.integers(2, 4))):
        own.lay(own.outline().ellipse((float(x), floor), wheel * 1.2), RUBBER * 0.4)
        lay_wheel(own, (float(x), floor), wheel, int(rng.integers(4, 9)), 0.3)


def boat(own: Sculpture) -> None:
    """Lay a boat: hull, perhaps a cabin, perhaps sails on a mast."""
    rng = own.rng
    own.seen_at_an_angle()
    deck, keel = between(rng, 0.6, 0.68), between(rng, 0.76, 0.86)
    if chance(rng, 0.5):
        mast = between(rng, 0.4, 0.6)
        own.lay(own.outline().tube([(mast, 0.05), (mast, deck)], 0.012), STEEL * 0.7)
        for reach in (-0.32, 0.3):
            sail = [
                (mast, 0.07),
                (mast + reach * 0.62, 0.36),
                (mast + reach, deck - 0.07),
                (mast, deck - 0.05),
            ]
            own.lay(own.outline().fill(sail, 1), tone(rng) * 0.4 + 0.58, roundness=0.08)
    if chance(rng, 0.7):
        cabin = [(0.3, deck - 0.13), (0.6, deck - 0.13), (0.68, deck + 0.02), (0.28, deck + 0.02)]
        own.lay(own.outline().fill(cabin, 1), tone(rng), roundness=0.02, gloss=0.3)
        panes = [(0.33, deck - 0.1), (0.59, deck - 0.1), (0.62, deck - 0.04), (0.33, deck - 0.04)]
        own.lay(own.outline().fill(panes), _glass(rng, own.side), roundness=0.01)
    hull = [(0.04, deck), (0.5, deck + 0.02), (0.97, deck - 0.05), (0.85, keel), (0.12, keel)]
    own.lay(own.outline().fill(hull, 1), tone(rng, 0.6), roundness=0.06, gloss=0.4)
    stripe = [(0.07, deck + 0.03), (0.5, deck + 0.05), (0.93, deck)]
    own.lay(own.outline().tube(stripe, between(rng, 0.008, 0.03)), tone(rng, 0.8))


def plane(own: Sculpture) -> None:
    """Lay an aeroplane from below, above or the side."""
    rng = own.rng
    own.seen_at_an_angle()
    paint, thick = tone(rng, 0.4), between(rng, 0.03, 0.07)
    sweep, span = between(rng, -0.05, 0.25), between(rng, 0.25, 0.44)
    for across in (-span, span * between(rng, 0.4, 1)):
        wing = [(0.62, 0.5), (0.6 - sweep, 0.5 + across), (0.52 - sweep, 0.5 + across), (0.4, 0.5)]
        own.lay(own.outline().fill(wing), paint * 0.85, roundness=0.012, gloss=0.2)
        tail = [
            (0.2, 0.5),
            (0.1 - sweep * 0.3, 0.5 + across * 0.4),
            (0.05 - sweep * 0.3, 0.5 + across * 0.4),
            (0.1, 0.5),
        ]
        own.lay(own.outline().fill(tail), paint * 0.9, roundness=0.01)
        own.lay(
            own.outline().limb(
                [(0.5, 0.5 + across * 0.4), (0.6, 0.5 + across * 0.4)], [0.02, 0.025]
            ),
            STEEL * 0.6,
            gloss=0.4,
        )
    own.lay(
        own.outline().limb(
            [(0.05, 0.5), (0.4, 0.5), (0.93, 0.5)], [0.012, thick, thick, thick * 0.35]
        ),
        paint,
        roundness=0.03,
        gloss=0.5,
    )
    own.lay(
        own.outline().limb([(0.8, 0.49), (0.86, 0.49)], [0.02, 0.015]),
        _glass(rng, own.side),
        roundness=0.01,
    )


VEHICLES = (car, car, car, van, bicycle, bicycle, motorcycle, boat, plane)


def draw_vehicle(rng: Generator, side: int) -> Pixels:
    """Draw one vehicle, (side, side, 4) uint8."""
    own = Sculpture(rng, side)
    VEHICLES[int(rng.integers(len(VEHICLES)))](own)
    return own.finish()
