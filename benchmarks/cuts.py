"""How good the model's cuts are, and what cleaning makes of them: `python -m benchmarks cuts`.

Every photo of a folder, `NAME.jpg` or `NAME.png` beside `NAME.matte.png`, goes through the network
at the network's own size, on the CPU; so do rendered grounds that show no product, and reference
mattes go through the cleaning alone, which must leave them as they are.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import cv2
import numpy as np
import onnxruntime
from PIL import Image

from benchmarks.empty_grounds import render_grounds
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.matting.clean import clean_matte
from imaging.matting.confidence import CUT_AT, confidence
from imaging.matting.prepare import to_model_input
from imaging.matting.presence import has_product
from imaging.resample import resample
from imaging.types import Pixels

_ROOT = Path(__file__).resolve().parents[1]
_SUFFIX = ".matte.png"
_ENDINGS = (".jpg", ".png", ".webp")
_OPAQUE = 255
_ROUNDS = 50

Network = Callable[[Pixels], Pixels]


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


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Run what was asked for and print the tables."""
    cv2.setNumThreads(1)
    network, width, height = _load(arguments.model)
    cuts = [
        _cut(path, network, width, height)
        for folder in arguments.photos
        for path in sorted(folder.glob(f"*{_SUFFIX}"))
    ]
    if not cuts:
        raise SystemExit(f"error: no NAME{_SUFFIX} in {', '.join(map(str, arguments.photos))}")
    _print_cuts(cuts)
    _print_references(cuts)
    _print_empty(network, width, height, arguments.empty)
    _print_cost(cuts)


def _load(model: Path) -> tuple[Network, int, int]:
    """Return the network and its input's width and height."""
    if not model.is_file():
        raise SystemExit(f"error: no model at {model}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    _, height, width, _ = session.get_inputs()[0].shape

    def network(model_input: Pixels) -> Pixels:
        return np.asarray(session.run(None, {"photo": model_input})[0][0, :, :, 0], np.uint8)

    return network, width, height


def _cut(matte_path: Path, network: Network, width: int, height: int) -> _Cut:
    name = matte_path.name.removesuffix(_SUFFIX)
    path = next((p for end in _ENDINGS if (p := matte_path.with_name(name + end)).is_file()), None)
    if path is None:
        raise SystemExit(f"error: {matte_path} has no photo beside it")
    matte = network(_seen(path, width, height))
    reference = np.asarray(Image.open(matte_path).convert("L"))
    return _Cut(name, matte, clean_matte(matte), resample(reference, width, height))


def _seen(path: Path, width: int, height: int) -> Pixels:
    return to_model_input(decode_photo(path.read_bytes(), PhotoLimits()), width, height)


def iou(matte: Pixels, reference: Pixels) -> float:
    """Intersection over union of two mattes, both cut at one half; 1 where both are empty."""
    found, wanted = matte >= CUT_AT, reference >= CUT_AT
    either = int((found | wanted).sum())
    return float((found & wanted).sum()) / either if either else 1.0


def mae(matte: Pixels, reference: Pixels) -> float:
    """Mean absolute error of two mattes, 0 to 1."""
    return float(cv2.absdiff(matte, reference).mean()) / _OPAQUE


def rank_correlation(first: list[float], second: list[float]) -> float:
    """Spearman's rank correlation of two lists of one length without ties, -1 to 1."""
    one, other = (np.argsort(np.argsort(values)).astype(float) for values in (first, second))
    return float(np.corrcoef(one, other)[0, 1])


def _print_cuts(cuts: list[_Cut]) -> None:
    print("\nthe network's mattes, before and after cleaning, and how sure they say they are")
    print(f"{'photo':14}{'IoU':>8}{'after':>8}{'MAE':>9}{'after':>9}{'sure':>7}{'accepted':>10}")
    rows = [
        (
            iou(cut.matte, cut.reference),
            iou(cut.cleaned, cut.reference),
            mae(cut.matte, cut.reference),
            mae(cut.cleaned, cut.reference),
            confidence(cut.cleaned),
        )
        for cut in cuts
    ]
    for cut, row in zip(cuts, rows, strict=True):
        accepted = "yes" if has_product(cut.cleaned) else "no"
        print(f"{cut.name:14}{_figures(row)}{accepted:>10}")
    print(f"{'mean':14}{_figures([mean(column) for column in zip(*rows, strict=True)])}")
    reached, said = [row[1] for row in rows], [row[4] for row in rows]
    error = mean(abs(a - b) for a, b in zip(reached, said, strict=True))
    print(f"confidence against IoU: mean absolute error {error:.3f}", end="")
    print(f", rank correlation {rank_correlation(reached, said):.3f}" if len(cuts) > 1 else "")


def _figures(row: tuple[float, ...] | list[float]) -> str:
    before, after, error, error_after, sure = row
    return f"{before:8.4f}{after:8.4f}{error:9.5f}{error_after:9.5f}{sure:7.3f}"


def _print_references(cuts: list[_Cut]) -> None:
    print("\nreference mattes, cleaned: what changes, in percent of their mass")
    print(f"{'photo':14}{'IoU':>8}{'lost':>9}{'gained':>9}")
    for cut in cuts:
        cleaned = clean_matte(cut.reference)
        mass = max(int(cut.reference.sum(dtype=np.int64)), 1) / 100
        lost = cv2.subtract(cut.reference, cleaned).sum(dtype=np.int64) / mass
        gained = cv2.subtract(cleaned, cut.reference).sum(dtype=np.int64) / mass
        print(f"{cut.name:14}{iou(cleaned, cut.reference):8.4f}{lost:9.4f}{gained:9.4f}")


def _print_empty(network: Network, width: int, height: int, folders: list[Path]) -> None:
    print("\npictures without a product")
    print(f"{'ground':26}{'highest':>9}{'cut, %':>9}{'sure':>7}{'accepted':>10}")
    grounds = {name: rgb[None] for name, rgb in render_grounds(width, height).items()}
    for folder in folders:
        paths = sorted(path for path in folder.glob("*") if path.suffix in _ENDINGS)
        grounds |= {path.stem[:25]: _seen(path, width, height) for path in paths}
    refused = 0
    for name, seen in grounds.items():
        matte = clean_matte(network(seen))
        accepted = has_product(matte)
        refused += not accepted
        print(
            f"{name:26}{matte.max():9}{100 * (matte >= CUT_AT).mean():9.2f}"
            f"{confidence(matte):7.3f}{'yes' if accepted else 'no':>10}"
        )
    print(f"{refused} of {len(grounds)} refused")


def _print_cost(cuts: list[_Cut]) -> None:
    print("\nprocessor time on one matte, median over the photos")
    steps: dict[str, Callable[[Pixels], object]] = {
        "clean_matte": clean_matte,
        "confidence": confidence,
        "has_product": has_product,
    }
    for name, step in steps.items():
        taken_s = []
        for cut in cuts:
            start_s = time.process_time()
            for _ in range(_ROUNDS):
                step(cut.matte)
            taken_s.append((time.process_time() - start_s) / _ROUNDS)
        print(f"{name:14}{1000 * median(taken_s):8.2f} ms")
