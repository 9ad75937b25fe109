"""How good the model's mattes are, before and after cleaning: `python -m benchmarks matte-quality`.

Each photo of a folder, `NAME.jpg` or `NAME.png` beside `NAME.matte.png`, goes through the network
at the network's own size, on the CPU. So do rendered backgrounds without a product. Reference
mattes go through the cleaning alone, which must leave them unchanged.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any

import cv2
import numpy as np
from PIL import Image

from benchmarks.empty_backgrounds import render_backgrounds
from benchmarks.limits.network import open_session
from benchmarks.rounds import processor_seconds
from benchmarks.table import as_table
from export.measures import agreement
from export.photos import SUFFIX
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo, decode_preview
from imaging.matting.clean import clean_matte
from imaging.matting.confidence import CUT_AT, confidence
from imaging.matting.prepare import to_model_input
from imaging.matting.presence import has_product
from imaging.resample import resample
from imaging.types import Pixels

_ROOT = Path(__file__).resolve().parents[1]
_ENDINGS = (".jpg", ".png", ".webp")
_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class _Cut:
    """One photo's mattes, each (h, w) uint8."""

    name: str
    matte: Pixels
    cleaned: Pixels
    reference: Pixels


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--photos",
        type=Path,
        nargs="+",
        default=[_ROOT / "samples"],
        help="folders of photos with reference mattes (default: the samples)",
    )
    parser.add_argument(
        "--model", type=Path, default=_ROOT / "model_repository" / "matte" / "1" / "model.onnx"
    )
    parser.add_argument(
        "--empty", type=Path, nargs="*", default=[], help="folders of photos without a product"
    )
    parser.add_argument(
        "--previews",
        action="store_true",
        help="show the network previews of JPEG files, as the gateway does with large ones",
    )


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Cut every picture and print the tables."""
    cv2.setNumThreads(1)
    if not arguments.model.is_file():
        raise SystemExit(f"error: no model at {arguments.model}")
    network = _Network(arguments.model, previews=arguments.previews)
    mattes = [path for folder in arguments.photos for path in sorted(folder.glob(f"*{SUFFIX}"))]
    if not mattes:
        raise SystemExit(f"error: no NAME{SUFFIX} in {', '.join(map(str, arguments.photos))}")
    cuts = [_cut(path, network) for path in mattes]
    rows = [_quality(cut) for cut in cuts]
    figures = [name for name, value in rows[0].items() if isinstance(value, float)]
    means = {name: mean(row[name] for row in rows) for name in figures}
    print("\nthe network's mattes, before and after cleaning, and their confidence")
    print(as_table([*rows, {"photo": "mean", **means}]))
    reached, stated = ([row[name] for row in rows] for name in ("IoU cleaned", "confidence"))
    error = mean(abs(a - b) for a, b in zip(reached, stated, strict=True))
    print(f"confidence against IoU: mean absolute error {error:.3f}", end="")
    print(f", rank correlation {rank_correlation(reached, stated):.3f}" if len(cuts) > 1 else "")
    print("\nreference mattes, cleaned: changes in percent of their mass")
    print(as_table([_cleaning(cut) for cut in cuts]))
    grounds = {
        name: rgb[None] for name, rgb in render_backgrounds(network.width, network.height).items()
    } | {
        path.stem[:25]: network.input_of(path)
        for folder in arguments.empty
        for path in sorted(folder.glob("*"))
        if path.suffix in _ENDINGS
    }
    empty = [_emptiness(name, network(seen)) for name, seen in grounds.items()]
    print(f"\npictures without a product\n{as_table(empty)}")
    print(f"{sum(row['accepted'] == 'no' for row in empty)} of {len(empty)} refused")
    steps = (clean_matte, confidence, has_product)
    timed = {(step, cut.name): partial(step, cut.matte) for step in steps for cut in cuts}
    taken_s = processor_seconds(timed, _ROUNDS)
    costs = [
        {
            "step": step.__name__,
            "ms": 1000 * median(mean(taken_s[step, cut.name]) for cut in cuts),
        }
        for step in steps
    ]
    print(f"\nprocessor time on one matte, median over the photos\n{as_table(costs)}")


class _Network:
    """The network on one thread: (1, h, w, 3) uint8 to (h, w) uint8."""

    def __init__(self, model: Path, *, previews: bool = False) -> None:
        self._previews = previews
        self._session = open_session(str(model), 1)
        _, self.height, self.width, _ = self._session.get_inputs()[0].shape

    def __call__(self, seen: Pixels) -> Pixels:
        return np.asarray(self._session.run(None, {"photo": seen})[0][0, :, :, 0], np.uint8)

    def input_of(self, path: Path) -> Pixels:
        """Decode a photo and scale it to the network's size."""
        data, limits = path.read_bytes(), PhotoLimits()
        photo = None
        if self._previews:
            photo = decode_preview(data, limits, 2 * self.width, 2 * self.height)
        photo = photo or decode_photo(data, limits)
        return to_model_input(photo, self.width, self.height)


def _cut(matte_path: Path, network: _Network) -> _Cut:
    name = matte_path.name.removesuffix(SUFFIX)
    path = next((p for end in _ENDINGS if (p := matte_path.with_name(name + end)).is_file()), None)
    if path is None:
        raise SystemExit(f"error: {matte_path} has no photo beside it")
    matte = network(network.input_of(path))
    reference = resample(
        np.asarray(Image.open(matte_path).convert("L")), network.width, network.height
    )
    return _Cut(name, matte, clean_matte(matte), reference)


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's rank correlation of two lists of one length without ties, -1 to 1."""
    one, other = (np.argsort(np.argsort(values)).astype(float) for values in (first, second))
    return float(np.corrcoef(one, other)[0, 1])


def _accepted(matte: Pixels) -> dict[str, Any]:
    return {
        "confidence": confidence(matte),
        "accepted": "yes" if has_product(matte) else "no",
    }


def _quality(cut: _Cut) -> dict[str, Any]:
    before, after = (
        agreement(each / 255, cut.reference / 255) for each in (cut.matte, cut.cleaned)
    )
    return {
        "photo": cut.name,
        "IoU": before.iou,
        "IoU cleaned": after.iou,
        "MAE": before.mae,
        "MAE cleaned": after.mae,
        **_accepted(cut.cleaned),
    }


def _cleaning(cut: _Cut) -> dict[str, Any]:
    cleaned = clean_matte(cut.reference)
    percent = max(int(cut.reference.sum(dtype=np.int64)), 1) / 100
    return {
        "photo": cut.name,
        "IoU": agreement(cleaned / 255, cut.reference / 255).iou,
        "lost": cv2.subtract(cut.reference, cleaned).sum(dtype=np.int64) / percent,
        "gained": cv2.subtract(cleaned, cut.reference).sum(dtype=np.int64) / percent,
    }


def _emptiness(name: str, found: Pixels) -> dict[str, Any]:
    matte = clean_matte(found)
    cut_percent = 100 * float((matte >= CUT_AT).mean())
    return {"picture": name, "highest": int(matte.max()), "cut, %": cut_percent, **_accepted(matte)}
