"""Furniture as shops show it: chairs, armchairs, sofas, tables, stools, shelves and lamps."""

import itertools
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from export.training.cutouts import Pixels
from export.training.objects.sculpture import (
    Plane,
    Point,
    Sculpture,
    between,
    chance,
    field,
    tone,
)


def _stuff(own: Sculpture, vivid: float = 0.5) -> Plane:
    """Draw cloth, leather or wood: a tone, at times with stripes, checks or a grain."""
    rng, side = own.rng, own.side
    base = tone(rng, vivid)
    kind = int(rng.integers(4))
    if kind == 0:
        return base
    cells = ((3, 30), (30, 3), (60, 60), (8, 8))[int(rng.integers(4))]
    pattern = field(rng, side, cells) * np.float32(between(rng, 0.03, 0.12))
    if kind == 1:
        at = np.arange(side, dtype=np.float32) / side * between(rng, 8, 30)
        pattern = np.broadcast_to(np.sign(np.sin(at * 6.3)) * np.float32(0.12), (side, side))
    other = tone(rng, 0.5) - base
    share = np.clip(pattern * 4, 0, 1)[..., None] * other + pattern[..., None]
    stuff: Plane = np.clip(base + share, 0, 1).astype(np.float32)
    return stuff


def _cushion(own: Sculpture, points: list[Point], colour: Plane, depth: float = 0.03) -> None:
    own.lay(own.outline().fill(points, 2), colour, roundness=depth, gloss=0.05)


def _legs(own: Sculpture, seat: list[Point], floor: float, colour: Plane, splay: float) -> None:
    """Lay a leg below each corner of a seat, the far ones first and higher."""
    rng = own.rng
    width = between(rng, 0.012, 0.035)
    middle = sum(x for x, _ in seat) / len(seat)
    deepest = max(y for _, y in seat)
    for x, y in sorted(seat, key=lambda corner: corner[1]):
        foot = floor - (deepest - y) * 0.8
        out = splay * (1 if x > middle else -1)
        own.lay(own.outline().tube([(x, y), (x + out, foot)], width), colour, roundness=0.01)


def _seat(rng: Generator, left: float, right: float, y: float, deep: float) -> list[Point]:
    lean = between(rng, -0.12, 0.12)
    return [(left + lean, y - deep), (right + lean, y - deep), (right, y), (left, y)]


def chair(own: Sculpture) -> None:
    """Lay a chair: legs, a seat, a back that is a panel, bars or a rounded shell."""
    rng = own.rng
    left, right, y = between(rng, 0.22, 0.34), between(rng, 0.62, 0.78), between(rng, 0.5, 0.62)
    seat = _seat(rng, left, right, y, between(rng, 0.05, 0.16))
    wood, stuff = tone(rng, 0.4), _stuff(own)
    _legs(own, seat, 0.96, wood, between(rng, -0.01, 0.07))
    (back_left, back_y), (back_right, _) = seat[:2]
    top = between(rng, 0.04, 0.2)
    spread = between(rng, -0.03, 0.05)
    kind = int(rng.integers(3))
    if kind == 0:
        panel = [(back_left, back_y), (back_right, back_y)]
        panel += [(back_right + spread, top), (back_left - spread, top)]
        _cushion(own, panel, stuff)
    else:
        for x in np.linspace(back_left, back_right, int(rng.integers(2, 8))).tolist():
            lean = (x - 0.5) * spread * 4
            bar = own.outline().tube([(x, back_y), (x + lean, top)], between(rng, 0.01, 0.025))
            own.lay(bar, wood, roundness=0.008)
        for high in (top, *((between(rng, top, back_y),) if kind == 1 else ())):
            rail = [(back_left - spread, high), (0.5, high - 0.02), (back_right + spread, high)]
            own.lay(own.outline().tube(rail, between(rng, 0.02, 0.06)), wood, roundness=0.012)
    thick = between(rng, 0.015, 0.06)
    _cushion(own, [*seat[:2], (right, y + thick), (left, y + thick)], stuff, 0.02)
    if chance(rng, 0.3):
        for x, near in ((left, seat[0]), (right, seat[1])):
            arm = [(near[0], near[1] - 0.14), (x, y - 0.13), (x, y)]
            own.lay(own.outline().tube(arm, between(rng, 0.015, 0.03)), wood, roundness=0.01)


def sofa(own: Sculpture) -> None:
    """Lay a sofa or an armchair: a back, two arms, cushions, short legs."""
    rng = own.rng
    own.seen_at_an_angle()
    half = between(rng, 0.22, 0.46)
    left, right = 0.5 - half, 0.5 + half
    top, y, floor = between(rng, 0.2, 0.4), between(rng, 0.55, 0.65), between(rng, 0.78, 0.9)
    stuff, wood = _stuff(own, 0.6), tone(rng, 0.3)
    for x in (left + 0.04, right - 0.04):
        own.lay(own.outline().tube([(x, floor - 0.02), (x, floor + 0.06)], 0.025), wood)
    _cushion(own, [(left, top), (right, top), (right, floor), (left, floor)], stuff, 0.05)
    count = int(rng.integers(1, 4))
    arm = between(rng, 0.04, 0.1)
    edges = np.linspace(left + arm, right - arm, count + 1).tolist()
    for a, b in itertools.pairwise(edges):
        for high, low in ((top + 0.03, y), (y - 0.03, floor - 0.05)):
            _cushion(own, [(a, high), (b, high), (b, low), (a, low)], stuff, 0.04)
    for a, b in ((left - 0.02, left + arm), (right - arm, right + 0.02)):
        high = between(rng, top + 0.08, y - 0.04)
        _cushion(own, [(a, high), (b, high), (b, floor), (a, floor)], stuff, 0.05)
    if chance(rng, 0.4):
        x = between(rng, left + 0.12, right - 0.12)
        side = between(rng, 0.06, 0.1)
        square = [(x - side, y - side), (x + side, y - side * 0.8), (x + side, y + side), (x, y)]
        _cushion(own, square, _stuff(own), 0.04)


