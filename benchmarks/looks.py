"""What each background and each piece of staging costs: `python -m benchmarks looks`.

One core, no network: a matte is given in its place. Processor time of composing alone, as a
multiple of decoding and encoding the same photo in the same round; ratios are medians over rounds.
"""

import argparse
from collections.abc import Mapping
from statistics import median

import cv2
import numpy as np

from benchmarks.edges import Round, photo_and_matte
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
from imaging.types import WHITE, Color, Photo

_PALE = Color(200, 210, 225)


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--megapixels", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.set_defaults(photo=None, matte=None, matte_px=320)


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure every look and print the table."""
    cv2.setNumThreads(1)
    file, matte = photo_and_matte(arguments, arguments.megapixels)
    photo = decode_photo(file, PhotoLimits())
    cut = cut_out(matte, to_model_input(photo, *matte.shape[::-1])[0], photo)
    looks = _looks()
    rounds: list[Round] = []
    for _ in range(arguments.rounds):
        clock = Round()
        clock.timed("decode", decode_photo, file, PhotoLimits())
        clock.timed("encode", encode_picture, photo.rgb, PictureFormat.JPEG, DEFAULT_QUALITY)
        for name, look in looks.items():
            clock.timed(name, compose, cut, photo, look)
        rounds.append(clock)
    print(f"{photo.width_px}x{photo.height_px}; decode and encode alone are 1")
    print(f"{'look':32}{'ms':>8}{'of codec':>10}")
    for name in looks:
        seconds = [clock.seconds[name] for clock in rounds]
        codec_s = [clock.seconds["decode"] + clock.seconds["encode"] for clock in rounds]
        ratio = median(s / alone_s for s, alone_s in zip(seconds, codec_s, strict=True))
        print(f"{name:32}{1000 * median(seconds):8.1f}{ratio:10.2f}")


def _looks() -> dict[str, Look]:
    bare = Staging(shadow=ShadowKind.NONE, reflection=0.0)
    lines = np.arange(1200, dtype=np.uint8)[:, None, None]
    picture = BackgroundPicture(
        Photo(np.ascontiguousarray(np.broadcast_to(lines, (1200, 1600, 3))))
    )
    return {
        "white": Look(),
        "transparent": Look(Transparent()),
        "linear gradient": Look(LinearGradient((WHITE, _PALE))),
        "radial gradient": Look(RadialGradient((WHITE, _PALE))),
        "picture of 2 megapixels": Look(picture),
        "photo blurred": Look(Blur()),
        **{f"{kind.value}, bare": Look(Scene(kind), staging=bare) for kind in SceneKind},
        "white, contact shadow": Look(staging=Staging(shadow=ShadowKind.CONTACT)),
        "white, drop shadow": Look(staging=Staging(shadow=ShadowKind.DROP)),
        "white, reflection": Look(staging=Staging(reflection=0.3)),
        "pale, colours matched": Look(_PALE, staging=Staging(color_match=1.0)),
    }
