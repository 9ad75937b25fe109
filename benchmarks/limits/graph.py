"""The cost of one pass of an ONNX graph: operations by precision, and bytes moved.

Operations are those of convolutions and matrix products, two for each multiply-add, as data sheets
and torch's FlopCounterMode count them. Element-wise operators and biases are left out: they are
four hundredths of the default network's arithmetic.

The least bytes are what any machine must move: weights, photos and mattes once, with everything
between them in caches.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import onnx
from onnx import TensorProto, helper, shape_inference

Shape = tuple[int, ...]

# Where each product's weights stand among its inputs; of MatMul and Gemm, the second factor.
_CONVOLUTIONS = {"Conv": 1, "ConvInteger": 1, "FusedConv": 1, "QLinearConv": 3}
_MATRIX_PRODUCTS = frozenset({"FusedMatMul", "MatMul", "MatMulInteger", "QLinearMatMul"})
_PRODUCTS = frozenset({*_CONVOLUTIONS, *_MATRIX_PRODUCTS, "ConvTranspose", "Gemm"})
# Operators that contain products which are not counted here.
_UNKNOWN = frozenset({"Attention", "DeformConv", "Einsum", "GRU", "LSTM", "RNN"})
_DOMAINS = frozenset({"", "ai.onnx"})
_INTEGERS = (TensorProto.INT8, TensorProto.UINT8)
_NAMES: dict[int, str] = {
    TensorProto.FLOAT: "fp32",
    TensorProto.FLOAT16: "fp16",
    TensorProto.BFLOAT16: "bf16",
    TensorProto.INT8: "int8",
    TensorProto.UINT8: "int8",
}


class GraphError(ValueError):
    """A graph cannot be counted."""


@dataclass(frozen=True, slots=True)
class GraphCost:
    """The cost of one photo's pass."""

    operations: Mapping[str, int]  # by the precision of the arithmetic: fp32, fp16, bf16 or int8
    weight_bytes: int  # of all weights, read once in a pass, whatever the batch
    port_bytes: int  # of the photo and the matte

    @property
    def total_operations(self) -> int:
        """Operations in all precisions."""
        return sum(self.operations.values())

    def least_bytes(self, batch: int) -> float:
        """Return the bytes that any machine must move for a photo in a batch of this size."""
        return self.weight_bytes / batch + self.port_bytes

    def intensity(self, batch: int) -> float:
        """Return operations for each byte that must be moved."""
        return self.total_operations / self.least_bytes(batch)


def count_graph(path: Path) -> GraphCost:
    """Count an ONNX file; the first dimension of its inputs is the batch.

    Raises:
        GraphError: The file cannot be read, its shapes cannot be inferred, or an operator contains
            products that are not counted here.
    """
    try:
        model = onnx.load(path)
    except Exception as exc:  # onnx raises what protobuf and the file system raise
        raise GraphError(f"{path} cannot be read as an ONNX file: {exc}") from exc
    return count_model(model)


def count_model(model: onnx.ModelProto) -> GraphCost:
    """Count a graph for one photo; raises `GraphError` as `count_graph` does."""
    for node in model.graph.node:
        if node.op_type in _UNKNOWN or (node.domain not in _DOMAINS and not _is_product(node)):
            raise GraphError(f"no rule counts the operator {node.domain} {node.op_type}")
    tensors = _Tensors(model)
    operations: Counter[str] = Counter()
    for node in filter(_is_product, model.graph.node):
        operations[tensors.precision(node)] += _operations_of(node, tensors)
    return GraphCost(
        operations=dict(operations),
        weight_bytes=tensors.weight_bytes(),
        port_bytes=sum(map(tensors.size_bytes, (*tensors.inputs, *tensors.outputs))),
    )


def _is_product(node: onnx.NodeProto) -> bool:
    return node.op_type in _PRODUCTS


def _operations_of(node: onnx.NodeProto, tensors: "_Tensors") -> int:
    """Count a product's operations: two for each multiply-add."""
    first, output = tensors.shape(node.input[0]), tensors.shape(node.output[0])
    if node.op_type == "ConvTranspose":  # channels out of one group, times the window
        return 2 * prod(first) * prod(tensors.shape(node.input[1])[1:])
    if node.op_type in _CONVOLUTIONS:  # channels in of one group, times the window
        weights = tensors.shape(node.input[_CONVOLUTIONS[node.op_type]])
        return 2 * prod(output) * prod(weights[1:])
    transposed = any(one.name == "transA" and one.i for one in node.attribute)
    return 2 * prod(output) * first[0 if transposed else -1]


class _Tensors:
    """The types and shapes of a graph's tensors, for a batch of one."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.weights = {one.name: one for one in graph.initializer}
        self.inputs = [one.name for one in graph.input if one.name not in self.weights]
        self.outputs = [one.name for one in graph.output]
        self._maker = {name: node for node in graph.node for name in node.output}
        self._used = {name for node in graph.node for name in node.input}
        self._known = _infer(model)

    def shape(self, name: str) -> Shape:
        return self._of(name)[1]

    def size_bytes(self, name: str) -> int:
        kind, shape = self._of(name)
        return prod(shape) * int(helper.tensor_dtype_to_np_dtype(kind).itemsize)

    def weight_bytes(self) -> int:
        return sum(self.size_bytes(name) for name in self.weights if name in self._used)

    def precision(self, node: onnx.NodeProto) -> str:
        """Name a product's arithmetic: int8 where both factors are, or were, quantised."""
        names = [name for name in node.input if name]
        factors = [name for name in names if len(self.shape(name)) > 1][:2]
        if factors and all(self._stored(name)[0] in _INTEGERS for name in factors):
            return "int8"
        return _NAMES.get(self._of(names[0])[0], "other")

    def _stored(self, name: str) -> tuple[int, Shape]:
        """Return the type in memory: integers, where the tensor is quantised."""
        maker = self._maker.get(name)
        is_quantised = maker is not None and maker.op_type == "DequantizeLinear"
        return self._of(maker.input[0] if maker is not None and is_quantised else name)

    def _of(self, name: str) -> tuple[int, Shape]:
        if name not in self._known:
            raise GraphError(f"the shape of the tensor {name} cannot be inferred")
        return self._known[name]


def _infer(model: onnx.ModelProto) -> dict[str, tuple[int, Shape]]:
    """Infer the type and the shape of every tensor for a batch of one."""
    single = onnx.ModelProto()
    single.CopyFrom(model)
    del single.graph.value_info[:]  # they have an open batch
    constants = {one.name for one in single.graph.initializer}
    for value in (*single.graph.input, *single.graph.output):
        dimensions = value.type.tensor_type.shape.dim
        if value.name not in constants and dimensions and not dimensions[0].dim_value:
            dimensions[0].dim_value = 1
    try:
        inferred = shape_inference.infer_shapes(single, strict_mode=True, data_prop=True).graph
    except shape_inference.InferenceError as exc:
        raise GraphError(f"the graph's shapes cannot be inferred: {exc}") from exc
    known = {one.name: (one.data_type, tuple(one.dims)) for one in inferred.initializer}
    for value in (*inferred.value_info, *inferred.input, *inferred.output):
        tensor = value.type.tensor_type
        dimensions = tensor.shape.dim
        if all(dimension.HasField("dim_value") for dimension in dimensions):
            shape = tuple(dimension.dim_value for dimension in dimensions)
            known[value.name] = tensor.elem_type, shape
    return known