def table(own: Sculpture) -> None:
    """Lay a table, desk, stool or bench, with legs or on a column."""
    rng = own.rng
    half, y = between(rng, 0.15, 0.45), between(rng, 0.2, 0.6)
    left, right = 0.5 - half, 0.5 + half
    wood, frame = _stuff(own, 0.3), tone(rng, 0.3)
    deep = between(rng, 0.03, 0.16)
    if chance(rng, 0.35):
        own.lay(own.outline().ellipse((0.5, 0.93), half * 0.6, 0.03), frame)
        own.lay(own.outline().tube([(0.5, y), (0.5, 0.92)], between(rng, 0.03, 0.08)), frame)
        own.lay(own.outline().ellipse((0.5, y), half, deep * 0.6), wood, gloss=0.3)
        return
    seat = _seat(rng, left, right, y, deep)
    _legs(own, seat, 0.95, frame, between(rng, -0.02, 0.06))
    if chance(rng, 0.4):
        low = between(rng, 0.7, 0.88)
        own.lay(own.outline().tube([(left, low), (right, low)], 0.02), frame)
    thick = between(rng, 0.015, 0.09)
    front = [(left, y), (right, y), (right, y + thick), (left, y + thick)]
    own.lay(own.outline().fill(front), frame, roundness=0.01)
    own.lay(own.outline().fill(seat), wood, roundness=0.005, gloss=0.3)


def shelf(own: Sculpture) -> None:
    """Lay a chest of drawers, cupboard or open shelf on feet."""
    rng = own.rng
    half, top, floor = between(rng, 0.2, 0.42), between(rng, 0.08, 0.4), between(rng, 0.82, 0.94)
    left, right = 0.5 - half, 0.5 + half
    wood, front = _stuff(own, 0.3), tone(rng, 0.4)
    for x in (left + 0.03, right - 0.03):
        own.lay(own.outline().tube([(x, floor - 0.02), (x, floor + 0.05)], 0.025), wood)
    side = between(rng, 0.0, 0.12)
    own.lay(
        own.outline().fill(
            [(left, top), (right, top), (right + side, top - side), (left + side, top - side)]
        ),
        wood,
        roundness=0.004,
    )
    flank = [(right, top), (right + side, top - side), (right + side, floor - side)]
    own.lay(own.outline().fill([*flank, (right, floor)]), wood * 0.7, roundness=0.004)
    body = [(left, top), (right, top), (right, floor), (left, floor)]
    own.lay(own.outline().fill(body), wood, roundness=0.004)
    rows, columns = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    high, wide = (floor - top) / rows, 2 * half / columns
    for row in range(rows):
        for column in range(columns):
            a, b = left + column * wide + 0.012, left + (column + 1) * wide - 0.012
            c, d = top + row * high + 0.012, top + (row + 1) * high - 0.012
            own.lay(own.outline().fill([(a, c), (b, c), (b, d), (a, d)]), front, roundness=0.006)
            knob = own.outline().ellipse(((a + b) / 2, (c + d) / 2), 0.012)
            own.lay(knob, wood * 0.4, gloss=0.5)


def lamp(own: Sculpture) -> None:
    """Lay a lamp: foot, stem or turned base, shade."""
    rng = own.rng
    metal, stuff = tone(rng, 0.3), _stuff(own, 0.3)
    foot, bend = between(rng, 0.4, 0.6), between(rng, -0.15, 0.15)
    low = between(rng, 0.35, 0.5)
    own.lay(own.outline().ellipse((foot, 0.94), between(rng, 0.08, 0.16), 0.025), metal, gloss=0.4)
    if chance(rng, 0.4):
        radii = rng.uniform(0.03, 0.13, 4).tolist()
        own.lay(own.outline().limb([(foot, 0.9), (foot, low)], radii), stuff, gloss=0.4)
        bend = 0.0
    head = (foot + bend, low)
    own.lay(own.outline().tube([(foot, 0.94), head], between(rng, 0.012, 0.03)), metal, gloss=0.4)
    top, wide, tall = (float(v) for v in rng.uniform([0.05, 0.14, 0.15], [0.16, 0.3, 0.3]))
    x, y = head
    shade = [(x - top, y - tall), (x + top, y - tall), (x + wide, y + 0.03), (x - wide, y + 0.03)]
    own.lay(own.outline().fill(shade), np.clip(stuff * 1.2, 0, 1), roundness=0.05, gloss=0.05)


FURNITURE: tuple[Callable[[Sculpture], None], ...] = (chair, chair, sofa, table, shelf, lamp)


def draw_furniture(rng: Generator, side: int) -> Pixels:
    """Draw one piece of furniture, (side, side, 4) uint8."""
    own = Sculpture(rng, side)
    FURNITURE[int(rng.integers(len(FURNITURE)))](own)
    return own.finish()
