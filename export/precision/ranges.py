"""8-bit integers by ranges that were found before, so that quantising takes no pictures.

The ranges of a published network's activations are measured once, on training pictures, and stand
in this package; whoever builds the network quantises with them. They are the network's own: a side
other than the one that they were measured at changes them little.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType
from onnxruntime.quantization.calibrate import TensorData, TensorsData, create_calibrator
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
from PIL import Image

from export.errors import ModelFileError, PicturesError
from export.photos import squash_photo
from export.precision.integers import (
    QUANTISED,
    Calibration,
    PhotoReader,
    kept_in_float,
    quietly,
)

_PERCENTILE = 99.99
_KINDS = ("clothes", "fashion", "iconic")
_HELD = 2  # pictures whose activations are in memory at once

Ranges = Mapping[str, tuple[float, float]]


def measure_ranges(source: Path, pictures: Sequence[NDArray[np.uint8]]) -> dict[str, list[float]]:
    """Measure between which values each activation of a graph lies, but for the outermost 0.01 %.

    Args:
        source: an ONNX file in full precision, behind the wire contract.
        pictures: (S, S, 3) uint8.

    Returns:
        Least and greatest value by the activation's name.
    """
    with tempfile.TemporaryDirectory() as scratch, quietly():
        calibrator = create_calibrator(
            source,
            list(QUANTISED),
            augmented_model_path=str(Path(scratch) / "augmented.onnx"),
            calibrate_method=Calibration.PERCENTILE.value,
            extra_options={"percentile": _PERCENTILE, "max_intermediate_outputs": _HELD},
        )
        for picture in pictures:
            calibrator.collect_data(PhotoReader([picture]))
        found = calibrator.compute_data()
        del calibrator
    return {
        name: [round(float(end), 6) for end in found[name].range_value] for name in sorted(found)
    }


def measure_and_write(model: Path, folder: Path, count: int, into: Path) -> int:
    """Measure the ranges of a model on photos of the training folder, and keep them as JSON.

    Args:
        model: an ONNX file in full precision, behind the wire contract.
        folder: of training pictures, see ``docs/training.md``.
        count: how many photos, as many of each kind; those whose names' SHA-256 is least.
        into: the file to write.

    Returns:
        How many activations there are.

    Raises:
        PicturesError: the folder is not of that form.
    """
    side = onnx.load(model).graph.input[0].type.tensor_type.shape.dim[1].dim_value
    paths = [path for kind in _KINDS for path in _photos(folder / kind, count // len(_KINDS))]
    pictures = []
    for path in paths:
        with Image.open(path) as image:
            pictures.append(squash_photo(image, side))
    ranges = measure_ranges(model, pictures)
    told = {
        "command": f"python -m export ranges MODEL --count {count}",
        "side": side,
        "pictures": [str(path.relative_to(folder)) for path in paths],
        "ranges": ranges,
    }
    text = json.dumps(told, indent=1)
    # A line for each activation.
    into.write_text(re.sub(r"\[\s+([-\d.e]+),\s+([-\d.e]+)\s+\]", r"[\1, \2]", text) + "\n")
    return len(ranges)


def _photos(folder: Path, count: int) -> list[Path]:
    paths = [path for path in folder.glob("*.jpg") if ".labels" not in path.name]
    if len(paths) < count:
        raise PicturesError(f"{folder} holds {len(paths)} photos; {count} are wanted")
    return sorted(paths, key=lambda path: hashlib.sha256(path.name.encode()).digest())[:count]


def write_integers_by(source: Path, into: Path, ranges: Ranges) -> None:
    """Write a graph quantised to 8 bits by known ranges.

    Args:
        source: an ONNX file in full precision, behind the wire contract.
        into: the file to write.
        ranges: of its activations, as ``measure_ranges`` finds them.

    Raises:
        ModelFileError: they are another graph's.
    """
    model = onnx.load(source)
    names = {name for node in model.graph.node for name in node.output}
    if strange := sorted(ranges.keys() - names):
        raise ModelFileError(f"{source} has no {strange[0]}: these ranges are another graph's")
    known = {
        name: TensorData(lowest=np.float32(low), highest=np.float32(high))
        for name, (low, high) in ranges.items()
    }
    with quietly():
        quantizer = QDQQuantizer(
            model,
            per_channel=True,
            reduce_range=False,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=TensorsData(Calibration.MIN_MAX.value, known),
            nodes_to_quantize=[],
            nodes_to_exclude=kept_in_float(model.graph, ()),
            op_types_to_quantize=list(QUANTISED),
            extra_options={},
        )
        quantizer.quantize_model()
    quantizer.model.save_model_to_file(str(into))
    onnx.checker.check_model(onnx.load(into))


def read_ranges(path: Path) -> dict[str, tuple[float, float]]:
    """Read ranges from JSON.

    Raises:
        ModelFileError: the file is missing or not of that form.
    """
    try:
        stored = json.loads(path.read_text())["ranges"]
        return {str(name): (float(low), float(high)) for name, (low, high) in stored.items()}
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise ModelFileError(f"{path} holds no ranges: {exc!r}") from exc
