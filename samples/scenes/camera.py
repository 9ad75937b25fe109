"""A rangefinder camera on a linen cloth by a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samples.labels import print_label
from samples.solids import ball, knurled, lathe, sheet, slab
from samples.stage import Camera, Part, Scene, Softbox, room, surface
from samples.textures import Bitmap, leather, linen, noise, plaster

if TYPE_CHECKING:
    from samples.meshes import Mesh

FRONT = -1.75  # y of the body's front, cm
AXIS = 3.75  # height of the lens, cm


def _forward(mesh: Mesh, distance: float, x: float = 0.0, z: float = AXIS) -> Mesh:
    """A mesh about the z axis turned to the front, its foot `distance` before the body."""
    return mesh.turned("x", 90).moved((x, FRONT - distance, z))


def _lens() -> list[Part]:
    black = surface("#141414", roughness=0.36)
    chrome = surface("#cfcdc8", roughness=0.2, metallic=1.0)
    scale = Bitmap(
        print_label(
            (2400, 120),
            "#161616",
            [
                ((k + 0.5) / 21, 0.5, 0.5, "#d9a441" if k % 7 == 0 else "#e8e6e0", text)
                for k, text in enumerate(["16", "11", "8", "5.6", "4", "2.8", "2"] * 3)
            ],
        )[::-1]
    )
    glass = surface("#0c0a18", roughness=0.03, coat=1.0)
    steps: list[tuple[Mesh, float, dict[str, object]]] = [
        (lathe([(0, 0, 0), (2.75, 0, 0.05), (2.75, 0.45, 0.1), (0, 0.45, 0)], 128), 0.0, chrome),
        (lathe([(0, 0, 0), (2.5, 0, 0), (2.5, 0.62, 0.04), (0, 0.62, 0)], 160), 0.4, black),
        (knurled(2.62, 1.0, 44, tooth=0.11, edge=0.1), 1.0, black),
        (
            lathe([(2.2, 0, 0), (2.42, 0.0, 0.02), (2.42, 0.62, 0.02), (2.2, 0.62, 0)], 160),
            1.95,
            surface(scale, roughness=0.4),
        ),
        (knurled(2.45, 0.42, 60, tooth=0.07, edge=0.06), 2.55, chrome),
        (
            lathe(
                [
                    (2.2, 0, 0),
                    (2.36, 0.0, 0.03),
                    (2.36, 0.75, 0.08),
                    (2.15, 0.75, 0.05),
                    (1.5, -0.1, 0),
                ],
                128,
            ),
            2.95,
            black,
        ),
        (ball(2.4, 96).scaled((0.68, 0.68, 0.2)), 2.78, glass),
    ]
    return [Part(_forward(mesh, y), material) for mesh, y, material in steps]


def _dials(top: float) -> list[Part]:
    chrome = surface("#c7c5c0", roughness=0.26, metallic=1.0)
    black = surface("#161616", roughness=0.4)
    speed = knurled(0.95, 0.62, 48, tooth=0.06, edge=0.06).moved((3.0, 0.1, top))
    rewind = knurled(0.9, 0.5, 40, tooth=0.08, edge=0.06).moved((-5.0, 0, top))
    button = lathe([(0, 0, 0), (0.62, 0, 0.05), (0.55, 0.3, 0.1), (0, 0.3, 0)], 64)
    release = lathe([(0, 0.2, 0), (0.34, 0.2, 0), (0.34, 0.55, 0.12), (0, 0.5, 0)], 48)
    lever = slab(2.6, 0.55, 0.2, corner=0.27, edge=0.06).moved((5.4, -0.6, top + 0.28))
    hub = lathe([(0, 0, 0), (0.8, 0, 0.05), (0.8, 0.3, 0.1), (0, 0.32, 0)], 64)
    shoe = slab(1.9, 1.8, 0.18, corner=0.12, edge=0.05).moved((-1.0, 0.1, top))
    place = (4.55, -0.75, top)
    return [
        Part(speed, chrome),
        Part(rewind, chrome),
        Part(button.moved(place), chrome),
        Part(release.moved(place), chrome),
        Part(lever, chrome),
        Part(hub.moved((5.5, 0.35, top)), chrome),
        Part(shoe, black),
    ]


def _body() -> list[Part]:
    silver = surface("#bdbbb6", roughness=0.34, metallic=1.0)
    hide = surface("#1d1b1a", roughness=0.5, bump=Bitmap(leather(12, pebble=7), (6, 1)), depth=0.02)
    black = surface("#101010", roughness=0.1, coat=1.0)
    rim = surface("#1a1a1a", roughness=0.4)
    window = surface("#1b2a33", roughness=0.03, coat=1.0)
    foot = slab(13.6, 3.5, 0.9, corner=1.7, edge=0.15)
    waist = slab(13.5, 3.42, 5.4, corner=1.68, edge=0.05).moved((0, 0, 0.8))
    plate = slab(13.6, 3.5, 2.0, corner=1.7, edge=0.22).moved((0, 0, 6.1))
    pane = slab(1.7, 1.1, 0.1, corner=0.16, edge=0.04)
    small = slab(0.8, 0.7, 0.1, corner=0.14, edge=0.04)
    frame = slab(1.95, 1.35, 0.12, corner=0.2, edge=0.05)
    timer = slab(0.5, 2.0, 0.25, corner=0.24, edge=0.08)
    timer_hub = lathe([(0, 0, 0), (0.48, 0, 0.03), (0.42, 0.35, 0.1), (0, 0.38, 0)], 48)
    lug = lathe([(0, 0, 0), (0.22, 0, 0), (0.22, 0.3, 0.05), (0, 0.3, 0)], 32)
    return [
        Part(foot, silver),
        Part(waist, hide),
        Part(plate, silver),
        Part(_forward(frame, -0.04, 4.9, 7.15), rim),
        Part(_forward(pane, 0.03, 4.9, 7.15), window),
        Part(_forward(small, 0.0, 1.2, 7.2), window),
        Part(_forward(slab(1.5, 0.9, 0.08, corner=0.12, edge=0.03), 0.0, -1.3, 7.15), black),
        Part(_forward(timer, 0.3, 4.6, 3.2), silver),
        Part(_forward(timer_hub, 0.0, 4.6, 4.0), silver),
        Part(lug.turned("y", 90).moved((6.75, 0, 6.9)), silver),
        Part(lug.turned("y", -90).moved((-6.75, 0, 6.9)), silver),
    ]


def _cloth() -> Part:
    rng = np.random.default_rng(17)
    folds = noise((480, 640), rng, falloff=1.8, grain=(40, 40))
    y, x = np.mgrid[-1:1:480j, -1:1:640j]
    # Flat where the camera stands, or it would sink in.
    calm = 1 - np.exp(-(((x * 70 / 11) ** 2 + (y * 52 / 6) ** 2) ** 2))
    heights = 0.42 * (folds - folds.min()) * calm
    weave, relief = linen(19, ["#8d8878", "#c9c2b0", "#e6e0d0"], threads=128)
    material = surface(Bitmap(weave), roughness=0.95, bump=Bitmap(relief), depth=0.01)
    return Part(sheet(140, 104, heights, texture=7), material)


def build() -> Scene:
    """The scene."""
    parts = [*_body(), *_dials(8.1), *_lens()]
    product = tuple(Part(p.mesh.turned("z", 24).moved((0, 0, 0.02)), p.material) for p in parts)
    wall, marks = plaster(51, "#7d95a0", contrast=3)
    surroundings = (
        _cloth(),
        Part(
            sheet(300, 200, texture=90).turned("x", 90).moved((0, 50, 50)),
            surface(Bitmap(wall), roughness=0.9, bump=Bitmap(marks), depth=0.04),
        ),
    )
    return Scene(
        size=(2000, 1500),
        camera=Camera(
            position=(-2, -48, 19),
            target=(0, 0, 3.9),
            view_degrees=23.0,
            focus=(0, -3.5, 4.5),
            aperture=0.28,
        ),
        product=product,
        surroundings=surroundings,
        lights=(
            Softbox((-46, 8, 46), (0, 0, 3), 40, 50, (15.0, 15.4, 16.0)),
            Softbox((40, -40, 26), (0, 0, 4), 30, 30, (3.0, 2.8, 2.5)),
        ),
        sky=room((0.5, 0.5, 0.52), (0.2, 0.19, 0.17), ((-60, 20, 24, 50, (1.6, 1.6, 1.7)),)),
        exposure=0.85,
        spp=32,
    )
