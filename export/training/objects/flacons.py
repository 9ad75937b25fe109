"""Cosmetics as shops show them: flacons, pump bottles, droppers, pots, sticks; mostly opaque."""

import numpy as np
from numpy.random import Generator

from export.training.cutouts import Pixels
from export.training.objects.jewellery import polished
from export.training.objects.packages import LABEL_PX, draw_label
from export.training.objects.sculpture import (
    Plane,
    Point,
    Sculpture,
    between,
    chance,
    field,
    tone,
)


def _stuff(own: Sculpture) -> Plane:
    """Draw glazed, frosted or clear-looking material: a tone that runs into another."""
    rng, side = own.rng, own.side
    first, second = tone(rng, 0.6), tone(rng, 0.6)
    along = np.linspace(-0.2, 1.2, side, dtype=np.float32).clip(0, 1)
    share = np.broadcast_to(along[:, None], (side, side))
    if chance(rng, 0.4):  # liquid up to a level
        share = np.clip((share - between(rng, 0.35, 0.6)) * 200, 0, 1)
    elif chance(rng, 0.5):
        share = np.clip(field(rng, side, (5, 5)) * np.float32(0.5), 0, 1)
    mixed = first + (second - first) * share[..., None] * np.float32(between(rng, 0.1, 0.9))
    stuff: Plane = np.clip(mixed, 0, 1).astype(np.float32)
    return stuff


def _block(own: Sculpture, box: tuple[float, float, float, float], narrow: float = 1.0) -> None:
    """Lay the body: a block with round corners, facets or a belly, its inner walls seen."""
    rng = own.rng
    left, top, right, foot = box
    inset = (right - left) * (1 - narrow) / 2
    outline = [(left + inset, top), (right - inset, top), (right, foot), (left, foot)]
    stuff, gloss = _stuff(own), between(rng, 0.1, 0.7)
    rounds = int(rng.integers(0, 4))
    if rounds == 3:  # noqa: PLR2004  a belly
        radius = (right - left) / 2
        middle = ((left + right) / 2, (top + foot) / 2)
        body = own.outline().ellipse(middle, radius, (foot - top) / 2)
        body.fill(
            [
                (left + 0.25 * radius, foot - 0.04),
                (right - 0.25 * radius, foot - 0.04),
                (right - 0.3 * radius, foot),
                (left + 0.3 * radius, foot),
            ]
        )
    else:
        body = own.outline().fill(outline, rounds)
    own.lay(body, stuff, roundness=between(rng, 0.008, 0.06), gloss=gloss)
    if chance(rng, 0.4):  # thick walls: an inner body of another tone
        wall = between(rng, 0.015, 0.04)
        inner = [
            (x + (wall if x < 0.5 else -wall), y + (wall if y < (top + foot) / 2 else -wall))  # noqa: PLR2004
            for x, y in outline
        ]
        own.lay(own.outline().fill(inner, rounds), _stuff(own), roundness=0.02, gloss=gloss)


def _label(own: Sculpture, box: tuple[float, float, float, float]) -> None:
    """Print a small label or a few words on the body."""
    rng, side = own.rng, own.side
    left, top, right, foot = (round(value * side) for value in box)
    printed = draw_label(rng)
    rows = np.linspace(0, LABEL_PX - 1, max(foot - top, 1)).astype(np.intp)
    columns = np.linspace(0, LABEL_PX - 1, max(right - left, 1)).astype(np.intp)
    colours = np.zeros((side, side, 3), np.float32)
    mask = np.zeros((side, side), np.float32)
    colours[top:foot, left:right] = printed[rows][:, columns]
    mask[top:foot, left:right] = 1
    own.lay(mask, colours, roundness=0.002, gloss=0.0)


