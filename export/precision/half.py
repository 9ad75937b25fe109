"""Half precision: every float between a graph's bytes in and its bytes out takes 16 bits.

Nothing of the default network overflows: its norms keep activations within a few hundreds, and the
softmax of its attention subtracts the largest score before it exponentiates. A network of which
that is not true fails the comparison with full precision that follows every conversion.
"""

from pathlib import Path

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16

from export.compact_graph import pack_halves, unpack


def write_half(source: Path, into: Path) -> None:
    """Write a graph with its weights and arithmetic in half precision.

    Args:
        source: an ONNX file in full precision; weights that it stores as codes stay stored so.
        into: the file to write.
    """
    full = onnx.load(source)
    codes = unpack(full)
    model = convert_float_to_float16(full, keep_io_types=True, op_block_list=[])
    _fold_casts_of_constants(model.graph)
    pack_halves(model, codes)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, into)


def _fold_casts_of_constants(graph: onnx.GraphProto) -> None:
    """Turn constants that are cast back to 32 bits (a resize's factors) into 32-bit constants."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "Cast"]:
        constant = constants.get(node.input[0])
        if constant is None or node.attribute[0].i != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(constant).astype("float32")
        graph.initializer.append(onnx.numpy_helper.from_array(values, node.output[0]))
        graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
