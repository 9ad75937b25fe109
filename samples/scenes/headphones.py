"""Wired headphones with walnut cups, standing on a desk before a sage wall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samples.curves import circle, rounded_rectangle, spline
from samples.solids import lathe, sheet, slab, sweep
from samples.stage import Camera, Part, Scene, Softbox, room, surface
from samples.textures import Bitmap, leather, plaster, wood

if TYPE_CHECKING:
    from samples.meshes import Mesh

CUP_X, CUP_Z, CUP_RADIUS = 7.6, 4.09, 4.0


def _arc(width: float, height: float, start: float, end: float, count: int = 72) -> np.ndarray:
    """Part of an ellipse standing over the ears, from the right (0) to the left (180 degrees)."""
    angle = np.radians(np.linspace(start, end, count))
    return np.stack([width * np.cos(angle), 0 * angle, 9.2 + height * np.sin(angle)], 1)


def _cup(side: int) -> tuple[Mesh, Mesh, Mesh]:
    """Shell, ring and cushion of one ear; `side` is 1 for the right, -1 for the left."""
    shell = lathe(
        [
            (CUP_RADIUS - 0.05, 0.0, 0),
            (CUP_RADIUS, 0.15, 0.1),
            (CUP_RADIUS - 0.1, 1.0, 0.5),
            (2.9, 2.0, 1.2),
            (0.0, 2.2, 0),
        ],
        128,
    ).mapped(1, 0, 9.0)
    ring = lathe(
        [
            (3.0, -0.4, 0),
            (CUP_RADIUS + 0.08, -0.4, 0.08),
            (CUP_RADIUS + 0.08, 0.1, 0.08),
            (3.0, 0.1, 0),
        ],
        128,
    )
    cushion = lathe(
        [
            (2.0, -0.3, 0),
            (CUP_RADIUS - 0.1, -0.3, 0.3),
            (CUP_RADIUS + 0.1, -1.2, 1.0),
            (CUP_RADIUS - 0.3, -2.3, 1.0),
            (2.5, -2.4, 0.8),
            (1.9, -1.2, 0.3),
            (0.0, -1.0, 0),
        ][::-1],
        128,
    )
    place = (side * CUP_X, 0, CUP_Z)
    return tuple(m.turned("y", 90 * side).moved(place) for m in (shell, ring, cushion))  # type: ignore[return-value]


def _yoke(side: int) -> tuple[Mesh, Mesh]:
    """The fork that holds a cup, and the slider that holds the fork."""
    angle = np.radians(np.linspace(-8, 188, 64))
    radius = CUP_RADIUS + 0.42
    x = side * (CUP_X + 0.1)
    fork = np.stack([0 * angle + x, radius * np.cos(angle), CUP_Z + radius * np.sin(angle)], 1)
    section = rounded_rectangle(0.8, 0.34, 0.12, 4)
    rod = np.array([(x, 0, CUP_Z + radius - 0.1), (x, 0, 9.5), (side * 7.75, 0, 10.6)])
    flat = rounded_rectangle(0.36, 0.9, 0.12, 4)
    return sweep(fork, section), sweep(spline(rod, 8), flat)


def build() -> Scene:
    """The scene."""
    walnut = wood(31, ["#2a150b", "#5a3219", "#7f4d2b"], planks=1, rings=14)[0]
    hide = Bitmap(leather(7), (14, 3))
    shell = surface(Bitmap(walnut), roughness=0.3, coat=0.7)
    steel = surface("#c9c6c0", roughness=0.24, metallic=1.0)
    tan = surface("#9a5f38", roughness=0.5, bump=hide, depth=0.006)
    soft = surface("#2b2826", roughness=0.55, bump=Bitmap(leather(9), (12, 6)), depth=0.006)
    black = surface("#171717", roughness=0.45)

    band = sweep(_arc(7.75, 9.6, 6, 174), rounded_rectangle(0.22, 2.5, 0.1, 4))
    pad = sweep(_arc(7.3, 9.05, 24, 156), rounded_rectangle(0.95, 2.7, 0.4, 6))
    cable = spline(
        [
            (-7.9, -1.2, 0.9),
            (-8.2, -2.4, 0.25),
            (-7.2, -5.0, 0.14),
            (-3.0, -6.2, 0.14),
            (1.5, -4.6, 0.14),
            (3.4, -2.2, 0.14),
            (1.6, -0.8, 0.14),
            (-0.8, -2.2, 0.14),
            (0.8, -5.6, 0.2),
            (4.6, -7.2, 0.14),
            (8.3, -6.4, 0.2),
        ],
        16,
    )
    ends = spline([(8.2, -6.42, 0.24), (9.6, -6.1, 0.24)], 4)
    tip = spline([(9.5, -6.13, 0.24), (10.7, -5.85, 0.24)], 4)
    parts = [
        Part(band, surface("#2a2b2d", roughness=0.32, metallic=0.6)),
        Part(pad, tan),
        Part(sweep(cable, circle(0.14, 16)), black),
        Part(sweep(ends, circle(0.24, 24)), steel),
        Part(sweep(tip, circle(0.12, 24)), surface("#d9b877", roughness=0.2, metallic=1.0)),
    ]
    for side in (-1, 1):
        cup, ring, cushion = _cup(side)
        parts += [Part(cup, shell), Part(ring, steel), Part(cushion, soft)]
        parts += [Part(mesh, steel) for mesh in _yoke(side)]
    product = tuple(Part(part.mesh.turned("z", 28), part.material) for part in parts)

    wall, marks = plaster(33, "#9fb09a", contrast=3)
    oak, grain = wood(36, ["#8a6a47", "#c19d72", "#dcc09a"], planks=4, size=2048)
    surroundings = (
        Part(
            sheet(220, 140, texture=110).turned("z", 6).moved((0, 20, 0)),
            surface(Bitmap(oak), roughness=0.45, bump=Bitmap(grain), depth=0.02),
        ),
        Part(
            sheet(300, 200, texture=80).turned("x", 90).moved((0, 52, 60)),
            surface(Bitmap(wall), roughness=0.9, bump=Bitmap(marks), depth=0.04),
        ),
        *(
            Part(
                slab(w, 15, h, corner=0.5, edge=0.3).turned("z", turn).moved((25, 44, z)),
                surface(colour, roughness=0.7),
            )
            for w, h, z, turn, colour in (
                (22, 3.0, 0, 4, "#d9d2c3"),
                (20, 2.4, 3.0, -5, "#3f5c66"),
                (19, 3.4, 5.4, 2, "#c8893c"),
            )
        ),
    )
    return Scene(
        size=(1000, 1000),
        camera=Camera(
            position=(0, -62, 22),
            target=(0.4, 0, 9.0),
            view_degrees=21.8,
            focus=(0, -3, 9),
            aperture=0.4,
        ),
        product=product,
        surroundings=surroundings,
        lights=(
            Softbox((-50, -30, 52), (0, 0, 8), 40, 50, (11.0, 11.3, 11.8)),
            Softbox((50, -24, 24), (0, 0, 8), 16, 60, (3.4, 3.2, 3.0)),
        ),
        sky=room((0.6, 0.6, 0.6), (0.22, 0.2, 0.17), ((-150, 30, 40, 50, (0.8, 0.8, 0.8)),)),
        exposure=0.85,
    )
