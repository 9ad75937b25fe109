"""A glazed stoneware mug on a wooden table in a kitchen by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samples.curves import circle, spline
from samples.solids import lathe, sheet, slab, sweep
from samples.stage import Camera, Material, Part, Scene, Softbox, room, surface
from samples.textures import Bitmap, noise, plaster, ramp, wood

if TYPE_CHECKING:
    from samples.meshes import Mesh

GLAZE_LINE = 0.9  # height up to which the foot stays bare, cm


def _glaze() -> Material:
    """Reactive glaze: it breaks lighter where it ran thin, darker where it pooled."""
    rng = np.random.default_rng(4)
    runs = noise((512, 1024), rng, falloff=1.2, grain=(14, 5))
    specks = np.clip(noise((512, 1024), rng, falloff=0.3, grain=(3, 3)) - 2.2, 0, 1)
    tone = np.clip(0.5 + 0.17 * runs - 0.6 * specks, 0, 1)
    colours = ramp(tone, ["#0f2f3a", "#1f5a63", "#3b8585", "#74aaa0"])
    heights = (0.5 + 0.1 * noise((512, 1024), rng, falloff=1.5, grain=(20, 20))).astype(np.float32)
    return surface(
        Bitmap(colours), roughness=0.16, coat=1.0, bump=Bitmap(np.clip(heights, 0, 1)), depth=0.03
    )


def _handle() -> Mesh:
    path = spline(
        [
            (3.82, 0, 7.9),
            (5.2, 0, 8.35),
            (6.7, 0, 7.7),
            (7.25, 0, 5.9),
            (6.75, 0, 4.1),
            (5.35, 0, 2.95),
            (3.98, 0, 2.75),
        ],
        steps=10,
    )
    t = np.linspace(0, 1, len(path))
    flare = 1 + 0.45 * (np.exp(-t / 0.06) + np.exp(-(1 - t) / 0.06))
    return sweep(path, circle(0.48, 32) * np.array([1.5, 1.0]), flare)


def build() -> Scene:
    """The scene."""
    body = lathe(
        [
            (3.3, GLAZE_LINE - 0.02, 0),
            (3.98, GLAZE_LINE + 0.02, 0.14),
            (4.42, 4.9, 60.0),
            (3.86, 9.6, 0.21),
            (3.44, 9.6, 0.21),
            (3.96, 4.9, 60.0),
            (3.55, 1.3, 1.2),
            (0.0, 1.1, 0),
        ],
        segments=160,
    )
    foot = lathe(
        [
            (2.6, 0.1, 0),
            (2.75, 0.0, 0.05),
            (3.35, 0.0, 0.2),
            (3.86, GLAZE_LINE, 0.2),
            (2.9, GLAZE_LINE + 0.05, 0),
        ],
        segments=160,
    )
    glaze = _glaze()
    clay = plaster(3, "#b99776", contrast=7)[0]
    product = (
        Part(body, glaze),
        Part(_handle(), glaze),
        Part(foot, surface(Bitmap(clay, (3, 1)), roughness=0.8)),
    )

    planks, grain = wood(11, ["#3f2614", "#8a5a33", "#b98a58", "#d3aa78"], planks=4, size=2048)
    table = surface(Bitmap(planks), roughness=0.42, bump=Bitmap(grain), depth=0.02)
    wall = plaster(8, "#cfc8bb")[0]
    surroundings = (
        Part(sheet(220, 120, texture=64).turned("z", 5).moved((0, 20, 0)), table),
        Part(
            sheet(500, 300, texture=200).turned("x", 90).moved((0, 100, 60)),
            surface(Bitmap(wall), roughness=0.9),
        ),
        *(
            Part(
                slab(w, 12, h, corner=0.8, edge=0.4).turned("z", 8).moved((x, 62, 0)),
                surface(colour, roughness=0.7),
            )
            for x, w, h, colour in (
                (-26, 4, 21, "#7c3b2e"),
                (-21.4, 3.4, 24, "#d8c9a8"),
                (-17, 4.6, 20, "#44606b"),
            )
        ),
        Part(
            lathe(
                [(4, 0, 0), (6, 0, 0.5), (8, 9, 3), (4, 15, 3), (4.6, 19, 0.3), (0, 18, 0)]
            ).moved((21, 58, 0)),
            surface("#d9b08c", roughness=0.45),
        ),
    )
    return Scene(
        size=(1200, 900),
        camera=Camera(
            position=(3.5, -54, 13.5),
            target=(1.4, 0, 5.2),
            view_degrees=19.5,
            focus=(1, -3.6, 6),
            aperture=0.5,
        ),
        product=tuple(Part(p.mesh.turned("z", -28), p.material) for p in product),
        surroundings=surroundings,
        lights=(
            Softbox((-52, -24, 30), (0, 0, 5), 40, 56, (11.0, 11.5, 12.3)),
            Softbox((10, 50, 100), (0, 90, 10), 100, 30, (5.0, 4.6, 4.0)),
        ),
        sky=room((0.55, 0.55, 0.56), (0.2, 0.17, 0.14), ((70, 25, 30, 60, (1.2, 1.1, 1.0)),)),
        exposure=0.85,
    )
