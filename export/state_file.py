"""Reads the weights of a network from a safetensors file. Needs torch, not onnx."""

from pathlib import Path

import safetensors.numpy
import torch
from safetensors import SafetensorError
from torch import Tensor

from export.compact import unpack_state
from export.errors import CheckpointError


def read_state(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file by name, floats in 32 bits.

    Raises:
        CheckpointError: the file is missing or of another form.
    """
    try:
        stored = unpack_state(safetensors.numpy.load_file(path))
    except (OSError, SafetensorError, KeyError) as exc:
        raise CheckpointError(f"{path} cannot be read: {exc}") from exc
    return {name: torch.from_numpy(value) for name, value in stored.items()}
