"""Photograph each product in another one's scene: `python -m samples.swapped --out DIR`.

The pictures are for measuring only: nothing is chosen by the samples themselves.
"""

from __future__ import annotations

import argparse
import importlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from samples import darkroom, tracing
from samples.render import MATTE_SPP
from samples.stage import Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from samples.stage import Point, Scene

# Product, scene, turn of the product in degrees, longer side in pixels.
SWAPS = (
    ("mug", "camera", 40, 1400),
    ("bottle", "headphones", 25, 1200),
    ("headphones", "toy", -50, 1400),
    ("camera", "mug", -25, 1600),
    ("toy", "bottle", 35, 1200),
    ("headphones", "mug", 15, 1000),
    ("toy", "camera", -70, 1500),
    ("mug", "bottle", 150, 1000),
    ("camera", "headphones", 30, 1200),
    ("bottle", "toy", -40, 1600),
)
SPP = 32
_NOISE_SEED = 100


def swap(product: Scene, surroundings: Scene, turn_degrees: float, seed: int) -> Scene:
    """Put a product where another one stands, before a camera of another height and angle."""
    own, place = _foot(product.product), _foot(surroundings.product)
    rng = np.random.default_rng(seed)
    camera = product.camera
    position = (np.array(camera.position) - own) * (1, 1, rng.uniform(0.8, 1.25)) + place

    def moved(point: Point) -> Point:
        x, y, z = np.array(point) - own + place
        return x, y, z

    turned = (_moved(_moved(part, -own, turn_degrees), place) for part in product.product)
    return replace(
        surroundings,
        size=product.size,
        camera=replace(
            camera,
            position=tuple(position),
            target=moved(camera.target),
            focus=moved(camera.focus),
            view_degrees=camera.view_degrees * rng.uniform(0.95, 1.2),
        ),
        product=tuple(turned),
    )


def _foot(parts: Sequence[Part]) -> NDArray[np.float64]:
    """Return the middle of what parts stand on, cm."""
    vertices = np.concatenate([part.mesh.vertices for part in parts])
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    return np.array([*((low + high) / 2)[:2], low[2]])


def _moved(part: Part, by: NDArray[np.float64], turn_degrees: float = 0) -> Part:
    x, y, z = by
    return Part(part.mesh.moved((x, y, z)).turned("z", turn_degrees), part.material)


def main(argv: list[str] | None = None) -> int:
    """Render all pictures into a folder; those that are there stay."""
    parser = argparse.ArgumentParser(prog="samples.swapped", description=__doc__)
    parser.add_argument("--variant", default="scalar_rgb", help="of Mitsuba, as in samples.render")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args(argv)
    tracing.set_variant(arguments.variant)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for seed, (name, place, turn_degrees, longer_px) in enumerate(SWAPS):
        file = arguments.out / f"{name}-{place}.jpg"
        if file.exists():
            continue
        own, other = (importlib.import_module(f"samples.scenes.{one}") for one in (name, place))
        scene = swap(own.build(), other.build(), turn_degrees, seed)
        width, height = (round(each * longer_px / max(scene.size)) for each in scene.size)
        matte = tracing.trace_matte(scene, (width, height), MATTE_SPP, seed)
        darkroom.save_matte(file.with_name(f"{file.stem}.matte.png"), matte)
        light = tracing.trace_photo(scene, (width, height), SPP, seed)
        photo = darkroom.develop(light, scene.exposure, seed + _NOISE_SEED)
        darkroom.save_photo(file, photo, rotated=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
