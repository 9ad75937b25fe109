"""What clean edges cost and bring: `python -m benchmarks edges`.

One core, no network: a matte is given in its place. Times are processor seconds, so that a busy
machine disturbs them little, and the steps of each round follow one another, so that what it does
disturb it disturbs alike. Ratios are medians over rounds.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import ParamSpec, TypeVar

import cv2
import numpy as np
from PIL import Image

from benchmarks.edge_scenes import (
    PALETTES,
    band_around_edges,
    on_white,
    render_scene,
    small_matte,
)
from imaging.compose.compose import compose
from imaging.compose.composition import Look
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.encode import DEFAULT_QUALITY, PictureFormat, encode_picture
from imaging.matting.prepare import to_model_input
from imaging.matting.refine import cut_out
from imaging.types import Photo, Pixels

P = ParamSpec("P")
T = TypeVar("T")

_STEPS = ("decode", "prepare", "refine", "compose", "encode")
_SCENE_PX = 2000


@dataclass(slots=True)
class Round:
    """Processor seconds of one photo's steps."""

    seconds: dict[str, float] = field(default_factory=dict)  # by the step's name

    def timed(self, name: str, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a step and keep its time."""
        start_s = time.process_time()
        result = step(*args, **kwargs)
        self.seconds[name] = time.process_time() - start_s
        return result


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--photo", type=Path, help="a photo instead of a rendered scene")
    parser.add_argument("--matte", type=Path, help="its matte; needed with --photo")
    parser.add_argument("--matte-px", type=int, default=320, help="side of the network's matte")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[4.0, 12.0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--skip-quality", action="store_true", help="measure cost only")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Run what was asked for and print the tables."""
    if (arguments.photo is None) != (arguments.matte is None):
        raise SystemExit("error: --photo and --matte go together")
    cv2.setNumThreads(1)
    for megapixels in arguments.megapixels:
        file, matte = photo_and_matte(arguments, megapixels)
        _print_cost(file, matte, arguments.rounds)
    if not arguments.skip_quality:
        _print_quality()


def photo_and_matte(arguments: argparse.Namespace, megapixels: float) -> tuple[bytes, Pixels]:
    """Return a JPEG of so many megapixels and the matte that a network would give."""
    if arguments.photo is None:
        side_px = round((megapixels * 1e6) ** 0.5)
        scene = render_scene(0, side_px)
        rgb, alpha = scene.rgb, scene.alpha
    else:
        image = Image.open(arguments.photo).convert("RGB")
        factor = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        size = round(image.width * factor), round(image.height * factor)
        rgb = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
        alpha = np.asarray(Image.open(arguments.matte).convert("L"))
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=DEFAULT_QUALITY, subsampling="4:4:4")
    return buffer.getvalue(), small_matte(alpha, arguments.matte_px)


def render(file: bytes, matte: Pixels, clock: Round) -> bytes:
    """Lead a photo through all of the gateway's steps, each timed; return the file on white."""
    photo = clock.timed("decode", decode_photo, file, PhotoLimits())
    height, width = matte.shape
    seen = clock.timed("prepare", to_model_input, photo, width, height)
    cut = clock.timed("refine", cut_out, matte, seen[0], photo)
    made = clock.timed("compose", compose, cut, photo, Look())
    return clock.timed("encode", encode_picture, made.pixels, PictureFormat.JPEG, DEFAULT_QUALITY)


def _print_cost(file: bytes, matte: Pixels, rounds: int) -> None:
    photo = decode_photo(file, PhotoLimits())
    pixels = photo.width_px * photo.height_px
    codec_s: list[float] = []
    steps: list[Round] = []
    for _ in range(rounds):
        alone, clock = Round(), Round()
        again = alone.timed("decode", decode_photo, file, PhotoLimits())
        alone.timed("encode", encode_picture, again.rgb, PictureFormat.JPEG, DEFAULT_QUALITY)
        render(file, matte, clock)
        codec_s.append(sum(alone.seconds.values()))
        steps.append(clock)
    print(f"\n{photo.width_px}x{photo.height_px}, {pixels / 1e6:.1f} megapixels, {len(file)} bytes")
    print(f"{'step':24}{'ms':>8}{'of codec':>10}")
    print(f"{'decode and encode alone':24}{1000 * median(codec_s):8.1f}{1:10.2f}")
    for name in _STEPS:
        taken_s = [clock.seconds[name] for clock in steps]
        ratio = median(s / alone_s for s, alone_s in zip(taken_s, codec_s, strict=True))
        print(f"{name:24}{1000 * median(taken_s):8.1f}{ratio:10.2f}")
    totals_s = [sum(clock.seconds.values()) for clock in steps]
    ratio = median(s / alone_s for s, alone_s in zip(totals_s, codec_s, strict=True))
    print(f"{'all steps':24}{1000 * median(totals_s):8.1f}{ratio:10.2f}")
    with multiprocessing.get_context("spawn").Pool(1) as fresh:
        peak_bytes = fresh.apply(_peak_bytes, (file, matte))
    print(f"peak memory: {peak_bytes / 2**20:.0f} MiB, {peak_bytes / (3 * pixels):.1f} x decoded")


def _peak_bytes(file: bytes, matte: Pixels) -> int:
    """Return by how much one photo raises a fresh process's largest resident size."""
    cv2.setNumThreads(1)
    # A small photo first, so that libraries loaded on first use do not count as the photo's.
    tiny = encode_picture(np.zeros((64, 64, 3), np.uint8), PictureFormat.JPEG, DEFAULT_QUALITY)
    render(tiny, np.full((8, 8), 255, np.uint8), Round())
    before = _largest_resident_bytes()
    render(file, matte, Round())
    return _largest_resident_bytes() - before


def _largest_resident_bytes() -> int:
    # Not getrusage's figure: Linux hands that one down from the process that started this one.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise LookupError("this system does not tell a process's largest resident size")


def _print_quality() -> None:
    """Print the edge band's mean error on white, of 255 steps, per scene and matte."""
    print(f"\nerror on white in the edge band, {_SCENE_PX}x{_SCENE_PX} (of 255)")
    print(f"{'scene':>6}{'matte':>7}{'bicubic':>9}{'guided':>8}{'+colours':>10}{'better':>8}")
    for number in range(len(PALETTES)):
        scene = render_scene(number, _SCENE_PX)
        exact = on_white(scene.foreground, scene.alpha)
        for matte_px in (320, 256):
            matte = small_matte(scene.alpha, matte_px)
            band = band_around_edges(scene.alpha, -(-_SCENE_PX // matte_px))
            plain = cv2.resize(matte, (_SCENE_PX, _SCENE_PX), interpolation=cv2.INTER_CUBIC)
            photo = Photo(scene.rgb)
            cut = cut_out(matte, to_model_input(photo, matte_px, matte_px)[0], photo)
            bicubic, guided, colours = (
                float(np.abs(on_white(rgb, alpha) - exact)[band].mean())
                for rgb, alpha in (
                    (scene.rgb, np.asarray(plain, np.uint8)),
                    (scene.rgb, cut.alpha),
                    (cut.foreground, cut.alpha),
                )
            )
            print(
                f"{number:6}{matte_px:7}{bicubic:9.2f}{guided:8.2f}{colours:10.2f}"
                f"{bicubic / colours:7.1f}x"
            )
