"""The solids of the sample photos are closed and face outwards, as the renderer expects."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from samples.curves import circle, fillet, spline
from samples.solids import ball, knurled, lathe, slab, sweep

if TYPE_CHECKING:
    from samples.meshes import Mesh

TURN = np.linspace(0, 2 * np.pi, 64, endpoint=False)
SOLIDS = {
    "ball": (ball(2.0), 4 / 3 * np.pi * 8),
    "cylinder": (lathe([(0, 0, 0), (2, 0, 0.01), (2, 5, 0.01), (0, 5, 0)]), np.pi * 4 * 5),
    "slab": (slab(4, 3, 2, corner=0.1, edge=0.05), 4 * 3 * 2),
    "wheel": (knurled(2, 1, 40, tooth=0.01, edge=0.01), np.pi * 4),
    "rod": (sweep([(0, 0, 0), (0, 0, 3), (0, 0, 6)], circle(1, 64)), np.pi * 6),
    "torus": (
        sweep(
            np.stack([5 * np.cos(TURN), 5 * np.sin(TURN), 0 * TURN], 1),
            circle(1, 64),
            looped=True,
        ),
        2 * np.pi**2 * 5,
    ),
}


def _volume(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


@pytest.mark.parametrize("name", SOLIDS)
def test_a_solid_encloses_its_volume_with_outward_faces(name: str) -> None:
    mesh, volume = SOLIDS[name]
    assert _volume(mesh) == pytest.approx(volume, rel=0.03)


@pytest.mark.parametrize("name", SOLIDS)
def test_every_edge_of_a_solid_joins_two_faces(name: str) -> None:
    mesh, _ = SOLIDS[name]
    _, place = np.unique(np.round(mesh.vertices, 6), axis=0, return_inverse=True)
    faces = place.reshape(-1)[mesh.faces]
    faces = faces[[len(set(face)) == 3 for face in faces.tolist()]]
    edges = Counter((int(face[i]), int(face[(i + 1) % 3])) for face in faces for i in range(3))
    assert all(count == edges[edge[::-1]] for edge, count in edges.items())


def test_normals_of_a_ball_point_away_from_its_centre() -> None:
    mesh, _ = SOLIDS["ball"]
    outwards = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    assert np.einsum("ij,ij->i", outwards, mesh.normals()).min() > 0.99


def test_moves_and_turns_keep_the_volume() -> None:
    mesh, volume = SOLIDS["slab"]
    moved = mesh.turned("x", 33).turned("y", -71).turned("z", 140).moved((3, -2, 9))
    assert _volume(moved) == pytest.approx(volume, rel=0.03)


def test_a_filleted_corner_stays_within_the_corner() -> None:
    line = fillet([(0, 0, 0), (2, 0, 0.5), (2, 2, 0)])
    assert np.allclose(line[[0, -1]], [(0, 0), (2, 2)])
    assert np.linalg.norm(line - [2, 0], axis=1).min() > 0.1


def test_a_spline_passes_through_its_points() -> None:
    points = np.array([(0, 0, 0), (1, 2, 0), (3, 1, 1), (4, 4, 2)], dtype=np.float64)
    assert np.allclose(spline(points, steps=5)[::5], points)
