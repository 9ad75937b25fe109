"""Puts an ONNX file of floats behind the wire contract: bytes in, bytes out.

The file's own nodes stay as they are. Before them come layout and normalisation, after them the
activation and the rounding, as ``export/graph.py`` does it for our own networks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError, EncodeError
from onnx import TensorProto, compose, helper, numpy_helper, version_converter

from export.errors import ModelFileError
from export.published import (
    is_half_precision,
    keep_output,
    set_side,
    sort_nodes,
    to_full_precision,
)
from export.recipes import RGB, Activation, Recipe
from export.tensor_names import MATTE, PHOTO

LEAST_OPSET = 11  # from here on Clip takes its bounds as inputs, and there is Round
LARGEST_OPSET = 21  # of the ONNX Runtime of Triton 2.51 (24.10)
LEAST_IR_VERSION = 4  # from here on constants need not be inputs too
LARGEST_IR_VERSION = 10  # of that ONNX Runtime
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)
PREFIX = "raw/"  # keeps the file's names apart from the contract's


@dataclass(frozen=True)
class Port:
    """An input or output of a graph."""

    name: str
    kind: int  # ONNX's number of the element type
    shape: tuple[int | None, ...]  # None: open

    @classmethod
    def of(cls, value: onnx.ValueInfoProto) -> "Port":
        """Read from a graph."""
        tensor = value.type.tensor_type
        sizes = [one.dim_value if one.HasField("dim_value") else None for one in tensor.shape.dim]
        return cls(value.name, tensor.elem_type, tuple(sizes))

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """NumPy's element type."""
        return np.dtype(helper.tensor_dtype_to_np_dtype(self.kind))

    def __str__(self) -> str:
        kind = TensorProto.DataType.Name(self.kind).lower()
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} {kind} [{sizes}]"

    def single(self) -> "Port":
        """Give the same port of a graph in single precision."""
        return replace(self, kind=TensorProto.FLOAT)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Tell whether floats of a shape can pass, as far as the file says."""
        if self.kind not in FLOATS or len(self.shape) != len(shape):
            return False
        return all(own in (None, size) for own, size in zip(self.shape, shape, strict=True))


@dataclass(frozen=True)
class Ports:
    """Where photos enter a foreign graph and where mattes leave it."""

    photo: Port
    matte: Port


def read_onnx(path: Path) -> onnx.ModelProto:
    """Read an ONNX file with all its weights, its nodes in order.

    Raises:
        ModelFileError: it is missing, no ONNX, has no order, or needs newer operators than
            Triton's runtime has.
    """
    try:
        model = onnx.load(path)
        # Some publishers' files are read by ONNX Runtime, but their nodes stand in no order.
        sort_nodes(model.graph)
        onnx.checker.check_model(model)
    except (OSError, DecodeError, EncodeError, ValueError, onnx.checker.ValidationError) as exc:
        raise ModelFileError(f"{path} is no ONNX file that can be read: {exc}") from exc
    version = _opset(model)
    if version > LARGEST_OPSET:
        raise ModelFileError(
            f"{path} needs opset {version}; the ONNX Runtime of Triton 24.10 knows {LARGEST_OPSET}"
        )
    if version >= LEAST_OPSET:
        return model
    try:
        return version_converter.convert_version(model, LEAST_OPSET)
    except (RuntimeError, ValueError) as exc:
        raise ModelFileError(
            f"{path} is of opset {version} and cannot be raised to {LEAST_OPSET}: {exc}"
        ) from exc


def find_ports(model: onnx.ModelProto, recipe: Recipe) -> Ports:
    """Find the input and the output that a recipe speaks of.

    Raises:
        ModelFileError: the graph takes or gives something else.
    """
    constants = {one.name for one in model.graph.initializer}
    inputs = [Port.of(value) for value in model.graph.input if value.name not in constants]
    outputs = [Port.of(value) for value in model.graph.output]
    wanted = (1, RGB, recipe.side, recipe.side)
    if len(inputs) != 1:
        raise ModelFileError(f"the file takes {_listed(inputs)}; one photo is wanted")
    if not inputs[0].fits(wanted):
        raise ModelFileError(f"the file takes {inputs[0]}; the recipe's photo is {list(wanted)}")
    if recipe.output >= len(outputs):
        raise ModelFileError(f"the file gives {_listed(outputs)}; there is no {recipe.output}")
    matte = outputs[recipe.output]
    wanted = (1, 1, recipe.side, recipe.side)
    if not matte.fits(wanted):
        raise ModelFileError(
            f"the file gives {_listed(outputs)}; output {recipe.output} should be {list(wanted)}"
        )
    return Ports(inputs[0], matte)


def wrap(
    model: onnx.ModelProto,
    ports: Ports,
    recipe: Recipe,
    path: Path,
    metadata: Mapping[str, str],
    *,
    side: int | None = None,
) -> None:
    """Write a foreign graph behind the wire contract; ``model`` is used up.

    Args:
        model: as read by ``read_onnx``.
        ports: of the model, as found by ``find_ports``.
        recipe: of its input and output.
        path: of the file to write.
        metadata: carried in the file's ``metadata_props``.
        side: height and width that the written graph takes, pixels; None: the recipe's.

    Raises:
        ModelFileError: the graph is too large for one file, or cannot take that side.
    """
    graph = model.graph
    side = side or recipe.side
    keep_output(graph, ports.matte.name)
    if is_half_precision(graph):
        # On a CPU every step would be cast back and forth.
        to_full_precision(model)
        ports = Ports(ports.photo.single(), ports.matte.single())
    if side != recipe.side:
        set_side(graph, recipe.side, side)
    compose.add_prefix(model, PREFIX, inplace=True)
    before = _bytes_to_input(PREFIX + ports.photo.name, ports.photo.kind)
    after = _output_to_bytes(recipe, PREFIX + ports.matte.name)
    own = [*before, *graph.node, *after]
    del graph.node[:], graph.input[:], graph.output[:]
    del graph.value_info[:]  # they may fix the batch, which the runtime works out itself
    graph.node.extend(own)
    graph.initializer.extend(_constants(recipe))
    shape: list[str | int | None] = ["batch", side, side]
    graph.input.append(helper.make_tensor_value_info(PHOTO, TensorProto.UINT8, [*shape, RGB]))
    graph.output.append(helper.make_tensor_value_info(MATTE, TensorProto.UINT8, [*shape, 1]))
    model.ir_version = min(max(model.ir_version, LEAST_IR_VERSION), LARGEST_IR_VERSION)
    helper.set_model_props(model, dict(metadata))
    try:
        onnx.checker.check_model(model)
        onnx.save(model, path)
    except (ValueError, EncodeError) as exc:
        raise ModelFileError(f"the wrapped graph cannot be written as one file: {exc}") from exc


def _bytes_to_input(name: str, kind: int) -> list[onnx.NodeProto]:
    """Lay (N, H, W, 3) bytes out as the (N, 3, H, W) floats that the graph takes."""
    return [
        helper.make_node("Transpose", [PHOTO], ["photo/planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["photo/planes"], ["photo/floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["photo/floats", "photo/scale"], ["photo/scaled"]),
        helper.make_node("Add", ["photo/scaled", "photo/shift"], ["photo/normalised"]),
        helper.make_node("Cast", ["photo/normalised"], [name], to=kind),
    ]


def _output_to_bytes(recipe: Recipe, name: str) -> list[onnx.NodeProto]:
    """Round the graph's (N, 1, H, W) floats to (N, H, W, 1) bytes.

    N is taken from the photos, not from the graph: one that fixes it to 1 would hand that on to the
    output, and Triton batches, even by one, only what has an open first dimension.
    """
    nodes = [helper.make_node("Cast", [name], ["matte/floats"], to=TensorProto.FLOAT)]
    last = "matte/floats"
    if recipe.activation is Activation.SIGMOID:
        nodes.append(helper.make_node("Sigmoid", [last], ["matte/active"]))
        last = "matte/active"
    return [
        *nodes,
        helper.make_node("Clip", [last, "matte/zero", "matte/one"], ["matte/clipped"]),
        helper.make_node("Mul", ["matte/clipped", "matte/white"], ["matte/stretched"]),
        helper.make_node("Round", ["matte/stretched"], ["matte/rounded"]),
        helper.make_node("Cast", ["matte/rounded"], ["matte/bytes"], to=TensorProto.UINT8),
        helper.make_node("Shape", [PHOTO], ["photo/shape"]),
        helper.make_node("Gather", ["photo/shape", "matte/first"], ["matte/count"]),
        helper.make_node("Concat", ["matte/count", "matte/rest"], ["matte/shape"], axis=0),
        helper.make_node("Transpose", ["matte/bytes"], ["matte/last"], perm=[0, 2, 3, 1]),
        helper.make_node("Expand", ["matte/last", "matte/shape"], [MATTE]),
    ]


def _constants(recipe: Recipe) -> list[onnx.TensorProto]:
    values = {
        "photo/scale": np.array(recipe.scale, np.float32).reshape(1, RGB, 1, 1),
        "photo/shift": np.array(recipe.shift, np.float32).reshape(1, RGB, 1, 1),
        "matte/zero": np.array(0, np.float32),
        "matte/one": np.array(1, np.float32),
        "matte/white": np.array(255, np.float32),
        "matte/first": np.array([0]),
        "matte/rest": np.array([1, 1, 1]),
    }
    return [numpy_helper.from_array(value, name) for name, value in values.items()]


def _opset(model: onnx.ModelProto) -> int:
    return max(
        (one.version for one in model.opset_import if one.domain in {"", "ai.onnx"}), default=0
    )


def _listed(ports: list[Port]) -> str:
    return f"{len(ports)} ({'; '.join(str(port) for port in ports)})"
