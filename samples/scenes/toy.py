"""A wooden stacking toy on a nursery shelf, taken with a phone held upright."""

from __future__ import annotations

import numpy as np

from samples.solids import ball, lathe, sheet, slab
from samples.stage import Camera, Part, Scene, Softbox, room, surface
from samples.textures import Bitmap, noise, plaster, wood

COLOURS = ("#b8443a", "#d9803a", "#e3b44c", "#6f9a6b", "#3f7d86", "#4a5a8c")


def _paint(colour: str, seed: int) -> Bitmap:
    """Milk paint on wood: a trace of the grain shows through."""
    rng = np.random.default_rng(seed)
    grain = noise((512, 512), rng, falloff=0.7, grain=(2, 50))
    base = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)
    pixels = base * (1 + 0.045 * grain[..., None])
    return Bitmap(np.clip(np.round(pixels), 0, 255).astype(np.uint8))


def build() -> Scene:
    """The scene."""
    rng = np.random.default_rng(6)
    beech = wood(41, ["#a9763f", "#cfa06a", "#e2bd8c"], planks=1, rings=16)[0]
    bare = surface(Bitmap(beech), roughness=0.45, coat=0.2)
    foot = lathe([(0.0, 0.0, 0), (5.6, 0.0, 0.5), (5.6, 1.5, 0.6), (0.0, 1.6, 0)], 160)
    pole = lathe([(0.0, 1.0, 0), (0.75, 1.0, 0), (0.75, 16.5, 0.2), (0.0, 16.5, 0)], 48)
    product = [Part(foot.mapped(0, 2, 12), bare), Part(pole.mapped(0, 2, 12), bare)]
    z = 1.6
    for number, colour in enumerate(COLOURS):
        outer, tall = 5.3 - 0.5 * number, 2.35 - 0.06 * number
        ring = lathe(
            [
                (0.9, 0.15, 0),
                (outer - 0.7, 0.0, 0.4),
                (outer, tall * 0.18, 0.9),
                (outer, tall * 0.82, 0.9),
                (outer - 0.7, tall, 0.4),
                (0.9, tall - 0.15, 0),
            ],
            160,
        ).mapped(0, 2, 9)
        shift = rng.uniform(-0.09, 0.09, 2)
        ring = ring.turned("z", rng.uniform(0, 360)).moved((*shift, z))
        product.append(Part(ring, surface(_paint(colour, number), roughness=0.38, coat=0.35)))
        z += tall
    knob = ball(1.75, 96).moved((0, 0, z + 1.45)).mapped(0, 2, 9)
    product.append(Part(knob, bare))

    board, grain = wood(44, ["#b9926a", "#d8b890", "#ead3b2"], planks=3, size=2048)
    wall, marks = plaster(43, "#a9c0cc", contrast=3)
    surroundings = (
        Part(
            sheet(180, 90, texture=46).moved((0, 12, 0)),
            surface(Bitmap(board), roughness=0.5, bump=Bitmap(grain), depth=0.02),
        ),
        Part(
            sheet(260, 200, texture=80).turned("x", 90).moved((0, 46, 60)),
            surface(Bitmap(wall), roughness=0.9, bump=Bitmap(marks), depth=0.04),
        ),
        Part(
            slab(7, 7, 7, corner=0.7, edge=0.6).turned("z", 33).moved((-12, 31, 0)),
            surface("#e2ddd2", roughness=0.5),
        ),
        Part(
            slab(6, 6, 6, corner=0.7, edge=0.6).turned("z", 12).moved((-11.5, 31, 7)),
            surface("#d8a7a0", roughness=0.5),
        ),
        Part(ball(4.2).moved((11, 27, 4.2)), surface("#dcc489", roughness=0.5)),
    )
    return Scene(
        size=(900, 1200),
        camera=Camera(
            position=(5, -70, 24),
            target=(0.2, 0, 8.9),
            view_degrees=13.6,
            focus=(0, -4.5, 9),
            aperture=0.5,
        ),
        product=tuple(product),
        surroundings=surroundings,
        lights=(
            Softbox((48, -26, 44), (0, 0, 8), 36, 44, (13.5, 13.0, 12.2)),
            Softbox((-46, -30, 26), (0, 0, 8), 20, 40, (2.6, 2.8, 3.0)),
        ),
        sky=room((0.62, 0.64, 0.66), (0.26, 0.24, 0.2)),
        exposure=0.85,
        rotated=True,
    )
