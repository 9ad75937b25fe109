"""From a trained network to the graph that Triton serves: bytes in, bytes out.

Everything around the network (normalisation, layout, sigmoid, rounding) goes into the graph, so
that mean and deviation exist in one place and the wire carries a quarter of what floats would.
"""

from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from export.compact import round_weights
from export.compact_graph import pack
from export.networks.lite import Foldable
from export.networks.matte import ConvNorm
from export.recipes import RGB, Recipe
from export.tensor_names import MATTE, PHOTO

OPSET = 18  # what the ONNX Runtime of Triton 2.51 (24.10) fully covers
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
    packed: bool = False,
) -> onnx.ModelProto:
    """Write a matting network as an ONNX file.

    Args:
        network: gives logits; its norms get folded.
        side: height and width that the graph takes, pixels.
        path: of the file.
        metadata: carried in the file's ``metadata_props``.
        recipe: of the network's input; None where it takes sRGB in [-1, 1].
        packed: store weights in fewer bits where those hold them exactly, see ``export.compact``.

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
    if packed:
        pack(model)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return model


def round_network(network: nn.Module) -> nn.Module:
    """Round the weights of a network to what a file stores of them, in place."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.from_numpy(round_weights(weight.detach().cpu().numpy())))
    return network


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
