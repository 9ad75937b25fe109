"""A network's cuts along the edges, at photos' full size: `python -m benchmarks edges`.

Each matte is enlarged without the photo's help, bicubically, and as the gateway does, and compared
with the exact alpha within a band around all that is soft.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from benchmarks.edge_errors import edge_errors
from benchmarks.limits.network import open_session
from benchmarks.rendered_scenes import band_around_edges
from benchmarks.table import as_table
from export.photos import SUFFIX
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.matting.clean import clean_matte
from imaging.matting.prepare import to_model_input
from imaging.matting.refine import to_photo_size

_ROOT: Final = Path(__file__).resolve().parents[1]
# The band is as wide as a cell of a matte of this side.
_BAND_CELLS: Final = 320
_ENDINGS: Final = (".jpg", ".png")


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--model",
        type=Path,
        default=_ROOT / "model_repository" / "matte" / "1" / "model.onnx",
        help="an ONNX file in the project's contract",
    )
    parser.add_argument(
        "--photos",
        type=Path,
        default=_ROOT / "samples",
        help=f"folder of NAME.jpg or .png beside NAME{SUFFIX}",
    )


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure, and print the table."""
    cv2.setNumThreads(1)
    print(as_table(network_rows(arguments.model, arguments.photos)))


def network_rows(model: Path, folder: Path) -> list[dict[str, Any]]:
    """Measure a network's mattes of a folder's photos, a row for each way of each, then means."""
    if not model.is_file():
        raise SystemExit(f"error: no model at {model}")
    session = open_session(str(model), 1)
    _, height, width, _ = session.get_inputs()[0].shape
    rows: dict[str, list[dict[str, Any]]] = {"bicubic": [], "served": []}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        name = path.name.removesuffix(SUFFIX)
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
        raise SystemExit(f"error: no NAME{SUFFIX} in {folder}")
    figures = [name for name, value in rows["served"][0].items() if isinstance(value, float)]
    means = [
        {"photo": "mean", "way": way} | {name: mean(row[name] for row in own) for name in figures}
        for way, own in rows.items()
    ]
    return [*(row for pair in zip(*rows.values(), strict=True) for row in pair), *means]
