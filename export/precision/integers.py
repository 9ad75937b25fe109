"""8-bit integers: unsigned activations, weights signed and scaled channel by channel.

Signed activations take slower kernels on x86. Scales of activations are calibrated once, on
pictures (static quantisation; Jacob et al., arXiv 1712.05877), and stand in the graph as pairs of
QuantizeLinear and DequantizeLinear, the form that every execution provider reads. Eight full bits
need a processor that adds 16-bit products in 32 bits (VNNI, AMX or an ARM equivalent): on x86
before VNNI pairs of products can overflow their 16 bits.

What gains is quantised: convolutions, sums and enlargements between them, matrix products with
weights. Softmax, norms, products of activations and whatever only moves data stay in float: the
steps in and out of integers cost more there than the integers save.
"""

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from export.compact_graph import pack, unpack
from export.tensor_names import PHOTO

QUANTISED = ("Conv", "Add", "MatMul", "Relu", "Clip", "Resize", "Concat")
_BETWEEN_CONVOLUTIONS = {"Relu", "Clip", "Resize", "Add", "Concat"}


class Part(StrEnum):
    """Nodes that may be kept in float where integers break them."""

    LINEAR = "linear layers"
    HEAD = "last convolution"
    STEM = "first convolution"
    SUMS = "sums"


class Calibration(Enum):
    """How the range of an activation is found."""

    PERCENTILE = CalibrationMethod.Percentile  # of all values, but the outermost 0.01 %
    ENTROPY = CalibrationMethod.Entropy  # the range that loses least information
    MIN_MAX = CalibrationMethod.MinMax  # of all values


@dataclass(frozen=True)
class IntegerRecipe:
    """One way to quantise."""

    in_float: tuple[Part, ...] = ()
    calibration: Calibration = Calibration.PERCENTILE

    def __str__(self) -> str:
        kept = ", ".join(self.in_float) or "nothing further"
        return f"{self.calibration.name.lower()}, in float: {kept}"


# From the fastest to the most faithful.
KEPT_IN_FLOAT: tuple[tuple[Part, ...], ...] = (
    (),
    (Part.LINEAR,),
    (Part.LINEAR, Part.HEAD),
    (Part.LINEAR, Part.HEAD, Part.STEM),
    (Part.LINEAR, Part.HEAD, Part.STEM, Part.SUMS),
)


class PhotoReader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime is untyped
    """Hands pictures over one at a time."""

    def __init__(self, pictures: Sequence[NDArray[np.uint8]]) -> None:
        self._left: Iterator[NDArray[np.uint8]] = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """Give the next picture as a batch of one; None after the last."""
        picture = next(self._left, None)
        return None if picture is None else {PHOTO: picture[None]}


def write_integers(
    source: Path, into: Path, recipe: IntegerRecipe, pictures: Sequence[NDArray[np.uint8]]
) -> None:
    """Write a graph quantised to 8 bits.

    Args:
        source: an ONNX file in full precision, behind the wire contract.
        into: the file to write.
        recipe: how.
        pictures: (S, S, 3) uint8, to calibrate on.
    """
    with tempfile.TemporaryDirectory() as scratch, quietly():
        prepared, full = Path(scratch) / "prepared.onnx", Path(scratch) / "full.onnx"
        whole = onnx.load(source)
        unpack(whole)
        onnx.save(whole, full)
        # The symbolic inference gives up on attention; ONNX's own, which follows it, does not.
        quant_pre_process(full, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            into,
            PhotoReader(pictures),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_exclude=kept_in_float(onnx.load(prepared).graph, recipe.in_float),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=recipe.calibration.value,
            extra_options={"CalibPercentile": 99.99},
        )
    model = onnx.load(into)
    pack(model)  # what stays in float
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, into)


def kept_in_float(graph: onnx.GraphProto, parts: Sequence[Part]) -> list[str]:
    """Name the nodes of a graph that are not quantised though their kind is.

    Args:
        graph: in full precision, nodes in topological order.
        parts: to be kept in float besides what never gains.
    """
    constants = {tensor.name for tensor in graph.initializer}
    convolutions = [node.name for node in graph.node if node.op_type == "Conv"]
    names = set()
    if Part.STEM in parts:
        names.update(convolutions[:1])
    if Part.HEAD in parts:
        names.update(convolutions[-1:])
    fed_by_convolutions: set[str] = set()
    for node in graph.node:
        inputs = [name for name in node.input if name and name not in constants]
        between = node.op_type in _BETWEEN_CONVOLUTIONS and fed_by_convolutions.issuperset(inputs)
        if node.op_type == "Conv" or between:
            fed_by_convolutions.update(node.output)
        stays = {
            "Add": not between or Part.SUMS in parts,
            "Relu": not between,
            "Clip": not between,
            "Concat": not between,
            "Resize": not between,
            "MatMul": len(inputs) > 1 or Part.LINEAR in parts,
        }
        if stays.get(node.op_type, False):
            names.add(node.name)
    return sorted(names)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Silence what the quantiser prints and logs at every call."""
    root: Any = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)
