"""What clean edges cost and what they improve: `python -m benchmarks edges`.

The steps run on one core, without a network: a matte takes its place. Times are processor seconds.
Ratios are medians over rounds. With `--model`, that network's own mattes of photos whose alpha is
known are measured instead, at the photos' full size.
"""

import argparse
import multiprocessing
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from statistics import mean, median
from typing import Any

import cv2
import numpy as np
from PIL import Image

from benchmarks.edge_errors import edge_errors
from benchmarks.limits.peaks import open_session
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
from imaging.compose.composition import Look
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.encode import DEFAULT_QUALITY, PictureFormat, encode_picture
from imaging.matting.clean import clean_matte
from imaging.matting.prepare import to_model_input
from imaging.matting.refine import cut_out, to_photo_size
from imaging.types import Photo, Pixels

_SCENE_PX = 2000
_BAND_CELLS = 320  # the band around what is soft is one of so many wide
_SAMPLES = Path(__file__).resolve().parents[1] / "samples"
_SUFFIX, _ENDINGS = ".matte.png", (".jpg", ".png")


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--photo", type=Path, help="a photo instead of a rendered scene")
    parser.add_argument("--matte", type=Path, help="its matte; needed with --photo")
    parser.add_argument("--matte-px", type=int, default=320, help="side of the network's matte")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[4.0, 12.0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--skip-quality", action="store_true", help="measure cost only")
    parser.add_argument("--model", type=Path, help="an ONNX file, whose mattes are measured")
    parser.add_argument(
        "--photos",
        type=Path,
        default=_SAMPLES,
        help=f"with --model: NAME.jpg or .png beside NAME{_SUFFIX} (default: the samples)",
    )


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure cost and quality, and print the tables."""
    if (arguments.photo is None) != (arguments.matte is None):
        raise SystemExit("error: --photo and --matte go together")
    cv2.setNumThreads(1)
    if arguments.model is not None:
        print(as_table(network_rows(arguments.model, arguments.photos)))
        return
    for megapixels in arguments.megapixels:
        _print_cost(*photo_and_matte(arguments, megapixels), arguments.rounds)
    if not arguments.skip_quality:
        print(f"\nmean error on white in the edge band, {_SCENE_PX}x{_SCENE_PX} (of 255)")
        scenes = range(len(PALETTES))
        print(as_table([_quality(scene, side) for scene in scenes for side in (320, 256)]))


def network_rows(model: Path, folder: Path) -> list[dict[str, Any]]:
    """Measure a network's mattes in the edge band, enlarged without and with the photo's help."""
    session = open_session(str(model), 1)
    _, height, width, _ = session.get_inputs()[0].shape
    rows: dict[str, list[dict[str, Any]]] = {"bicubic": [], "served": []}
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        name = path.name.removesuffix(_SUFFIX)
        file = next(one for end in _ENDINGS if (one := folder / (name + end)).is_file())
        photo = decode_photo(file.read_bytes(), PhotoLimits())
        exact = np.asarray(Image.open(path).convert("L"))
        band = band_around_edges(exact, -(-max(exact.shape) // _BAND_CELLS))
        seen = to_model_input(photo, width, height)
        matte = clean_matte(np.asarray(session.run(None, {"photo": seen})[0][0, :, :, 0], np.uint8))
        size = exact.shape[::-1]
        alphas = {
            "bicubic": np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_CUBIC), np.uint8),
            "served": to_photo_size(matte, seen[0], photo),
        }
        for way, alpha in alphas.items():
            errors = edge_errors(photo.rgb, alpha, exact, band)
            rows[way].append({"photo": name, "way": way, **errors})
    if not rows["served"]:
        raise SystemExit(f"error: no NAME{_SUFFIX} in {folder}")
    figures = [name for name, value in rows["served"][0].items() if isinstance(value, float)]
    means = [
        {"photo": "mean", "way": way} | {name: mean(row[name] for row in own) for name in figures}
        for way, own in rows.items()
    ]
    return [*(row for pair in zip(*rows.values(), strict=True) for row in pair), *means]


def photo_and_matte(arguments: argparse.Namespace, megapixels: float) -> tuple[bytes, Pixels]:
    """Return a JPEG file of the given size and the matte that a network would return."""
    if arguments.photo is None:
        scene = render_scene(0, round((megapixels * 1e6) ** 0.5))
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


def cost_rows(
    steps: Mapping[str, Callable[[], object]],
    codec: Mapping[str, Callable[[], object]],
    rounds: int,
) -> list[dict[str, Any]]:
    """Time steps beside decoding and encoding alone, in the same rounds."""
    alone = {f"codec {name}": step for name, step in codec.items()}
    taken_s = processor_seconds({**alone, **steps}, rounds)
    codec_s = [sum(one) for one in zip(*(taken_s[name] for name in alone), strict=True)]
    series = {"decode and encode alone": codec_s} | {name: taken_s[name] for name in steps}
    return [
        {"step": name, "ms": 1000 * median(own_s), "of codec": median(ratios(own_s, codec_s))}
        for name, own_s in series.items()
    ]


def _render(file: bytes, matte: Pixels) -> bytes:
    """Take a photo through all steps of the gateway; return the file on white."""
    photo = decode_photo(file, PhotoLimits())
    seen = to_model_input(photo, *matte.shape[::-1])
    made = compose(cut_out(matte, seen[0], photo), photo, Look())
    return encode_picture(made.pixels, PictureFormat.JPEG, DEFAULT_QUALITY)


def _print_cost(file: bytes, matte: Pixels, rounds: int) -> None:
    photo = decode_photo(file, PhotoLimits())
    seen = to_model_input(photo, *matte.shape[::-1])
    cut = cut_out(matte, seen[0], photo)
    made = compose(cut, photo, Look())
    jpeg = (PictureFormat.JPEG, DEFAULT_QUALITY)
    codec: dict[str, Callable[[], object]] = {
        "decode": lambda: decode_photo(file, PhotoLimits()),
        "encode": lambda: encode_picture(photo.rgb, *jpeg),
    }
    steps: dict[str, Callable[[], object]] = {
        "decode": lambda: decode_photo(file, PhotoLimits()),
        "prepare": lambda: to_model_input(photo, *matte.shape[::-1]),
        "refine": lambda: cut_out(matte, seen[0], photo),
        "compose": lambda: compose(cut, photo, Look()),
        "encode": lambda: encode_picture(made.pixels, *jpeg),
        "all steps": lambda: _render(file, matte),
    }
    pixels = photo.width_px * photo.height_px
    print(f"\n{photo.width_px}x{photo.height_px}, {pixels / 1e6:.1f} megapixels, {len(file)} bytes")
    print(as_table(cost_rows(steps, codec, rounds)))
    with multiprocessing.get_context("spawn").Pool(1) as fresh:
        peak_bytes = fresh.apply(_peak_bytes, (file, matte))
    print(f"peak memory: {peak_bytes / 2**20:.0f} MiB, {peak_bytes / (3 * pixels):.1f} x decoded")


def _peak_bytes(file: bytes, matte: Pixels) -> int:
    """Return by how much one photo raises the peak resident size of a fresh process."""
    cv2.setNumThreads(1)
    # A small photo first, so that libraries that load on first use do not count as the photo's.
    tiny = encode_picture(np.zeros((64, 64, 3), np.uint8), PictureFormat.JPEG, DEFAULT_QUALITY)
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
