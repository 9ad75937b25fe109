"""Photograph the sample scenes: `python -m samples.render [NAME…] [--size PX] [--spp N]`."""

from __future__ import annotations

import argparse
import importlib
import time
from pathlib import Path

from samples import darkroom, tracing

SCENES = ("mug", "bottle", "headphones", "camera", "toy")
SEED = 20
MATTE_SPP = 64


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="samples.render", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCENES)}; or all")
    parser.add_argument("--size", type=int, metavar="PX", help="longer side instead of the scene's")
    parser.add_argument("--spp", type=int, metavar="N", help="light paths per pixel")
    parser.add_argument(
        "--variant",
        default="scalar_rgb",
        help="of Mitsuba; llvm_ad_rgb is ten times faster and wants LLVM 17 or newer",
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, metavar="DIR")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.names) - set(SCENES)
    if unknown:
        parser.error(f"no scene named {', '.join(sorted(unknown))}")
    return arguments


def main(argv: list[str] | None = None) -> int:
    """Render the scenes named on the command line into photos and mattes."""
    arguments = _arguments(argv)
    tracing.set_variant(arguments.variant)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or SCENES:
        start_s = time.monotonic()
        scene = importlib.import_module(f"samples.scenes.{name}").build()
        shrink = arguments.size / max(scene.size) if arguments.size else 1.0
        size = (round(scene.size[0] * shrink), round(scene.size[1] * shrink))
        spp = arguments.spp or scene.spp
        light = tracing.trace_photo(scene, size, spp, SEED)
        photo = darkroom.develop(light, scene.exposure, SEED)
        darkroom.save_photo(arguments.out / f"{name}.jpg", photo, rotated=scene.rotated)
        coverage = tracing.trace_matte(scene, size, MATTE_SPP, SEED)
        darkroom.save_matte(arguments.out / f"{name}.matte.png", coverage)
        print(
            f"{name}: {size[0]}x{size[1]}, {spp} paths per pixel, "
            f"product {coverage.mean():.0%} of the frame, {time.monotonic() - start_s:.0f} s"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
