"""Devices put together at random: bodies with dials and lenses, bows with pads, straps, cables."""

import numpy as np
from numpy.random import Generator

from export.training.cutouts import Pixels
from export.training.objects.sculpture import Point, Sculpture, between, chance, rounded, tone
from export.training.objects.wares import rounded_box, stuff


def _cable(rng: Generator, own: Sculpture, start: Point) -> None:
    """Lay a long thin cable that wanders and may cross itself, with a plug at its end."""
    points: list[Point] = [start]
    x, y = start
    heading, bend = between(rng, 0.2, 2.9), between(rng, -1.6, 1.6)
    for _ in range(int(rng.integers(4, 10))):
        heading += bend * between(rng, 0.1, 1.0)
        bend = bend if chance(rng, 0.8) else -bend
        x = min(max(x + 0.13 * float(np.cos(heading)), 0.03), 0.97)
        y = min(max(y + 0.09 * float(np.sin(heading)), 0.03), 0.97)
        points.append((x, y))
    line = [(float(a), float(b)) for a, b in rounded(points, 3, closed=False)]
    thick = between(rng, 0.006, 0.022)
    dark = tone(rng, 0.2) * (0.35 if chance(rng, 0.6) else 1.0)
    own.lay(own.outline().tube(line, thick), dark, roundness=0.008, gloss=0.4)
    if chance(rng, 0.7):
        (ax, ay), (bx, by) = line[-2], line[-1]
        away = np.array([bx - ax, by - ay])
        away = away / max(float(np.linalg.norm(away)), 1e-6) * between(rng, 0.03, 0.07)
        end = (bx + float(away[0]), by + float(away[1]))
        colour, gloss = stuff(rng, own.side)
        own.lay(
            own.outline().tube([(bx, by), end], thick * 1.9), colour, roundness=0.01, gloss=gloss
        )


def _pad(rng: Generator, own: Sculpture, centre: Point, across: float, down: float) -> None:
    """Lay a pad of several shells, as of a cup, a lens or a wheel seen at an angle."""
    turn, (x, y) = between(rng, -0.35, 0.35), centre
    aside = between(rng, -0.05, 0.05)
    for layer in range(int(rng.integers(2, 5))):
        share = 1 - 0.2 * layer * between(rng, 0.3, 1.2)
        colour, gloss = stuff(rng, own.side)
        shell = own.outline().ellipse((x + aside * layer, y), across * share, down * share, turn)
        own.lay(shell, colour, roundness=0.035, gloss=gloss)


def _bow(rng: Generator, own: Sculpture) -> None:
    """Lay a bow with something at both ends: headphones, glasses, a bracelet, a basket's handle."""
    reach, top = between(rng, 0.18, 0.4), between(rng, 0.06, 0.25)
    foot = between(rng, 0.5, 0.75)
    skew = between(rng, -0.12, 0.12)
    angle = np.linspace(np.pi, 2 * np.pi, 14)
    bow = [
        (
            0.5 + reach * float(np.cos(a)) + skew * (1 + float(np.sin(a))),
            foot + (foot - top) * float(np.sin(a)),
        )
        for a in angle
    ]
    for thick in sorted(rng.uniform(0.012, 0.06, int(rng.integers(1, 3))), reverse=True):
        colour, gloss = stuff(rng, own.side)
        own.lay(
            own.outline().limb(bow, [thick], 90), colour, roundness=float(thick) * 0.6, gloss=gloss
        )
    if chance(rng, 0.5):
        _cable(rng, own, (bow[0][0], min(foot + 0.08, 0.9)))
    size = between(rng, 0.06, 0.17)
    for x, y in (bow[0], bow[-1]):
        if chance(rng, 0.6):
            stem = own.outline().tube([(x, y - 0.06), (x, y + 0.05)], between(rng, 0.01, 0.03))
            own.lay(stem, stuff(rng, own.side)[0], roundness=0.01, gloss=0.5)
        _pad(
            rng,
            own,
            (x, y + size * 0.7),
            size * between(rng, 0.6, 1),
            size * between(rng, 0.9, 1.3),
        )


