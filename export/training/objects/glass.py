"""Clear glass with real transparency: tumblers, stemmed glasses, bottles, vases and jars.

Its matte is what a product retoucher keeps of it: near opaque at rims, foot and highlights, where
glass hides what is behind, and between 0.35 and 0.9 on its walls, through which the ground shows.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from export.training.cutouts import Pixels
from export.training.objects.packages import (
    BOTTLE,
    JAR,
    draw_label,
    profile,
    sheen,
    turn,
    wrapped,
)
from export.training.objects.sculpture import between, chance, field, fitted, tone

WALL = (0.35, 0.6)  # alpha of a wall seen face on
FILLED = (0.7, 0.9)  # alpha of what is filled with liquid


def _stemmed(rng: Generator) -> NDArray[np.float64]:
    """Draw the half widths of a wine glass."""
    at = np.linspace(0, 1, 120)
    bowl, foot = between(rng, 0.15, 0.3), between(rng, 0.12, 0.22)
    end = between(rng, 0.45, 0.65)
    lip = between(rng, 0.6, 1.05)
    cup = bowl * np.sqrt(np.clip(1 - (at / end) ** between(rng, 2, 6), 0, 1))
    cup *= np.interp(at, [0, end / 2], [lip, 1])
    return np.maximum(cup, 0.014 + foot * np.clip((at - 0.93) / 0.07, 0, 1) ** 0.5)


def _tumbler(rng: Generator) -> NDArray[np.float64]:
    """Draw the half widths of a tumbler, vase or bowl."""
    at = np.linspace(0, 1, 120)
    top, foot = rng.uniform([0.15, 0.1], [0.42, 0.3])
    belly = between(rng, -0.03, 0.08)
    halves: NDArray[np.float64] = top + (foot - top) * at + belly * np.sin(np.pi * at)
    return halves


def draw_glass(rng: Generator, side: int) -> Pixels:
    """Draw one thing of glass, (side, side, 4) uint8, its walls half transparent."""
    sort = int(rng.integers(4))
    halves = (_stemmed(rng), _tumbler(rng), profile(rng, BOTTLE), profile(rng, JAR))[sort]
    foot = 0.95 if sort else 0.9
    top = foot - between(rng, 0.5, 0.88)
    body = turn(side, halves, top, foot, between(rng, 0.02, 0.25))
    edge = np.abs(body.across) ** between(rng, 3, 9)
    wall = between(rng, *WALL)
    alpha = wall + (0.97 - wall) * edge
    thick = np.clip((body.along - between(rng, 0.93, 0.97)) * 40, 0, 1)  # the foot
    lip = np.exp(-(((body.along) * 60) ** 2))
    alpha = np.maximum(alpha, np.maximum(0.92 * thick, 0.85 * lip))
    tint = np.clip(
        0.78 + rng.normal(0, 0.04, 3) + (tone(rng, 1) - 0.6) * chance(rng, 0.35), 0.05, 1
    )
    colours = (
        tint * (0.55 + 0.45 * (1 - edge[..., None])) + 0.06 * field(rng, side, (6, 4))[..., None]
    )
    if chance(rng, 0.5):
        level = between(rng, 0.15, 0.6)
        end = 0.55 if sort == 0 else 0.95
        wet = np.clip((body.along - level) * 80, 0, 1) * np.clip((end - body.along) * 80, 0, 1)
        alpha = np.maximum(alpha, between(rng, *FILLED) * wet)
        colours = colours + (tone(rng, 0.8) - colours) * (0.85 * wet[..., None])
    _, mirrored = sheen(rng, body.across, 0.9)
    mirrored = np.clip(mirrored * np.clip(field(rng, side, (4, 2)) + 1, 0, 1), 0, 1)
    colours, alpha = colours + mirrored[..., None], np.maximum(alpha, 0.95 * mirrored)
    if sort > 1 and chance(rng, 0.6):
        label, there = wrapped(draw_label(rng), body, between(rng, 0.4, 0.55), 0.8, 0.0)
        cap = np.clip((between(rng, 0.08, 0.16) - body.along) * 120, 0, 1)
        for own, opaque in ((label, there), (tone(rng), cap)):
            colours = colours + (own - colours) * opaque[..., None]
            alpha = np.maximum(alpha, opaque)
    alpha = (np.clip(alpha, 0, 1) * body.mask).astype(np.float32)
    return fitted((np.clip(colours, 0, 1) * alpha[..., None]).astype(np.float32), alpha, side)
