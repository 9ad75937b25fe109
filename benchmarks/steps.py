"""What the gateway's steps cost, and what clean edges improve: `python -m benchmarks steps`.

The steps run on one core, without a network: a matte takes its place. Times are processor seconds,
and given as multiples of decoding and encoding the same photo in the same round; ratios are medians
over rounds.
"""

import argparse
import multiprocessing
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import Any

import cv2
import numpy as np

from benchmarks.memory import peak_resident_bytes
from benchmarks.rendered_scenes import (
    PALETTES,
    band_around_edges,
    on_white,
    render_scene,
    small_matte,
)
from benchmarks.rounds import processor_seconds, ratios
from benchmarks.table import as_table
from imaging.compose.compose import compose
from imaging.compose.composition import (
    BackgroundPicture,
    Blur,
    LinearGradient,
    Look,
    RadialGradient,
    Scene,
    SceneKind,
    ShadowKind,
    Staging,
    Transparent,
)
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.encode import DEFAULT_QUALITY, PictureFormat, encode_picture
from imaging.matting.prepare import to_model_input
from imaging.matting.refine import cut_out
from imaging.types import WHITE, Color, Photo, Pixels

_SCENE_PX = 2000
_JPEG = (PictureFormat.JPEG, DEFAULT_QUALITY)
_PALE = Color(200, 210, 225)


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--matte-px", type=int, default=320, help="side of the network's matte")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[4.0, 12.0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--compositions", action="store_true", help="the cost of composing alone")
    parser.add_argument("--quality", action="store_true", help="the edges' quality alone")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure, and print the tables."""
    cv2.setNumThreads(1)
    if arguments.quality:
        print(f"mean error on white in the edge band, {_SCENE_PX}x{_SCENE_PX} (of 255)")
        scenes = range(len(PALETTES))
        print(as_table([_quality(scene, side) for scene in scenes for side in (320, 256)]))
        return
    for megapixels in arguments.megapixels:
        scene = render_scene(0, round((megapixels * 1e6) ** 0.5))
        file = encode_picture(scene.rgb, *_JPEG)
        # What a network would return.
        matte = small_matte(scene.alpha, arguments.matte_px)
        _print_cost(file, matte, arguments.rounds, compositions=arguments.compositions)


def _print_cost(file: bytes, matte: Pixels, rounds: int, *, compositions: bool) -> None:
    """Time steps, or compositions, beside decoding and encoding alone in the same rounds."""
    decode = partial(decode_photo, file, PhotoLimits())
    photo = decode()
    prepare = partial(to_model_input, photo, *matte.shape[::-1])
    refine = partial(cut_out, matte, prepare()[0], photo)
    cut = refine()
    made = compose(cut, photo, Look())
    steps: dict[str, Callable[[], object]] = {
        "codec, decode": decode,
        "codec, encode": partial(encode_picture, photo.rgb, *_JPEG),
    }
    if compositions:
        steps |= {name: partial(compose, cut, photo, look) for name, look in _looks().items()}
    else:
        steps |= {
            "prepare": prepare,
            "refine": refine,
            "compose": partial(compose, cut, photo, Look()),
            "encode": partial(encode_picture, made.pixels, *_JPEG),
            "all steps": partial(_render, file, matte),
        }
    taken_s = processor_seconds(steps, rounds)
    codec_s = [sum(both) for both in zip(*list(taken_s.values())[:2], strict=True)]
    pixels = photo.width_px * photo.height_px
    print(f"\n{photo.width_px}x{photo.height_px}, {pixels / 1e6:.1f} megapixels, {len(file)} bytes")
    rows = [
        {"step": name, "ms": 1000 * median(own_s), "of codec": median(ratios(own_s, codec_s))}
        for name, own_s in taken_s.items()
    ]
    print(as_table(rows))
    if not compositions:
        with multiprocessing.get_context("spawn").Pool(1) as fresh:
            peak = fresh.apply(_peak_bytes, (file, matte))
        print(f"peak memory: {peak / 2**20:.0f} MiB, {peak / (3 * pixels):.1f} x decoded")


def _looks() -> dict[str, Look]:
    """Return every background bare, and every kind of staging on white."""
    bare = Staging(shadow=ShadowKind.NONE, reflection=0.0)
    lines = np.arange(1200, dtype=np.uint8)[:, None, None]
    picture = Photo(np.ascontiguousarray(np.broadcast_to(lines, (1200, 1600, 3))))
    return {
        "white": Look(),
        "transparent": Look(Transparent()),
        "linear gradient": Look(LinearGradient((WHITE, _PALE))),
        "radial gradient": Look(RadialGradient((WHITE, _PALE))),
        "picture of 2 megapixels": Look(BackgroundPicture(picture)),
        "photo blurred": Look(Blur()),
        **{f"{kind.value}, bare": Look(Scene(kind), staging=bare) for kind in SceneKind},
        "white, contact shadow": Look(staging=Staging(shadow=ShadowKind.CONTACT)),
        "white, drop shadow": Look(staging=Staging(shadow=ShadowKind.DROP)),
        "white, reflection": Look(staging=Staging(reflection=0.3)),
        "pale, colours matched": Look(_PALE, staging=Staging(color_match=1.0)),
    }


def _render(file: bytes, matte: Pixels) -> bytes:
    """Take a photo through all steps of the gateway; return the file on white."""
    photo = decode_photo(file, PhotoLimits())
    seen = to_model_input(photo, *matte.shape[::-1])
    made = compose(cut_out(matte, seen[0], photo), photo, Look())
    return encode_picture(made.pixels, *_JPEG)


def _peak_bytes(file: bytes, matte: Pixels) -> int:
    """Return by how much one photo raises the peak resident size of a fresh process."""
    cv2.setNumThreads(1)
    # A small photo first, so that libraries that load on first use do not count as the photo's.
    tiny = encode_picture(np.zeros((64, 64, 3), np.uint8), *_JPEG)
    _render(tiny, np.full((8, 8), 255, np.uint8))
    before = peak_resident_bytes()
    _render(file, matte)
    return peak_resident_bytes() - before


def _quality(number: int, matte_px: int) -> dict[str, Any]:
    """Compare three ways to bring one scene's matte to full size."""
    scene = render_scene(number, _SCENE_PX)
    exact = on_white(scene.foreground, scene.alpha)
    matte = small_matte(scene.alpha, matte_px)
    band = band_around_edges(scene.alpha, -(-_SCENE_PX // matte_px))
    plain = cv2.resize(matte, (_SCENE_PX, _SCENE_PX), interpolation=cv2.INTER_CUBIC)
    photo = Photo(scene.rgb)
    cut = cut_out(matte, to_model_input(photo, matte_px, matte_px)[0], photo)
    ways = {
        "bicubic": (scene.rgb, np.asarray(plain, np.uint8)),
        "guided": (scene.rgb, cut.alpha),
        "+colours": (cut.foreground, cut.alpha),
    }
    errors = {
        name: float(np.abs(on_white(rgb, alpha) - exact)[band].mean())
        for name, (rgb, alpha) in ways.items()
    }
    better = errors["bicubic"] / errors["+colours"]
    return {"scene": number, "matte": matte_px, **errors, "times better": better}
