"""Constants of ONNX graphs stored in fewer bits, restored by the runtime when it loads the file.

See ``export.compact``. Needs numpy and onnx, not torch.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx

from export.compact import CODES, MATRIX, SCALES, Codes, exact_codes

HALVED: Final = "/half"  # ends the name of a constant in half precision
_SMALLEST: Final = 2e-7


def pack(model: onnx.ModelProto) -> None:
    """Store the constants of a graph in fewer bits where that is exact, in place."""
    nodes: list[onnx.NodeProto] = []
    for tensor in list(model.graph.initializer):
        if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.dims) < MATRIX:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        if (codes := exact_codes(values)) is not None:
            nodes += _put_codes(model.graph, tensor, codes)
            continue
        halves = values.astype(np.float16)
        if np.array_equal(halves.astype(np.float32), values):
            name = tensor.name
            tensor.CopyFrom(onnx.numpy_helper.from_array(halves, name + HALVED))
            nodes.append(_cast(name + HALVED, name, onnx.TensorProto.FLOAT))
    _put_first(model.graph, nodes)


def pack_halves(model: onnx.ModelProto, known: Mapping[str, Codes]) -> None:
    """Store constants of half precision as the codes that they were rounded from, in place.

    Args:
        model: the graph, its constants in half precision.
        known: codes by the constants' names.
    """
    nodes: list[onnx.NodeProto] = []
    for tensor in list(model.graph.initializer):
        codes = known.get(tensor.name)
        if codes is None or tensor.data_type != onnx.TensorProto.FLOAT16:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        # The conversion raises the smallest values to the least that half precision holds.
        if np.allclose(codes.values().astype(np.float16), values, rtol=0, atol=_SMALLEST):
            nodes += _put_codes(model.graph, tensor, codes, half=True)
    _put_first(model.graph, nodes)


def unpack(model: onnx.ModelProto) -> dict[str, Codes]:
    """Undo ``pack``, in place.

    Returns:
        The codes that were stored, by the constants' names.
    """
    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    known: dict[str, Codes] = {}
    kept = []
    for node in graph.node:
        source = node.input[0] if node.input else ""
        if node.op_type == "Cast" and source.endswith(HALVED):
            values = onnx.numpy_helper.to_array(tensors[source]).astype(np.float32)
            tensors[source].CopyFrom(onnx.numpy_helper.from_array(values, node.output[0]))
        elif node.op_type == "Mul" and node.input[1].endswith(SCALES):
            codes, scales = (tensors[node.output[0] + part] for part in (CODES, SCALES))
            known[node.output[0]] = Codes(*map(onnx.numpy_helper.to_array, (codes, scales)))
            values = known[node.output[0]].values()
            codes.CopyFrom(onnx.numpy_helper.from_array(values, node.output[0]))
            graph.initializer.remove(scales)
        elif not (node.op_type == "Cast" and source.endswith(CODES)):
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)
    return known


def _put_codes(
    graph: onnx.GraphProto, tensor: onnx.TensorProto, codes: Codes, *, half: bool = False
) -> list[onnx.NodeProto]:
    """Store a constant as codes; give the nodes that restore it."""
    name = tensor.name
    tensor.CopyFrom(onnx.numpy_helper.from_array(codes.codes, name + CODES))
    graph.initializer.append(onnx.numpy_helper.from_array(codes.scales, name + SCALES))
    whole = name + "/whole" if half else name
    nodes = [
        _cast(name + CODES, name + "/levels", onnx.TensorProto.FLOAT),
        onnx.helper.make_node("Mul", [name + "/levels", name + SCALES], [whole], whole),
    ]
    if half:
        nodes.append(_cast(whole, name, onnx.TensorProto.FLOAT16))
    return nodes


def _cast(source: str, into: str, kind: int) -> onnx.NodeProto:
    return onnx.helper.make_node("Cast", [source], [into], f"{into}/cast", to=kind)


def _put_first(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    nodes = [*nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
