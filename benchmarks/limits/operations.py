"""The counting rule: what each ONNX operator costs in operations, given its tensors' shapes.

A multiplication and an addition are two operations, as in the peak of a data sheet. Convolutions
and matrix products count their multiply-adds and their bias. Element-wise operators count one for
each element they write, whatever the function: a sigmoid is one operation here and many in silicon,
so that arithmetic outside of products is counted low. What moves data only (layouts, slices,
casts, look-ups) counts nothing, nor does quantising: both are traffic, counted as bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod

import onnx

Shape = tuple[int, ...]
Attributes = Mapping[str, object]
Rule = Callable[[Sequence[Shape], Shape, Attributes], int]

# Operations for each element, of operators that are sums of element-wise steps.
_SOFTMAX_STEPS = 5  # greatest, difference, power, sum, quotient
_NORM_STEPS = 8  # mean, difference, square, its mean, root, quotient, scale, shift
_BATCH_NORM_STEPS = 2  # scale and shift; the rest is constant
_TAPS = {"nearest": 0, "linear": 4, "cubic": 16}  # neighbours of a pixel, in a plane

_MOVING = frozenset(
    (
        "Cast",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "DepthToSpace",
        "DequantizeLinear",
        "DynamicQuantizeLinear",
        "Dropout",
        "Expand",
        "Flatten",
        "Gather",
        "GatherElements",
        "GatherND",
        "Identity",
        "Pad",
        "QuantizeLinear",
        "Range",
        "Reshape",
        "ScatterND",
        "Shape",
        "Size",
        "Slice",
        "SpaceToDepth",
        "Split",
        "Squeeze",
        "Tile",
        "Transpose",
        "Unsqueeze",
    )
)
_ELEMENT_WISE = frozenset(
    (
        "Abs",
        "Add",
        "And",
        "Ceil",
        "Clip",
        "Cos",
        "Div",
        "Elu",
        "Equal",
        "Erf",
        "Exp",
        "Floor",
        "Gelu",
        "Greater",
        "GreaterOrEqual",
        "HardSigmoid",
        "HardSwish",
        "LeakyRelu",
        "Less",
        "LessOrEqual",
        "Log",
        "Max",
        "Min",
        "Mod",
        "Mul",
        "Neg",
        "Not",
        "Or",
        "PRelu",
        "Pow",
        "Reciprocal",
        "Relu",
        "Round",
        "Sigmoid",
        "Sin",
        "Sqrt",
        "Sub",
        "Tanh",
        "Where",
    )
)
_REDUCTIONS = frozenset(
    (
        "ArgMax",
        "ArgMin",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceSum",
    )
)
# Inputs of products whose numbers stand at other places than in the plain operator.
_QUANTISED_SECOND = 3  # QLinearConv, QLinearMatMul: x, its scale, its zero point, then the weights


class UnknownOperatorError(ValueError):
    """An operator has no rule; what it costs would be left out in silence."""


def operations_of(node: onnx.NodeProto, inputs: Sequence[Shape], output: Shape) -> int:
    """Count a node's operations.

    Args:
        node: The node.
        inputs: Shapes of its inputs, `()` for one that is left out.
        output: Shape of its first output.

    Raises:
        UnknownOperatorError: There is no rule for the operator.
    """
    kind = node.op_type
    if kind in _MOVING:
        return 0
    if kind in _ELEMENT_WISE:
        return prod(output)
    if kind in _REDUCTIONS:
        return prod(inputs[0])
    if kind not in _RULES:
        raise UnknownOperatorError(f"there is no counting rule for the operator {kind}")
    attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    return _RULES[kind](inputs, output, attributes)


def is_product(node: onnx.NodeProto) -> bool:
    """Tell whether a node is a convolution or a matrix product."""
    return node.op_type in PRODUCTS


def _convolution(weights_at: int, bias_at: int) -> Rule:
    def count(inputs: Sequence[Shape], output: Shape, _: Attributes) -> int:
        taps = prod(inputs[weights_at][1:])  # channels in of one group, times the window
        has_bias = len(inputs) > bias_at and bool(inputs[bias_at])
        return prod(output) * (2 * taps + has_bias)

    return count


def _transposed_convolution(inputs: Sequence[Shape], output: Shape, _: Attributes) -> int:
    taps = prod(inputs[1][1:])  # channels out of one group, times the window
    has_bias = len(inputs) > 2 and bool(inputs[2])  # noqa: PLR2004  x, weights, bias
    return 2 * prod(inputs[0]) * taps + has_bias * prod(output)


def _matrix_product(inputs: Sequence[Shape], output: Shape, _: Attributes) -> int:
    return 2 * prod(output) * inputs[0][-1]


def _gemm(inputs: Sequence[Shape], output: Shape, attributes: Attributes) -> int:
    inner = inputs[0][0 if attributes.get("transA") else 1]
    has_bias = len(inputs) > 2 and bool(inputs[2])  # noqa: PLR2004  a, b, c
    return prod(output) * (2 * inner + has_bias)


def _pool(_: Sequence[Shape], output: Shape, attributes: Attributes) -> int:
    window = attributes["kernel_shape"]
    if not isinstance(window, Sequence):
        raise TypeError(f"kernel_shape is {window!r}")
    return prod(output) * prod(int(side) for side in window)


def _resize(_: Sequence[Shape], output: Shape, attributes: Attributes) -> int:
    mode = attributes.get("mode", b"nearest")
    name = mode.decode() if isinstance(mode, bytes) else str(mode)
    return 2 * _TAPS[name] * prod(output)


def _response_norm(_: Sequence[Shape], output: Shape, attributes: Attributes) -> int:
    neighbours = int(str(attributes["size"]))
    return prod(output) * (2 * neighbours + 3)  # squares and sums; scale, power, quotient


def _steps(number: int) -> Rule:
    def count(_: Sequence[Shape], output: Shape, __: Attributes) -> int:
        return number * prod(output)

    return count


_PRODUCT_RULES: dict[str, Rule] = {
    "Conv": _convolution(weights_at=1, bias_at=2),
    "ConvInteger": _convolution(weights_at=1, bias_at=4),  # no bias: it has four inputs
    "ConvTranspose": _transposed_convolution,
    "FusedConv": _convolution(weights_at=1, bias_at=2),
    "FusedMatMul": _matrix_product,
    "Gemm": _gemm,
    "MatMul": _matrix_product,
    "MatMulInteger": _matrix_product,
    "QLinearConv": _convolution(weights_at=_QUANTISED_SECOND, bias_at=8),
    "QLinearMatMul": _matrix_product,
}
PRODUCTS = frozenset(_PRODUCT_RULES)
_RULES: dict[str, Rule] = {
    **_PRODUCT_RULES,
    "AveragePool": _pool,
    "BatchNormalization": _steps(_BATCH_NORM_STEPS),
    "GroupNormalization": _steps(_NORM_STEPS),
    "InstanceNormalization": _steps(_NORM_STEPS),
    "LRN": _response_norm,
    "LayerNormalization": _steps(_NORM_STEPS),
    "MaxPool": _pool,
    "Resize": _resize,
    "Softmax": _steps(_SOFTMAX_STEPS),
}
