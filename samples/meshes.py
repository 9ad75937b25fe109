"""Triangle meshes: what every part of a sample photo is made of.

Lengths are centimetres, z points up. Surfaces are closed and their normals point outwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh with smooth normals and texture coordinates.

    Attributes:
        vertices: (V, 3) float64, cm.
        uv: (V, 2) float64, texture coordinates; the texture repeats beyond [0, 1].
        faces: (F, 3) int64, indices into `vertices`, counter-clockwise from outside.
    """

    vertices: Floats
    uv: Floats
    faces: NDArray[np.int64]

    def normals(self) -> Floats:
        """Area-weighted normals, shared by vertices in one place: (V, 3) float64, unit length."""
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        face_normals = np.cross(b - a, c - a)
        # A seam has its vertices twice, for the sake of uv; it must not show in the shading.
        _, place = np.unique(np.round(self.vertices, 5), axis=0, return_inverse=True)
        place = place.reshape(-1)
        total = np.zeros((int(place.max()) + 1, 3))
        for k in range(3):
            np.add.at(total, place[self.faces[:, k]], face_normals)
        length = np.linalg.norm(total, axis=1, keepdims=True)
        unit: Floats = (total / np.maximum(length, 1e-12))[place]
        return unit

    def moved(self, offset: ArrayLike) -> Mesh:
        """The mesh shifted by `offset`: (3,), cm."""
        return replace(self, vertices=self.vertices + np.asarray(offset, dtype=np.float64))

    def turned(self, axis: str, degrees: float) -> Mesh:
        """The mesh turned about the coordinate axis `axis` ("x", "y" or "z") by the right hand."""
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
        matrix = np.eye(3)
        matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = cos, -sin, sin, cos
        return replace(self, vertices=self.vertices @ matrix.T)

    def scaled(self, factors: ArrayLike) -> Mesh:
        """The mesh stretched along x, y and z by three positive `factors`."""
        return replace(self, vertices=self.vertices * np.asarray(factors, dtype=np.float64))

    def mapped(self, horizontal: int, vertical: int, size: float) -> Mesh:
        """The mesh with texture coordinates from two of its coordinates, one texture per `size` cm.

        For solids cut from a block, such as turned wood, whose grain ignores their surface.
        """
        # The bitmap's own border lies off the middle of the solid.
        return replace(self, uv=self.vertices[:, [horizontal, vertical]] / size + 0.5)


def loft(rings: Floats, *, capped: bool = True, looped: bool = False) -> Mesh:
    """The skin over a row of closed rings; u runs around a ring, v along the row.

    Args:
        rings: (K, M, 3), cm; each runs counter-clockwise seen from where the row goes to.
        capped: Close the first and the last ring by a flat lid.
        looped: The last ring meets the first, as in a torus; there are no lids then.
    """
    rings = np.concatenate([rings, rings[:, :1]], axis=1)
    if looped:
        rings = np.concatenate([rings, rings[:1]], axis=0)
    rows, columns = rings.shape[:2]
    # Both run with length, so that a texture is not squeezed where rings lie close.
    steps = np.linalg.norm(np.diff(rings, axis=0), axis=2).mean(axis=1)
    v = np.r_[0, np.cumsum(steps)] / max(steps.sum(), 1e-9)
    sides = np.linalg.norm(np.diff(rings, axis=1), axis=2).mean(axis=0)
    u = np.r_[0, np.cumsum(sides)] / max(sides.sum(), 1e-9)
    u, v = np.meshgrid(u, v)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, 1:].ravel(), index[1:, :-1].ravel()
    faces = [np.stack([a, b, c], 1), np.stack([a, c, d], 1)]
    vertices = [rings.reshape(-1, 3)]
    uv = [np.stack([u.ravel(), v.ravel()], 1)]
    if capped and not looped:
        count = rows * columns
        for row, reverse in ((0, True), (rows - 1, False)):
            centre = rings[row, :-1].mean(axis=0, keepdims=True)
            fan = np.stack([index[row, :-1], index[row, 1:], np.full(columns - 1, count)], 1)
            faces.append(fan[:, ::-1] if reverse else fan)
            vertices.append(centre)
            uv.append(np.array([[0.5, float(row > 0)]]))
            count += 1
    return Mesh(np.concatenate(vertices), np.concatenate(uv), np.concatenate(faces))
