"""Wares put together at random: turned bodies, rings in stacks, handles, spouts, lids and feet.

Each part has a stuff of its own, so that a body stays one product where its stuffs differ: a foot
of bare clay below a glaze, a base of wood below painted rings.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from export.training.cutouts import Pixels
from export.training.objects.sculpture import (
    Outline,
    Plane,
    Point,
    Sculpture,
    between,
    chance,
    field,
    tone,
)
from export.training.objects.surfaces import grain, wood_colour

Line = NDArray[np.float64]


def stuff(rng: Generator, side: int) -> tuple[Plane, float]:  # noqa: PLR0911  a stuff each
    """Draw what a part is made of: its colours, (3,) or (side, side, 3), and its gloss."""
    sort = int(rng.integers(8))
    own = tone(rng, 0.6)
    if sort <= 1:
        return own, between(rng, 0.0, 0.8)
    if sort == 2:  # noqa: PLR2004  wood
        lines = grain(rng, side, between(rng, 4, 14))
        lines = lines if chance(rng, 0.5) else lines.T
        return np.clip(wood_colour(rng) + 0.09 * lines[..., None], 0, 1), between(rng, 0, 0.3)
    if sort == 3:  # noqa: PLR2004  glaze that runs
        runs = field(rng, side, (3, 12)) * 0.09 + field(rng, side, (3, 3)) * 0.07
        return np.clip(own + runs[..., None], 0.02, 1).astype(np.float32), between(rng, 0.3, 0.9)
    if sort == 4:  # noqa: PLR2004  metal: bright and dark bands across
        at = np.linspace(0, 1, side, dtype=np.float32)
        bands = 0.25 * np.sin(2 * np.pi * (at * between(rng, 0.8, 2.5) + rng.random()))
        metal = np.clip(between(rng, 0.35, 0.8) + rng.normal(0, 0.02, 3), 0, 1)
        metal = metal * ((1.0, 1.0, 1.0) if chance(rng, 0.6) else (1.05, 0.88, 0.62))
        sheet = np.broadcast_to(metal + bands[None, :, None], (side, side, 3))
        return np.clip(sheet, 0, 1).astype(np.float32), between(rng, 0.3, 0.9)
    if sort == 5:  # noqa: PLR2004  speckles
        spots = (field(rng, side, (70, 70)) > between(rng, 1.6, 2.6)).astype(np.float32)
        return own + (tone(rng) - own) * (0.8 * spots[..., None]), between(rng, 0, 0.5)
    if sort == 6:  # noqa: PLR2004  cloth or leather
        rough = field(rng, side, (110, 110)) * between(rng, 0.01, 0.06)
        return np.clip(own * 0.8 + rough[..., None], 0, 1).astype(np.float32), 0.05
    at = np.linspace(0, 1, side, dtype=np.float32)  # stripes
    bands = (np.sin(2 * np.pi * at * between(rng, 3, 14)) > between(rng, -0.6, 0.6))[:, None, None]
    striped = np.broadcast_to(np.where(bands, own, tone(rng, 0.6)), (side, side, 3))
    return striped.astype(np.float32), between(rng, 0, 0.4)


def _profile(rng: Generator) -> Line:
    """Draw the half widths of a turned body from its top down, (80,)."""
    at = np.linspace(0, 1, 80)
    if chance(rng, 0.4):
        halves = between(rng, 0.12, 0.32) + between(rng, -0.08, 0.08) * at
        return np.asarray(halves + between(rng, 0, 0.06) * np.sin(np.pi * at))
    knots = rng.uniform(0.07, 0.34, int(rng.integers(3, 6)))
    smooth = np.interp(at, np.linspace(0, 1, len(knots)), knots)
    kernel = np.hanning(25)
    return np.convolve(np.pad(smooth, 12, mode="edge"), kernel / kernel.sum(), mode="valid")


def _turned(halves: Line, top: float, foot: float, tilt: float) -> list[Point]:
    """Give the outline of a turned body, ends rounded as seen from a little above."""
    down = np.linspace(top, foot, len(halves))
    right = [(0.5 + h, y) for h, y in zip(halves, down, strict=True)]
    angle = np.linspace(0, np.pi, 16)
    low = [(0.5 + halves[-1] * np.cos(a), foot + halves[-1] * tilt * np.sin(a)) for a in angle]
    left = [(0.5 - h, y) for h, y in zip(halves[::-1], down[::-1], strict=True)]
    high = [(0.5 - halves[0] * np.cos(a), top - halves[0] * tilt * np.sin(a)) for a in angle]
    return [(float(x), float(y)) for x, y in (*right, *low, *left, *high)]


def handle(rng: Generator, own: Sculpture, at: float, top: float, foot: float) -> None:
    """Bend a handle from near the top to near the foot, through which the ground shows."""
    reach = between(rng, 0.08, 0.2)
    turn = 1.0 if chance(rng, 0.5) else -1.0
    high, low = (
        top + (foot - top) * between(rng, 0.05, 0.3),
        top + (foot - top) * between(rng, 0.5, 0.95),
    )
    points = [
        (0.5 + turn * at * 0.9, high),
        (0.5 + turn * (at + reach), high - between(rng, -0.03, 0.05)),
        (0.5 + turn * (at + reach), low - between(rng, 0, 0.1)),
        (0.5 + turn * at * 0.9, low),
    ]
    thick = between(rng, 0.008, 0.035)
    colour, gloss = stuff(rng, own.side)
    radii = [thick, thick * between(rng, 0.7, 1.2), thick]
    own.lay(own.outline().limb(points, radii, 60), colour, roundness=thick, gloss=gloss)


def _vessel(rng: Generator, own: Sculpture) -> None:
    """Lay a vessel: body, perhaps handles, spout, lid, a rim and a foot of other stuffs."""
    halves, tilt = _profile(rng), between(rng, 0.02, 0.3)
    top, foot = between(rng, 0.15, 0.35), between(rng, 0.7, 0.9)
    body, gloss = stuff(rng, own.side)
    for _ in range(int(rng.choice([0, 1, 1, 2]))):
        handle(rng, own, float(halves.max()), top, foot)
    if chance(rng, 0.15):
        turn = -1.0 if chance(rng, 0.5) else 1.0
        spout = [(0.5, foot - 0.15), (0.5 + turn * 0.32, 0.5), (0.5 + turn * 0.42, top - 0.03)]
        own.lay(own.outline().limb(spout, [0.07, 0.04, 0.025]), body, gloss=gloss)
    round_by = between(rng, 0.08, 0.2)
    own.lay(
        own.outline().fill(_turned(halves, top, foot, tilt)), body, roundness=round_by, gloss=gloss
    )
    if chance(rng, 0.55):  # foot, bands
        for _ in range(int(rng.integers(1, 3))):
            low = (
                len(halves) - int(rng.integers(4, 26))
                if chance(rng, 0.7)
                else int(rng.integers(2, 60))
            )
            end = len(halves) if low > 50 else min(low + int(rng.integers(3, 18)), len(halves))  # noqa: PLR2004
            rows = np.linspace(top, foot, len(halves))
            part = halves[low:end] * between(rng, 0.9, 1.02)
            if len(part) > 1:
                colour, shine = stuff(rng, own.side)
                outline = _turned(part, float(rows[low]), float(rows[end - 1]), tilt)
                cut = own.outline().fill(outline).mask()
                own.lay(cut, colour, roundness=round_by, gloss=shine)
    if chance(rng, 0.5):  # the mouth
        inside = own.outline().ellipse((0.5, top), halves[0] * 0.92, halves[0] * tilt * 0.9)
        own.lay(inside, tone(rng, 0.2) * 0.7, roundness=0.01, gloss=0)
    elif chance(rng, 0.6):
        colour, shine = stuff(rng, own.side)
        knob = own.outline().ellipse(
            (0.5, top - 0.02), halves[0] * between(rng, 0.2, 1.05), between(rng, 0.02, 0.09)
        )
        own.lay(knob, colour, roundness=0.04, gloss=shine)
    if chance(rng, 0.35):
        _printed(rng, own, float(halves.min()), top, foot)


def _printed(rng: Generator, own: Sculpture, half: float, top: float, foot: float) -> None:
    """Print a label, a band of lines or a spot on a body."""
    middle = between(rng, top + 0.12, foot - 0.12)
    wide, tall = half * between(rng, 0.5, 0.95), between(rng, 0.03, 0.14)
    colour = tone(rng, 0.3)
    corners = [(0.5 - wide, middle - tall), (0.5 + wide, middle - tall)]
    corners += [(0.5 + wide, middle + tall), (0.5 - wide, middle + tall)]
    own.lay(own.outline().fill(corners), colour, roundness=0.005, gloss=0.05)
    for row in np.linspace(middle - tall * 0.6, middle + tall * 0.6, int(rng.integers(1, 5))):
        reach = wide * between(rng, 0.3, 0.8)
        line = own.outline().tube([(0.5 - reach, float(row)), (0.5 + reach, float(row))], 0.012)
        own.lay(line, tone(rng, 0.2), roundness=0.002, gloss=0)


def _stack(rng: Generator, own: Sculpture) -> None:
    """Lay rings, discs or balls on each other, each of its own colour, on a base."""
    count = int(rng.integers(3, 9))
    grows = between(rng, 0.0, 0.3)
    widths = (
        between(rng, 0.08, 0.2) + grows * np.linspace(0, 1, count) + rng.normal(0, 0.015, count)
    )
    tall = 0.75 / count
    flat = between(rng, 0.42, 0.7)
    order = range(count - 1, -1, -1) if chance(rng, 0.7) else range(count)
    shared = stuff(rng, own.side)
    for level in order:
        colour, gloss = shared if chance(rng, 0.1) else stuff(rng, own.side)
        wide, y = float(max(widths[level], 0.05)), 0.12 + tall * (level + 0.5)
        part = own.outline()
        if chance(rng, 0.75):
            part.ellipse((0.5, y), wide, tall * flat * between(rng, 1.0, 1.3))
        else:
            box = [(0.5 - wide, y - tall / 2), (0.5 + wide, y - tall / 2)]
            part.fill([*box, (0.5 + wide, y + tall / 2), (0.5 - wide, y + tall / 2)], 2)
        own.lay(part, colour, roundness=tall * 0.35, gloss=gloss)
    if chance(rng, 0.5):
        colour, gloss = stuff(rng, own.side)
        ball = own.outline().ellipse((0.5, 0.1), between(rng, 0.04, 0.1))
        own.lay(ball, colour, roundness=0.05, gloss=gloss)


def _tool(rng: Generator, own: Sculpture) -> None:
    """Lay a thin tool: a handle of one stuff, a head of another."""
    lean = between(rng, -0.25, 0.25)
    colour, gloss = stuff(rng, own.side)
    thick = between(rng, 0.012, 0.05)
    line = [(0.5 + lean, 0.95), (0.5 + between(rng, -0.05, 0.05), 0.5), (0.5 - lean, 0.2)]
    own.lay(
        own.outline().limb(line, [thick, thick * 0.8, thick * 0.5]),
        colour,
        roundness=thick,
        gloss=gloss,
    )
    colour, gloss = stuff(rng, own.side)
    head = own.outline()
    if chance(rng, 0.5):
        head.ellipse((0.5 - lean, 0.18), between(rng, 0.04, 0.16), between(rng, 0.06, 0.14), lean)
    else:
        half, tall = between(rng, 0.05, 0.25), between(rng, 0.03, 0.1)
        box = [(0.5 - lean - half, 0.18 - tall), (0.5 - lean + half, 0.18 - tall)]
        head.fill([*box, (0.5 - lean + half, 0.18 + tall), (0.5 - lean - half, 0.18 + tall)], 1)
    own.lay(head, colour, roundness=0.03, gloss=gloss)


def draw_ware(rng: Generator, side: int) -> Pixels:
    """Draw one ware, (side, side, 4) uint8, straight colours that reach past the edge."""
    own = Sculpture(rng, side)
    sort = float(rng.random())
    draw = _vessel if sort < 0.62 else _stack if sort < 0.85 else _tool  # noqa: PLR2004
    draw(rng, own)
    return own.finish()


def rounded_box(own: Sculpture, corner: Point, size: Point, round_times: int = 2) -> Outline:
    """Give the outline of a box with rounded corners."""
    (x, y), (wide, tall) = corner, size
    cut = min(wide, tall) * 0.25
    points = [(x + cut, y), (x + wide - cut, y), (x + wide, y + cut), (x + wide, y + tall - cut)]
    points += [(x + wide - cut, y + tall), (x + cut, y + tall), (x, y + tall - cut), (x, y + cut)]
    return own.outline().fill(points, round_times)
