"""What each background and each kind of staging costs: `python -m benchmarks compose-cost`.

One core, no network: a matte takes its place. Processor time of composing alone, as a multiple of
decoding and encoding the same photo in the same round; ratios are medians over rounds.
"""

import argparse
from collections.abc import Callable, Mapping
from functools import partial

import cv2
import numpy as np

from benchmarks.edges import cost_rows, photo_and_matte
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
from imaging.types import WHITE, Color, Photo

_PALE = Color(200, 210, 225)


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--megapixels", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.set_defaults(photo=None, matte=None, matte_px=320)


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure every composition and print the table."""
    cv2.setNumThreads(1)
    file, matte = photo_and_matte(arguments, arguments.megapixels)
    photo = decode_photo(file, PhotoLimits())
    cut = cut_out(matte, to_model_input(photo, *matte.shape[::-1])[0], photo)
    codec: dict[str, Callable[[], object]] = {
        "decode": partial(decode_photo, file, PhotoLimits()),
        "encode": partial(encode_picture, photo.rgb, PictureFormat.JPEG, DEFAULT_QUALITY),
    }
    steps = {name: partial(compose, cut, photo, look) for name, look in _compositions().items()}
    print(f"{photo.width_px}x{photo.height_px}")
    print(as_table(cost_rows(steps, codec, arguments.rounds)))


def _compositions() -> dict[str, Look]:
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
