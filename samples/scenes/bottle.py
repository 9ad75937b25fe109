"""A pump bottle of hand wash on a plaster pedestal, in a terracotta set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samples.curves import circle, spline
from samples.labels import print_label
from samples.solids import band, lathe, sheet, slab, sweep
from samples.stage import Camera, Part, Scene, Softbox, room, surface
from samples.textures import Bitmap, plaster

if TYPE_CHECKING:
    from samples.meshes import Mesh

PEDESTAL = 3.2  # height, cm


def _label() -> Bitmap:
    ink, soft = "#23352c", "#6b7a6d"
    return Bitmap(
        print_label(
            (1000, 1060),
            "#efe8d8",
            [
                (0.5, 0.12, 0.035, soft, "No. 04"),
                (0.5, 0.32, 0.1, ink, "HAZELMOOR"),
                (0.5, 0.45, 0.008, ink, ""),
                (0.5, 0.56, 0.055, ink, "rosemary & oat"),
                (0.5, 0.66, 0.055, ink, "hand wash"),
                (0.5, 0.87, 0.038, soft, "300 ml / 10.1 fl oz"),
            ],
        )[::-1]
    )


def _pump() -> tuple[Mesh, ...]:
    stem = lathe([(0.0, 14.4, 0), (0.42, 14.4, 0), (0.42, 16.6, 0), (0.0, 16.6, 0)], 48)
    ring = lathe([(0.0, 14.7, 0), (0.8, 14.7, 0.1), (0.8, 15.2, 0.15), (0.0, 15.2, 0)], 64)
    head = lathe([(0.0, 16.3, 0), (0.98, 16.3, 0.12), (1.08, 17.25, 0.22), (0.0, 17.3, 0)], 96)
    path = spline(
        [(0.3, 0, 16.82), (1.8, 0, 16.86), (3.0, 0, 16.78), (3.7, 0, 16.5), (3.95, 0, 15.95)]
    )
    size = np.linspace(1.15, 0.78, len(path))
    return stem, ring, head, sweep(path, circle(0.42, 40), size)


def build() -> Scene:
    """The scene."""
    glass = surface("#16372b", roughness=0.16, coat=1.0)
    metal = surface("#d8b27a", roughness=0.22, metallic=1.0)
    black = surface("#1b1b1a", roughness=0.32)
    body = lathe(
        [
            (0.0, 0.0, 0),
            (3.35, 0.0, 0.45),
            (3.35, 11.9, 2.2),
            (1.35, 13.3, 0.8),
            (1.3, 14.0, 0.1),
            (0.0, 14.0, 0),
        ],
        160,
    )
    collar = lathe([(0.0, 13.25, 0), (1.62, 13.25, 0.1), (1.62, 14.75, 0.18), (0.0, 14.75, 0)], 128)
    paper = surface(_label(), roughness=0.6)
    parts = [
        Part(body, glass),
        Part(band(3.365, 128, 1.7, 9.7), paper),
        Part(collar, metal),
        *(Part(mesh, black) for mesh in _pump()),
    ]
    product = tuple(
        Part(part.mesh.turned("z", -14).moved((0, 0, PEDESTAL)), part.material) for part in parts
    )

    wall, trowel = plaster(21, "#c98569", contrast=4)
    light_wall, _ = plaster(22, "#dca98d", contrast=4)
    rough = surface(Bitmap(wall), roughness=0.9, bump=Bitmap(trowel), depth=0.06)
    pale = surface(Bitmap(light_wall), roughness=0.9, bump=Bitmap(trowel), depth=0.05)
    surroundings = (
        Part(sheet(160, 120, texture=60), pale),
        Part(sheet(200, 120, texture=60).turned("x", 90).moved((0, 26, 40)), rough),
        Part(
            lathe([(0.0, 0.0, 0), (7.6, 0.0, 0.1), (7.6, PEDESTAL, 0.3), (0.0, PEDESTAL, 0)], 160),
            surface(Bitmap(plaster(23, "#eadfd2", contrast=4)[0], (4, 1)), roughness=0.85),
        ),
        Part(
            slab(9, 9, 7.5, corner=0.4, edge=0.2).turned("z", 24).moved((11.5, 11, 0)),
            surface("#dca98d", roughness=0.9),
        ),
    )
    return Scene(
        size=(900, 1200),
        camera=Camera(
            position=(0, -74, 17),
            target=(0.5, 0, 11.6),
            view_degrees=13.2,
            focus=(0, -3.3, 12),
            aperture=0.35,
        ),
        product=product,
        surroundings=surroundings,
        lights=(
            Softbox((-42, -38, 46), (0, 0, 9), 26, 40, (19.0, 18.2, 17.0)),
            Softbox((46, -14, 20), (0, 0, 10), 14, 46, (3.2, 3.3, 3.5)),
        ),
        sky=room((0.5, 0.48, 0.47), (0.28, 0.2, 0.17)),
        exposure=0.85,
    )