def flacon(own: Sculpture) -> None:
    """Lay a perfume flacon or bottle: body, neck, stopper or cap."""
    rng = own.rng
    half, top = between(rng, 0.14, 0.34), between(rng, 0.3, 0.55)
    box = (0.5 - half, top, 0.5 + half, 0.95)
    neck = half * between(rng, 0.2, 0.5)
    cap_top = top - between(rng, 0.1, 0.26)
    metal = polished(rng, own.side)
    collar = [(0.5 - neck, top - 0.05), (0.5 + neck, top - 0.05)]
    collar += [(0.5 + neck, top + 0.03), (0.5 - neck, top + 0.03)]
    own.lay(own.outline().fill(collar), metal, roundness=0.02, gloss=0.5)
    _block(own, box, between(rng, 0.6, 1.05))
    wide = neck * between(rng, 1.0, 1.7)
    cap = [(0.5 - wide, cap_top), (0.5 + wide, cap_top), (0.5 + wide, top - 0.03)]
    cap.append((0.5 - wide, top - 0.03))
    stuff = metal if chance(rng, 0.4) else tone(rng, 0.4)
    if chance(rng, 0.25):
        shape = own.outline().ellipse((0.5, (cap_top + top) / 2), wide, (top - cap_top) / 2)
    else:
        shape = own.outline().fill(cap, int(rng.integers(0, 3)))
    own.lay(shape, stuff, roundness=0.03, gloss=0.5)
    if chance(rng, 0.6):
        reach = half * between(rng, 0.35, 0.8)
        _label(
            own, (0.5 - reach, between(rng, top + 0.1, 0.7), 0.5 + reach, between(rng, 0.75, 0.9))
        )


def pump(own: Sculpture) -> None:
    """Lay a bottle with a pump or a spray head and its thin spout."""
    rng = own.rng
    half, top = between(rng, 0.12, 0.24), between(rng, 0.3, 0.45)
    metal = tone(rng, 0.2)
    ring = polished(rng, own.side) if chance(rng, 0.5) else tone(rng, 0.3)
    stem = between(rng, 0.012, 0.03)
    high = between(rng, 0.06, 0.16)
    own.lay(own.outline().tube([(0.5, top), (0.5, high)], stem * 2), metal, gloss=0.4)
    reach = between(rng, 0.1, 0.26) * (1 if chance(rng, 0.5) else -1)
    spout: list[Point] = [(0.5 - reach * 0.3, high), (0.5 + reach * 0.8, high)]
    spout.append((0.5 + reach, high + between(rng, 0.01, 0.06)))
    own.lay(own.outline().tube(spout, between(rng, 0.02, 0.05)), metal, roundness=0.012, gloss=0.4)
    neck = half * between(rng, 0.35, 0.7)
    collar = [(0.5 - neck, top - 0.08), (0.5 + neck, top - 0.08), (0.5 + neck, top + 0.02)]
    own.lay(
        own.outline().fill([*collar, (0.5 - neck, top + 0.02)]), ring, roundness=0.03, gloss=0.5
    )
    _block(own, (0.5 - half, top, 0.5 + half, 0.95), between(rng, 0.8, 1.0))
    if chance(rng, 0.85):
        wide = half * between(rng, 0.6, 0.98)
        _label(own, (0.5 - wide, between(rng, top + 0.1, 0.6), 0.5 + wide, between(rng, 0.7, 0.9)))


def pot(own: Sculpture) -> None:
    """Lay a pot of cream, a candle or a tin: low, with a lid."""
    rng = own.rng
    half, top = between(rng, 0.25, 0.46), between(rng, 0.4, 0.65)
    _block(own, (0.5 - half, top, 0.5 + half, 0.9), between(rng, 0.9, 1.05))
    lid = tone(rng, 0.4) if chance(rng, 0.6) else polished(rng, own.side)
    low, wide = top + 0.03, half * between(rng, 0.9, 1.05)
    high = top - between(rng, 0.06, 0.18)
    cap = [(0.5 - wide, high), (0.5 + wide, high), (0.5 + wide, low), (0.5 - wide, low)]
    own.lay(own.outline().fill(cap, int(rng.integers(0, 2))), lid, roundness=0.03, gloss=0.5)
    own.lay(own.outline().ellipse((0.5, high), wide, between(rng, 0.01, 0.08)), lid, gloss=0.3)
    if chance(rng, 0.6):
        reach = half * between(rng, 0.4, 0.9)
        _label(own, (0.5 - reach, top + 0.08, 0.5 + reach, between(rng, 0.75, 0.85)))


COSMETICS = (flacon, flacon, pump, pot)


def draw_flacon(rng: Generator, side: int) -> Pixels:
    """Draw one cosmetic, (side, side, 4) uint8."""
    own = Sculpture(rng, side)
    COSMETICS[int(rng.integers(len(COSMETICS)))](own)
    return own.finish()
