"""Makes a published graph fit to be served: in order, without what nobody asks for, at any side.

Exporters leave graphs as they traced them: nodes in any order, outputs for training, a batch and a
side that were those of one example, weights in half precision between casts. Nothing here changes
what the graph computes, but for the side, which the caller chooses.
"""

import heapq

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.errors import ModelFileError

_FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16}
_RESIZE_INPUTS = 4  # of one that aims at a size: picture, region, factors, size


def sort_nodes(graph: onnx.GraphProto) -> None:
    """Put the nodes into topological order, as ONNX asks; the order of files else stays.

    Raises:
        ModelFileError: the nodes form a circle.
    """
    waits: dict[int, int] = {}
    readers: dict[str, list[int]] = {}
    given = {one.name for one in graph.initializer} | {one.name for one in graph.input}
    made = {name for node in graph.node for name in node.output}
    for number, node in enumerate(graph.node):
        missing = (reads(node) & made) - given
        waits[number] = len(missing)
        for name in missing:
            readers.setdefault(name, []).append(number)
    # The first of those that can run, so that an order that is right stays.
    ready = [number for number, count in waits.items() if not count]
    order: list[int] = []
    while ready:
        number = heapq.heappop(ready)
        order.append(number)
        for name in graph.node[number].output:
            for reader in readers.pop(name, ()):
                waits[reader] -= 1
                if not waits[reader]:
                    heapq.heappush(ready, reader)
    if len(order) < len(graph.node):
        names = ", ".join(sorted(readers)[:3])
        raise ModelFileError(f"{len(graph.node) - len(order)} nodes wait for {names} for ever")
    if order != sorted(order):
        _replace_nodes(graph, [graph.node[number] for number in order])


def reads(node: onnx.NodeProto) -> set[str]:
    """Name all that a node reads, what the graphs inside it read of outside included."""
    names = set(node.input) - {""}
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            own = {one.name for one in inner.input} | {one.name for one in inner.initializer}
            own |= {name for each in inner.node for name in each.output}
            names |= {name for each in inner.node for name in reads(each)} - own
            names |= {one.name for one in inner.output} - own
    return names


def keep_output(graph: onnx.GraphProto, name: str) -> None:
    """Drop the other outputs, and every node and weight that only they need."""
    kept = [one for one in graph.output if one.name == name]
    del graph.output[:]
    graph.output.extend(kept)
    needed, nodes = {name}, []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed |= reads(node)
            nodes.append(node)
    _replace_nodes(graph, nodes[::-1])
    del graph.value_info[:]
    weights = [one for one in graph.initializer if one.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(weights)


def is_half_precision(graph: onnx.GraphProto) -> bool:
    """Tell whether a flat graph keeps all its weights in half precision."""
    weights = [one for one in graph.initializer if one.data_type in _FLOATS]
    flat = not any(one.g.node or one.graphs for node in graph.node for one in node.attribute)
    return flat and bool(weights) and all(one.data_type == TensorProto.FLOAT16 for one in weights)


def to_full_precision(model: onnx.ModelProto) -> None:
    """Turn half precision into single, and drop the casts between the two.

    The values of the weights stay; only sums become more exact.

    Args:
        model: of which ``is_half_precision`` is true; changed in place.
    """
    graph = model.graph
    kinds = _kinds(onnx.shape_inference.infer_shapes(model).graph)
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT16:
            tensor.CopyFrom(_single(tensor))
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    del graph.value_info[:]
    same: dict[str, str] = {}
    last = {one.name for one in graph.output}
    nodes = []
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.t.data_type == TensorProto.FLOAT16:
                attribute.t.CopyFrom(_single(attribute.t))
        node.input[:] = [same.get(name, name) for name in node.input]
        to = helper.get_node_attr_value(node, "to") if node.op_type == "Cast" else None
        if to in _FLOATS:
            if kinds.get(node.input[0]) in _FLOATS and node.output[0] not in last:
                same[node.output[0]] = node.input[0]
                continue
            node.attribute[0].i = TensorProto.FLOAT
        nodes.append(node)
    _replace_nodes(graph, nodes)


def set_side(graph: onnx.GraphProto, old: int, new: int) -> None:
    """Let a fully convolutional graph take another side.

    Tracing has written the sizes that its enlargements aim at into constants: these follow the
    side. Every one of them must be a whole number of pixels at the new side. What the graph says
    of the shape of its input and output is left as it is.

    Args:
        graph: changed in place.
        old: the side that it was traced at, pixels.
        new: the side that it is to take, pixels.

    Raises:
        ModelFileError: one is not, or the graph has a size that follows no side.
    """
    for tensor in _enlargement_sizes(graph).values():
        sizes = numpy_helper.to_array(tensor).astype(np.int64)
        scaled = sizes * new
        if (scaled % old).any():
            raise ModelFileError(
                f"at a side of {new} an enlargement would aim at {sizes.tolist()} times "
                f"{new}/{old}, which is no whole number"
            )
        tensor.CopyFrom(numpy_helper.from_array(scaled // old, tensor.name))


def _enlargement_sizes(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    """Find the constant (height, width) that each Resize joins to its batch and channels."""
    constants = {
        node.output[0]: node.attribute[0].t for node in graph.node if node.op_type == "Constant"
    } | {tensor.name: tensor for tensor in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    found: dict[str, onnx.TensorProto] = {}
    for node in graph.node:
        if node.op_type != "Resize" or len(node.input) < _RESIZE_INPUTS:
            continue  # it enlarges by a factor
        joined = makers.get(node.input[3])
        last = joined.input[-1] if joined and joined.op_type == "Concat" else None
        if last is None or last not in constants or list(constants[last].dims) != [2]:
            raise ModelFileError(f"{node.name} enlarges to a size that cannot follow the side")
        found[last] = constants[last]
    return found


def _single(tensor: onnx.TensorProto) -> onnx.TensorProto:
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)


def _kinds(graph: onnx.GraphProto) -> dict[str, int]:
    """Give ONNX's number of each tensor's element type, where it is known."""
    values = (*graph.input, *graph.output, *graph.value_info)
    kinds = {value.name: value.type.tensor_type.elem_type for value in values}
    return kinds | {tensor.name: tensor.data_type for tensor in graph.initializer}


def _replace_nodes(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
