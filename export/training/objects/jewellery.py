"""Rings, necklaces, chains, earrings and watches: polished metal, stones and beads."""

import itertools

import numpy as np
from numpy.random import Generator

from export.training.cutouts import Pixels
from export.training.objects.sculpture import Plane, Point, Sculpture, between, chance, field, tone

METALS = ((0.95, 0.78, 0.42), (0.85, 0.86, 0.88), (0.93, 0.7, 0.6), (0.55, 0.56, 0.6))


def polished(rng: Generator, side: int) -> Plane:
    """Draw what polished metal mirrors: a studio's bright and dark bands, (side, side, 3)."""
    metal = np.array(METALS[int(rng.integers(len(METALS)))], np.float32)
    cells = (int(rng.integers(6, 20)), int(rng.integers(6, 20)))
    bands = 0.62 + 0.34 * np.tanh(2 * field(rng, side, cells))
    return (metal * bands[..., None]).astype(np.float32)


def _stone(own: Sculpture, centre: Point, radius: float, colour: Plane) -> None:
    """Lay a cut stone in its setting."""
    rng = own.rng
    own.lay(own.outline().ellipse(centre, radius * 1.18), polished(rng, own.side), gloss=0.5)
    facets = int(rng.integers(6, 12))
    angles = np.linspace(0, 2 * np.pi, facets + 1)
    for start, end in itertools.pairwise(angles):
        ends = [
            (centre[0] + radius * np.cos(a), centre[1] + radius * np.sin(a)) for a in (start, end)
        ]
        facet = own.outline().fill([centre, *ends])
        own.lay(facet, np.clip(colour * between(rng, 0.4, 1.7), 0, 1), roundness=0.004, gloss=0.5)
    own.lay(own.outline().ellipse(centre, radius * 0.5), np.clip(colour * 1.3, 0, 1), gloss=0.9)


def ring(own: Sculpture) -> None:
    """Lay a finger ring or bangle, at times with a stone."""
    rng = own.rng
    radius, width = between(rng, 0.3, 0.42), between(rng, 0.02, 0.09)
    own.squeeze = between(rng, 0.35, 1)
    metal = polished(rng, own.side)
    inner = own.outline().ring((0.5, 0.53), radius - width * 0.4, width * 0.8)
    own.lay(inner, metal * 0.6, roundness=width / 2)
    own.lay(own.outline().ring((0.5, 0.5), radius, width), metal, roundness=width / 2, gloss=0.8)
    if chance(rng, 0.6):
        own.squeeze = 1.0
        _stone(own, (0.5, 0.5 - radius), between(rng, 0.05, 0.13), tone(rng, 0.7))


def necklace(own: Sculpture) -> None:
    """Lay a necklace or bracelet of beads or links, at times with a pendant."""
    rng = own.rng
    wide, deep = between(rng, 0.25, 0.44), between(rng, 0.25, 0.44)
    begin = between(rng, -0.9, 0.0) if chance(rng, 0.6) else -np.pi / 2
    end = np.pi - begin
    bead = between(rng, 0.008, 0.035)
    count = max(int((end - begin) * (wide + deep) / 2 / (bead * 1.9)), 8)
    path = [
        (0.5 + wide * np.cos(a), 0.47 + deep * np.sin(a)) for a in np.linspace(begin, end, count)
    ]
    metal = polished(rng, own.side)
    own.lay(own.outline().tube(path, bead * 0.35), metal, roundness=0.004)
    if chance(rng, 0.5):
        beads = own.outline()
        for at, centre in enumerate(path):
            beads.ellipse(centre, bead * (0.6 + 0.4 * np.sin(np.pi * at / (count - 1))))
        colour = tone(rng, 0.6) if chance(rng, 0.7) else metal
        own.lay(beads, colour, roundness=bead * 0.6, gloss=0.8)
    else:
        links = own.outline()
        for at in range(0, count - 1, 2):
            links.ring(path[at], bead, bead * 0.5)
        own.lay(links, metal, roundness=0.006, gloss=0.8)
    if chance(rng, 0.5):
        size = between(rng, 0.04, 0.1)
        _stone(own, (0.5, min(0.47 + deep + size, 0.98 - size)), size, tone(rng, 0.7))


def earrings(own: Sculpture) -> None:
    """Lay a pair of drop earrings or hoops."""
    rng = own.rng
    metal, colour, size = polished(rng, own.side), tone(rng, 0.7), between(rng, 0.06, 0.13)
    drop, hoop = between(rng, 0.3, 0.7), chance(rng, 0.4)
    for x in (0.3, 0.7):
        hook = (
            own.outline().ring((x, 0.16), 0.05, 0.012, turns=0.7).tube([(x, 0.2), (x, drop)], 0.012)
        )
        own.lay(hook, metal, roundness=0.005, gloss=0.8)
        if hoop:
            hanging = own.outline().ring((x, drop + size), size, 0.016)
            own.lay(hanging, metal, roundness=0.008, gloss=0.8)
        else:
            _stone(own, (x, drop + size), size, colour)


def watch(own: Sculpture) -> None:
    """Lay a wrist watch, its strap laid flat."""
    rng = own.rng
    strap, wide = tone(rng), between(rng, 0.06, 0.11)
    own.lay(
        own.outline().limb([(0.5, 0.05), (0.5, 0.95)], [wide * 0.8, wide, wide, wide * 0.8]),
        strap,
        roundness=0.03,
    )
    radius = between(rng, 0.13, 0.2)
    own.lay(own.outline().tube([(0.5, 0.5), (0.52 + radius, 0.5)], 0.035), polished(rng, own.side))
    own.lay(own.outline().ellipse((0.5, 0.5), radius), polished(rng, own.side), gloss=0.8)
    own.lay(own.outline().ellipse((0.5, 0.5), radius * 0.82), tone(rng, 0.2), roundness=0.005)
    marks = own.outline()
    for k in range(12):
        x, y = np.cos(k * np.pi / 6) * radius, np.sin(k * np.pi / 6) * radius
        marks.tube([(0.5 + x * 0.66, 0.5 + y * 0.66), (0.5 + x * 0.76, 0.5 + y * 0.76)], 0.008)
    for share in (0.45, 0.65):
        a = between(rng, 0, 6.3)
        tip = (0.5 + share * radius * np.cos(a), 0.5 + share * radius * np.sin(a))
        marks.tube([(0.5, 0.5), tip], 0.008)
    own.lay(marks, tone(rng, 0.2), roundness=0.004)


JEWELLERY = (ring, ring, necklace, necklace, earrings, watch)


def draw_jewel(rng: Generator, side: int) -> Pixels:
    """Draw one piece of jewellery, (side, side, 4) uint8."""
    own = Sculpture(rng, side)
    JEWELLERY[int(rng.integers(len(JEWELLERY)))](own)
    return own.finish()
