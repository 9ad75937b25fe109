"""Outlines and paths in the plane and in space, from which meshes are made.

Lengths are centimetres.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


SAME_POINT = 1e-6  # cm


def fillet(points: Sequence[tuple[float, float, float]], steps: int = 6) -> Floats:
    """An open polyline with its corners rounded.

    Args:
        points: Rows of x, y and the corner's radius, cm; the radius of both ends is not used.
        steps: Segments for each corner.

    Returns:
        (N, 2), cm.
    """
    table = np.asarray(points, dtype=np.float64)
    out = [table[0, :2]]
    for before, (x, y, radius), after in zip(table, table[1:], table[2:], strict=False):
        corner = np.array([x, y])
        to_before, to_after = before[:2] - corner, after[:2] - corner
        reach = min(np.linalg.norm(to_before), np.linalg.norm(to_after)) * 0.499
        to_before /= np.linalg.norm(to_before)
        to_after /= np.linalg.norm(to_after)
        half = np.arccos(np.clip(to_before @ to_after, -1, 1)) / 2
        cut = min(radius / max(np.tan(half), 1e-6), reach)
        start, end = corner + to_before * cut, corner + to_after * cut
        # A quadratic curve through the cut points is as round as the eye asks.
        t = np.linspace(0, 1, steps + 1)[:, None]
        out.extend((1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t**2 * end)
    out.append(table[-1, :2])
    line = np.array(out)
    keep = np.r_[True, np.linalg.norm(np.diff(line, axis=0), axis=1) > SAME_POINT]
    kept: Floats = line[keep]
    return kept


def rounded_rectangle(width: float, depth: float, radius: float, steps: int = 8) -> Floats:
    """The outline of a rectangle about the origin with round corners: (N, 2), cm."""
    radius = max(radius, 1e-4)
    arc = np.linspace(0, np.pi / 2, steps + 1)
    corners = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    parts = []
    for quarter, (sx, sy) in enumerate(corners):
        a = arc + quarter * np.pi / 2
        centre = [sx * (width / 2 - radius), sy * (depth / 2 - radius)]
        parts.append(np.stack([np.cos(a), np.sin(a)], 1) * radius + centre)
    outline: Floats = np.concatenate(parts)
    return outline


def circle(radius: float, segments: int = 24) -> Floats:
    """A cross section for `sweep`: (segments, 2), cm."""
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    outline: Floats = radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    return outline


def spline(points: ArrayLike, steps: int = 12) -> Floats:
    """A smooth curve through `points` (Catmull-Rom), `steps` segments between each two.

    Args:
        points: (K, 3), cm.
        steps: Segments between two neighbours.

    Returns:
        ((K - 1) * steps + 1, 3), cm.
    """
    knots = np.asarray(points, dtype=np.float64)
    ends = 2 * knots[[0, -1]] - knots[[1, -2]]
    padded = np.concatenate([ends[:1], knots, ends[1:]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    out = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        cubic = -p0 + 3 * p1 - 3 * p2 + p3
        out.append(
            (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + cubic * t**3) / 2
        )
    curve: Floats = np.concatenate([*out, knots[-1:]])
    return curve