def _body(rng: Generator, own: Sculpture) -> None:
    """Lay a box-like device: camera, radio, speaker, console, clock, with parts on its front."""
    wide, tall = between(rng, 0.35, 0.9), between(rng, 0.25, 0.7)
    x, y = 0.5 - wide / 2, 0.55 - tall / 2
    if chance(rng, 0.35):
        _cable(rng, own, (x + wide * between(rng, 0.1, 0.9), y + tall * 0.9))
    if chance(rng, 0.25):  # a strap or handle above
        strap = [
            (x + wide * 0.1, y + 0.03),
            (0.5, y - between(rng, 0.05, 0.3)),
            (x + wide * 0.9, y + 0.03),
        ]
        own.lay(
            own.outline().limb(strap, [between(rng, 0.008, 0.03)], 60),
            stuff(rng, own.side)[0],
            roundness=0.01,
        )
    for _ in range(int(rng.integers(0, 4))):  # knobs and buttons on the top
        knob = between(rng, 0.02, 0.07)
        at = x + between(rng, 0.08, 0.85) * wide
        colour, gloss = stuff(rng, own.side)
        own.lay(
            rounded_box(own, (at, y - knob * 0.7), (knob * 1.6, knob * 1.2)),
            colour,
            roundness=0.01,
            gloss=gloss,
        )
    colour, gloss = stuff(rng, own.side)
    own.lay(
        rounded_box(own, (x, y), (wide, tall)),
        colour,
        roundness=between(rng, 0.01, 0.06),
        gloss=gloss,
    )
    if chance(rng, 0.6):  # a band of other stuff
        start, share = between(rng, 0.0, 0.5), between(rng, 0.2, 0.6)
        colour, gloss = stuff(rng, own.side)
        box = rounded_box(own, (x, y + tall * start), (wide, tall * min(share, 1 - start)), 1)
        own.lay(box, colour, roundness=0.01, gloss=gloss)
    for _ in range(int(rng.integers(1, 5))):
        spot = (x + wide * between(rng, 0.2, 0.8), y + tall * between(rng, 0.25, 0.75))
        if chance(rng, 0.6):
            radius = between(rng, 0.03, min(tall, wide) * 0.48)
            _pad(rng, own, spot, radius, radius * between(rng, 0.85, 1.0))
        else:
            size = (wide * between(rng, 0.1, 0.35), tall * between(rng, 0.08, 0.35))
            colour, gloss = stuff(rng, own.side)
            own.lay(rounded_box(own, spot, size, 1), colour, roundness=0.01, gloss=gloss)


def _strapped(rng: Generator, own: Sculpture) -> None:
    """Lay a bag or a watch: a body with long straps, through whose loop the ground shows."""
    thick, wide = between(rng, 0.01, 0.03), between(rng, 0.18, 0.36)
    if chance(rng, 0.45):
        band, _ = stuff(rng, own.side)
        across = between(rng, 0.06, 0.12)
        own.lay(rounded_box(own, (0.5 - across, 0.03), (2 * across, 0.94), 1), band, roundness=0.03)
        _pad(rng, own, (0.5, 0.5), across * between(rng, 1.2, 1.9), across * between(rng, 1.2, 1.9))
        return
    band, gloss = stuff(rng, own.side)
    for shift in (0.0, between(rng, 0.02, 0.06))[: int(rng.integers(1, 3))]:
        high = between(rng, 0.03, 0.25)
        loop = [
            (0.5 - wide * 0.7, 0.5 + shift),
            (0.5 - wide * 0.5, high + shift),
            (0.5 + wide * 0.5, high + shift),
            (0.5 + wide * 0.7, 0.5 + shift),
        ]
        own.lay(own.outline().limb(loop, [thick], 90), band, roundness=thick, gloss=gloss)
    colour, gloss = stuff(rng, own.side)
    slant = between(rng, -0.06, 0.1)
    corners = [
        (0.5 - wide + slant, 0.45),
        (0.5 + wide - slant, 0.45),
        (0.5 + wide, 0.93),
        (0.5 - wide, 0.93),
    ]
    own.lay(own.outline().fill(corners, 2), colour, roundness=0.05, gloss=gloss)
    if chance(rng, 0.6):
        colour, gloss = stuff(rng, own.side)
        flap = [
            corners[0],
            corners[1],
            (0.5 + wide * 0.9, between(rng, 0.55, 0.75)),
            (0.5 - wide * 0.9, between(rng, 0.55, 0.75)),
        ]
        own.lay(own.outline().fill(flap, 2), colour, roundness=0.03, gloss=gloss)
    if chance(rng, 0.6):
        _pad(rng, own, (0.5, between(rng, 0.55, 0.75)), 0.04, 0.04)


def draw_device(rng: Generator, side: int) -> Pixels:
    """Draw one device, (side, side, 4) uint8, straight colours that reach past the edge."""
    own = Sculpture(rng, side)
    if chance(rng, 0.4):
        own.seen_at_an_angle()
    (_body, _bow, _strapped, _bow, _body)[int(rng.integers(5))](rng, own)
    return own.finish()
