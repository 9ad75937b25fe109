"""The solids and sheets that the sample photos are built of, each from a few numbers.

Lengths are centimetres, z points up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samples.curves import fillet, rounded_rectangle
from samples.meshes import Mesh, loft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def lathe(points: Sequence[tuple[float, float, float]], segments: int = 96) -> Mesh:
    """A solid turned about the z axis.

    Args:
        points: Rows of radius, height and corner radius (see `fillet`), from the bottom along the
            outside to the top; a hollow thing goes on down its inside.
        segments: Sides of the turned polygon.
    """
    profile = fillet(points)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    radius, height = profile[:, :1], profile[:, 1:]
    rings = np.stack([radius * np.cos(angle), radius * np.sin(angle), height + 0 * angle], axis=-1)
    return loft(rings)


def slab(width: float, depth: float, height: float, *, corner: float, edge: float) -> Mesh:
    """A standing rounded rectangle, its upper and lower edges rounded too; it stands on z = 0.

    Args:
        width: Along x, cm.
        depth: Along y, cm.
        height: Along z, cm.
        corner: Radius of the four upright edges, cm, larger than `edge`.
        edge: Radius of the upper and lower edges, cm.
    """
    rings = []
    for t in np.linspace(0, np.pi / 2, 6):
        inset = edge * (1 - np.sin(t))
        outline = rounded_rectangle(width - 2 * inset, depth - 2 * inset, corner - inset)
        rings.append((outline, edge * (1 - np.cos(t))))
    rings += [(outline, height - z) for outline, z in reversed(rings)]
    return loft(np.array([np.column_stack([xy, np.full(len(xy), z)]) for xy, z in rings]))


def sweep(
    path: ArrayLike, section: ArrayLike, scale: ArrayLike = 1.0, *, looped: bool = False
) -> Mesh:
    """A cross section drawn along a path without twisting.

    Args:
        path: (K, 3), cm.
        section: (M, 2), cm, counter-clockwise; its second axis starts out nearest to z.
        scale: Size of the section at each point of the path, one number or (K,).
        looped: The path ends where it starts.
    """
    path = np.asarray(path, dtype=np.float64)
    section = np.asarray(section, dtype=np.float64)
    scale = np.broadcast_to(np.asarray(scale, dtype=np.float64), (len(path),))
    if looped:
        tangent = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    else:
        tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    up = np.array([0.0, 0.0, 1.0]) if abs(tangent[0, 2]) < 0.9 else np.array([0.0, 1.0, 0.0])  # noqa: PLR2004
    rings = []
    for point, along, size in zip(path, tangent, scale, strict=True):
        up = up - (up @ along) * along
        up /= np.linalg.norm(up)
        side = np.cross(up, along)
        rings.append(point + size * (section[:, :1] * side + section[:, 1:] * up))
    return loft(np.array(rings), capped=not looped, looped=looped)


def sheet(width: float, depth: float, heights: Floats | None = None, texture: float = 30.0) -> Mesh:
    """A level cloth or table top about the origin, seen from above.

    Args:
        width: Along x, cm.
        depth: Along y, cm.
        heights: (rows, columns), cm above z = 0, rows along y; flat without.
        texture: Side of one texture repeat, cm.
    """
    heights = np.zeros((2, 2)) if heights is None else heights
    rows, columns = heights.shape
    x, y = np.meshgrid(
        np.linspace(-width / 2, width / 2, columns), np.linspace(-depth / 2, depth / 2, rows)
    )
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, 1:].ravel(), index[1:, :-1].ravel()
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    vertices = np.stack([x.ravel(), y.ravel(), heights.ravel()], 1)
    # The bitmap's own border lies off the middle, where the product stands.
    return Mesh(vertices, vertices[:, :2] / texture + 0.5, faces)


def band(radius: float, degrees: float, bottom: float, top: float) -> Mesh:
    """A label stuck around the z axis, its middle facing -y; uv spans it once.

    Args:
        radius: Of the label's surface, cm.
        degrees: Angle that the label covers.
        bottom: Lower edge, cm.
        top: Upper edge, cm.
    """
    half = degrees / 2
    angle = np.radians(np.linspace(-90 - half, -90 + half, 96))
    around = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    rows = [np.column_stack([around, np.full(len(around), z)]) for z in (bottom, top)]
    index = np.arange(2 * len(around)).reshape(2, -1)
    a, b, c, d = index[0, :-1], index[0, 1:], index[1, 1:], index[1, :-1]
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    u = np.tile(np.linspace(0, 1, len(around)), 2)
    uv = np.stack([u, np.repeat([0.0, 1.0], len(around))], 1)
    return Mesh(np.concatenate(rows), uv, faces)


def ball(radius: float, segments: int = 64) -> Mesh:
    """A sphere about the origin."""
    angle = np.linspace(-np.pi / 2 + 1e-3, np.pi / 2 - 1e-3, segments // 2 + 1)
    around = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    rings = np.stack(
        [
            np.cos(angle)[:, None] * np.cos(around),
            np.cos(angle)[:, None] * np.sin(around),
            np.sin(angle)[:, None] + 0 * around,
        ],
        axis=-1,
    )
    return loft(radius * rings)


def knurled(radius: float, height: float, teeth: int, *, tooth: float, edge: float) -> Mesh:
    """A grip wheel about the z axis that stands on z = 0.

    Args:
        radius: Over the teeth, cm.
        height: Along z, cm.
        teeth: Around the wheel.
        tooth: Depth of a groove, cm.
        edge: Radius of the smooth upper and lower rims, cm.
    """
    angle = np.linspace(0, 2 * np.pi, teeth * 8, endpoint=False)
    groove = tooth * np.clip(0.5 - 0.9 * np.cos(teeth * angle), 0, 1)
    heights = [
        0,
        edge * 0.3,
        edge,
        edge + tooth,
        height - edge - tooth,
        height - edge,
        height - edge * 0.3,
        height,
    ]
    inset = [edge, edge * 0.3, 0, 0, 0, 0, edge * 0.3, edge]
    depth = [0, 0, 0, 1, 1, 0, 0, 0]
    rings = []
    for z, inward, share in zip(heights, inset, depth, strict=True):
        r = radius - inward - share * groove
        rings.append(np.stack([r * np.cos(angle), r * np.sin(angle), z + 0 * angle], 1))
    return loft(np.array(rings))
