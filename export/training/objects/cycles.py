"""Bicycles and motorcycles, with ground between their spokes and tubes."""

import numpy as np

from export.training.objects.sculpture import Point, Sculpture, between, chance, tone

RUBBER = np.array([0.08, 0.08, 0.09], np.float32)
STEEL = np.array([0.72, 0.73, 0.75], np.float32)
LAMP = np.array([0.95, 0.9, 0.75], np.float32)


def lay_wheel(own: Sculpture, centre: Point, radius: float, spokes: int, turn: float) -> None:
    """Lay a car's wheel: tyre, rim, spokes or openings, hub."""
    own.lay(own.outline().ellipse(centre, radius), RUBBER, roundness=0.02)
    rim = own.outline().ellipse(centre, radius * 0.68)
    own.lay(rim, STEEL * between(own.rng, 0.25, 0.8), roundness=0.01)
    star = own.outline()
    for k in range(spokes):
        a = turn + 2 * np.pi * k / spokes
        end = (centre[0] + radius * 0.62 * np.cos(a), centre[1] + radius * 0.62 * np.sin(a))
        star.tube([centre, end], radius * 0.16)
    star.ring(centre, radius * 0.64, radius * 0.09)
    own.lay(star, STEEL, roundness=0.008, gloss=0.5)


def _spoked(own: Sculpture, centre: Point, radius: float, spokes: int, tyre: float) -> None:
    """Lay a wheel with ground between its spokes."""
    fine = own.outline()
    for k in range(spokes):
        a = 2 * np.pi * k / spokes + 0.2
        end = (centre[0] + radius * np.cos(a), centre[1] + radius * np.sin(a))
        fine.tube([centre, end], 0.0045)
    fine.ellipse(centre, radius * 0.09)
    own.lay(fine, STEEL * between(own.rng, 0.4, 1), roundness=0.004)
    own.lay(own.outline().ring(centre, radius - tyre, tyre * 0.6), STEEL * 0.8, gloss=0.4)
    own.lay(own.outline().ring(centre, radius, tyre), RUBBER, roundness=0.006)


def bicycle(own: Sculpture) -> None:
    """Lay a bicycle with chain wheel, pedals, bent bars and, at times, guards and a basket."""
    rng = own.rng
    own.seen_at_an_angle()
    paint, radius = tone(rng, 0.6), between(rng, 0.17, 0.21)
    axle, tyre, thick = 0.68, between(rng, 0.01, 0.026), between(rng, 0.014, 0.026)
    rear, front = (0.24, axle), (0.76, axle)
    spokes = int(rng.integers(12, 30))
    for centre in (rear, front):
        _spoked(own, centre, radius, spokes, tyre)
    seat, crank = (0.37, between(rng, 0.36, 0.46)), (0.45, axle + 0.01)
    head = (0.66, between(rng, 0.34, 0.42))
    through = chance(rng, 0.3)  # step-through frame
    low = (seat[0] + 0.05, (seat[1] + crank[1]) / 2) if through else seat
    frame = own.outline()
    for line in ([rear, seat], [rear, crank], [crank, seat], [crank, head], [low, head]):
        frame.tube(line, thick)
    frame.tube([head, (0.68, head[1] + 0.1), front], thick)
    own.lay(frame, paint, roundness=0.01, gloss=0.4)
    own.lay(
        own.outline().ring(crank, 0.05, 0.014).tube([(0.41, 0.77), (0.49, 0.61)], 0.013),
        STEEL * 0.6,
        gloss=0.5,
    )
    pedals = own.outline().tube([(0.38, 0.775), (0.44, 0.775)], 0.018)
    own.lay(pedals.tube([(0.46, 0.605), (0.52, 0.605)], 0.018), RUBBER)
    top = (head[0] - 0.02, head[1] - between(rng, 0.05, 0.12))
    stems = own.outline().tube([head, top], thick * 0.8)
    stems.tube([seat, (seat[0] - 0.015, seat[1] - 0.06)], thick * 0.8)
    own.lay(stems, STEEL * 0.8, gloss=0.4)
    reach = between(rng, -0.1, 0.1)
    bar = [top, (top[0] + reach * 0.6, top[1] - 0.02), (top[0] + reach, top[1] + 0.07)]
    own.lay(own.outline().limb(bar, [0.011, 0.011]), RUBBER * 1.5)
    saddle = [(seat[0] - 0.08, seat[1] - 0.075), (seat[0] + 0.06, seat[1] - 0.065)]
    own.lay(own.outline().limb(saddle, [0.025, 0.01]), RUBBER * 2, roundness=0.01)
    if chance(rng, 0.35):
        guards = own.outline()
        for x, _ in (rear, front):
            arc = np.linspace(-2.9, -0.6, 20)
            guards.tube(
                [
                    (x + (radius + 0.02) * np.cos(a), axle + (radius + 0.02) * np.sin(a))
                    for a in arc
                ],
                0.012,
            )
        own.lay(guards, paint * 0.8, roundness=0.006, gloss=0.4)
    if chance(rng, 0.25):
        basket = [
            (0.7, head[1] - 0.08),
            (0.9, head[1] - 0.08),
            (0.87, head[1] + 0.08),
            (0.72, head[1] + 0.08),
        ]
        own.lay(own.outline().fill(basket), tone(rng), roundness=0.01)


def motorcycle(own: Sculpture) -> None:
    """Lay a motorcycle or scooter."""
    rng = own.rng
    own.seen_at_an_angle()
    paint, axle, radius = tone(rng, 0.7), 0.7, between(rng, 0.12, 0.17)
    rear, front = (0.2, axle), (0.8, axle)
    for centre in (rear, front):
        if chance(rng, 0.5):
            _spoked(own, centre, radius, int(rng.integers(10, 24)), 0.045)
        else:
            lay_wheel(own, centre, radius, int(rng.integers(3, 7)), 0.3)
    head = (0.67, 0.38)
    own.lay(
        own.outline().tube([front, head], 0.03).tube([rear, (0.45, 0.66)], 0.03),
        STEEL * 0.7,
        gloss=0.6,
    )
    own.lay(
        own.outline().fill([(0.36, 0.56), (0.58, 0.54), (0.6, 0.74), (0.38, 0.74)], 1),
        STEEL * between(rng, 0.2, 0.6),
        roundness=0.03,
        gloss=0.4,
    )
    own.lay(
        own.outline().limb([(0.12, 0.74), (0.4, 0.73), (0.5, 0.7)], [0.025, 0.018]),
        STEEL,
        gloss=0.8,
    )
    own.lay(own.outline().limb([(0.16, 0.5), (0.36, 0.48)], [0.03, 0.055]), paint, gloss=0.5)
    own.lay(
        own.outline().limb(
            [(0.4, 0.46), (0.55, 0.4), (0.66, 0.44)], [0.05, between(rng, 0.06, 0.09), 0.045]
        ),
        paint,
        gloss=0.8,
    )
    own.lay(own.outline().limb([(0.17, 0.46), (0.3, 0.44), (0.44, 0.43)], [0.025, 0.035]), RUBBER)
    if chance(rng, 0.5):
        own.lay(
            own.outline().fill([(0.58, 0.5), (0.7, 0.3), (0.8, 0.44), (0.66, 0.66)], 2),
            paint,
            roundness=0.05,
            gloss=0.7,
        )
    own.lay(own.outline().tube([(0.61, 0.34), (0.67, 0.3), (0.71, 0.35)], 0.016), RUBBER)
    own.lay(own.outline().ellipse((0.74, 0.41), 0.035), LAMP * 0.9, gloss=0.8)
