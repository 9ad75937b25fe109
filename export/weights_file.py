"""Weights on disk: safetensors in fewer bits, and a card that says where they come from.

``export.compact`` tells what is stored; ``docs/training.md`` tells what it changes. The card
travels with the weights and, as ``metadata_props``, with every ONNX file built from them.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import onnx
import safetensors.numpy
import torch
from google.protobuf.message import DecodeError
from torch import Tensor, nn

from export.compact import pack_state
from export.errors import CheckpointError
from export.state_file import read_state


@dataclass(frozen=True)
class Source:
    """Pictures that weights learned from, or a network."""

    pictures: str  # what they are
    origin: str  # public repository or package
    licence: str


@dataclass(frozen=True)
class ModelCard:
    """What a user must know of a model's weights."""

    name: str
    network: str  # module of ``export.networks``
    licence: str  # of the weights
    side: int  # height and width of the input, pixels
    parameters: int
    command: str  # that trained it
    seed: int
    trained: dict[str, float | str]  # steps, minutes; of a run on a device its name, pictures
    measures: dict[str, dict[str, float]]  # by set of pictures: iou, mae
    sources: tuple[Source, ...]
    # Weights that these began with, and networks that taught them, with what is known of the terms.
    learned_from: tuple[Source, ...] = ()

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> "ModelCard":
        """Read what ``write`` wrote.

        Raises:
            CheckpointError: the file is missing or no card.
        """
        try:
            values: dict[str, Any] = json.loads(path.read_text())
            sources = tuple(Source(**source) for source in values.pop("sources"))
            learned_from = tuple(Source(**one) for one in values.pop("learned_from", ()))
            return cls(**values, sources=sources, learned_from=learned_from)
        except (OSError, ValueError, TypeError, KeyError) as exc:
            raise CheckpointError(f"{path} is no model card: {exc}") from exc

    def metadata(self) -> dict[str, str]:
        """Give what an ONNX file carries of the card."""
        return {
            "model": self.name,
            "licence": self.licence,
            "training_command": self.command,
            "card": json.dumps(asdict(self)),
        }


def write_weights(network: nn.Module, path: Path) -> None:
    """Write a network's weights, rounded as ``export.compact`` does."""
    state = {
        name: value.detach().cpu().numpy()
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")  # only training counts
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(safetensors.numpy.save(pack_state(state)))


def read_weights(network: nn.Module, path: Path) -> None:
    """Fill a network with weights; each name and shape must be there, none besides.

    Raises:
        CheckpointError: the file is missing, or fits another network.
    """
    _fill(network, read_state(path), path)


def read_checkpoint(network: nn.Module, path: Path) -> None:
    """Fill a network with published weights, of safetensors or as torch saves them.

    No code that such a file may carry is run.

    Raises:
        CheckpointError: the file is missing, holds more than tensors by name, or fits another
            network.
    """
    if path.suffix == ".safetensors":
        read_weights(network, path)
        return
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, UnpicklingError) as exc:
        raise CheckpointError(f"{path} cannot be read as weights: {exc}") from exc
    if not isinstance(stored, dict) or not all(isinstance(one, Tensor) for one in stored.values()):
        found = sorted(map(str, stored))[:5] if isinstance(stored, dict) else type(stored).__name__
        raise CheckpointError(f"{path} does not hold tensors by name but {found}")
    _fill(network, stored, path)


def read_folded(network: nn.Module, path: Path) -> None:
    """Fill a network with the weights of an ONNX file that its batch norms are folded into.

    A node ``/stage1/rebnconv1/conv_s1/Conv`` is the layer ``stage1.rebnconv1.conv_s1``. Each norm
    of the network becomes the identity: the file's convolutions have taken it in.

    Args:
        network: to fill; every convolution of it must be in the file, and none besides.
        path: of the ONNX file.

    Raises:
        CheckpointError: the file is missing, or fits another network.
    """
    try:
        graph = onnx.load(path).graph
    except (OSError, DecodeError) as exc:
        raise CheckpointError(f"{path} cannot be read: {exc}") from exc
    values = {
        one.name: torch.from_numpy(onnx.numpy_helper.to_array(one).copy())
        for one in graph.initializer
    }
    stored = {}
    for node in graph.node:
        if node.op_type == "Conv":
            layer = node.name.strip("/").removesuffix("/Conv").replace("/", ".")
            for part, name in zip(("weight", "bias"), node.input[1:], strict=False):
                if name not in values:
                    raise CheckpointError(f"{path}: {node.name} computes its {part}")
                stored[f"{layer}.{part}"] = values[name]
    for name, layer in network.named_modules():
        if isinstance(layer, nn.BatchNorm2d):
            zero, one = torch.zeros(layer.num_features), torch.ones(layer.num_features)
            stored |= {
                # Of a variance of one the norm takes the root of one and a little.
                f"{name}.weight": one * math.sqrt(1 + layer.eps),
                f"{name}.bias": zero,
                f"{name}.running_mean": zero,
                f"{name}.running_var": one,
            }
    _fill(network, stored, path)


def _fill(network: nn.Module, stored: dict[str, Tensor], path: Path) -> None:
    wanted = network.state_dict()
    counters = {name for name in wanted if name.endswith("num_batches_tracked")}
    if stored.keys() - counters != wanted.keys() - counters:
        differing = sorted((stored.keys() ^ wanted.keys()) - counters)
        raise CheckpointError(f"{path} fits another network; names differ: {differing[:5]}")
    for name, value in stored.items():
        if value.shape != wanted[name].shape:
            raise CheckpointError(f"{path}: {name} is {value.shape}, not {wanted[name].shape}")
    network.load_state_dict(
        {name: value.to(torch.float32) for name, value in stored.items()}, strict=False
    )
