"""From a trained network to the graph that Triton serves: bytes in, bytes out.

Everything around the network (normalisation, layout, sigmoid, rounding) goes into the graph, so
that mean and deviation exist in one place and the wire carries a quarter of what floats would.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from export.networks.lite import Foldable
from export.networks.matte import ConvNorm
from export.recipes import RGB, Recipe
from export.tensor_names import MATTE, PHOTO

OPSET = 18  # what the ONNX Runtime of Triton 2.51 (24.10) fully covers
MATRIX = 2  # dimensions from which a constant is stored in half precision
HALVED = "/half"  # ends the name of such a constant
LARGEST_IR_VERSION = 10  # likewise; the exporter would write a newer one


class ServedMatte(nn.Module):
    """A matting network behind the wire contract."""

    scale: Tensor
    shift: Tensor

    def __init__(self, network: nn.Module, recipe: Recipe | None = None) -> None:
        """Wrap a network that gives logits; it takes sRGB in [-1, 1] unless a recipe differs."""
        super().__init__()
        self.network = network
        scale = recipe.scale if recipe else (1 / 127.5,) * RGB
        shift = recipe.shift if recipe else (-1.0,) * RGB
        self.register_buffer("scale", torch.tensor(scale).view(1, RGB, 1, 1))
        self.register_buffer("shift", torch.tensor(shift).view(1, RGB, 1, 1))

    def forward(self, photo: Tensor) -> Tensor:
        """Cut out.

        Args:
            photo: (N, H, W, 3) uint8, sRGB.

        Returns:
            (N, H, W, 1) uint8, 255 = foreground.
        """
        rgb = photo.permute(0, 3, 1, 2).float() * self.scale + self.shift  # (N, 3, H, W)
        matte = torch.sigmoid(self.network(rgb))  # (N, 1, H, W)
        return torch.round(matte * 255.0).to(torch.uint8).permute(0, 2, 3, 1)


def fold_norms(network: nn.Module) -> nn.Module:
    """Merge each batch norm into the convolution before it, in place; answers stay the same."""
    if isinstance(network, Foldable):
        network.fold()
    for name, child in network.named_children():
        if isinstance(child, ConvNorm):
            convolution, norm = child
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(network, name, fuse_conv_bn_eval(convolution, norm))
        else:
            fold_norms(child)
    return network


def write_onnx(
    network: nn.Module,
    side: int,
    path: Path,
    metadata: Mapping[str, str],
    recipe: Recipe | None = None,
    *,
    halve: bool = False,
) -> onnx.ModelProto:
    """Write a matting network as an ONNX file.

    Args:
        network: gives logits; its norms get folded.
        side: height and width that the graph takes, pixels.
        path: of the file.
        metadata: carried in the file's ``metadata_props``.
        recipe: of the network's input; None where it takes sRGB in [-1, 1].
        halve: store weights that half precision holds exactly in it, which halves the file.

    Returns:
        The graph as written, past ONNX's own full check.
    """
    served = ServedMatte(fold_norms(network.eval()), recipe).eval()
    example = torch.zeros(2, side, side, 3, dtype=torch.uint8)
    program = torch.onnx.export(
        served,
        (example,),
        dynamo=True,
        opset_version=OPSET,
        input_names=[PHOTO],
        output_names=[MATTE],
        dynamic_shapes={"photo": {0: torch.export.Dim("batch", min=1, max=1024)}},
        optimize=True,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("the exporter returned no program")
    model = program.model_proto
    model.ir_version = min(model.ir_version, LARGEST_IR_VERSION)
    _forget_sources(model)
    onnx.helper.set_model_props(model, dict(metadata))
    if halve:
        halve_weights(model)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return model


def round_weights(network: nn.Module) -> nn.Module:
    """Round what ``halve_weights`` stores in half precision, in place."""
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim > 1:
                weight.copy_(weight.half())
    return network


def halve_weights(model: onnx.ModelProto) -> None:
    """Store large constants that half precision holds exactly in it, each behind a cast, in place.

    Arithmetic stays in full precision: the runtime casts once, when it loads the file.
    """
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.dims) < MATRIX:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        halves = values.astype(np.float16)
        if not np.array_equal(halves.astype(np.float32), values):
            continue
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(halves, name + HALVED))
        to = onnx.TensorProto.FLOAT
        casts.append(onnx.helper.make_node("Cast", [name + HALVED], [name], f"{name}/whole", to=to))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def restore_weights(model: onnx.ModelProto) -> None:
    """Undo ``halve_weights``, in place."""
    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        if node.op_type != "Cast" or not node.input[0].endswith(HALVED):
            kept.append(node)
            continue
        tensor = tensors[node.input[0]]
        values = onnx.numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, node.output[0]))
    del graph.node[:]
    graph.node.extend(kept)


def _forget_sources(model: onnx.ModelProto) -> None:
    """Drop the stack traces and paths that the exporter notes at every node."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    for tensor in model.graph.initializer:
        del tensor.metadata_props[:]
    del model.graph.metadata_props[:]
