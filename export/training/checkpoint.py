"""Where a training run stands, on disk: enough to go on as if it had never stopped."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from export.errors import CheckpointError
from export.networks.registry import network_like
from export.state_file import read_state
from export.training.config import TrainingConfig
from export.weights_file import read_weights

KEPT_SUFFIX = ".safetensors"
# How long a run takes and where may change on the way; what it learns from may not.
MAY_CHANGE = frozenset({"steps", "minutes", "device"})


@dataclass
class Checkpoint:
    """A run's state after ``step`` steps."""

    step: int
    network: dict[str, Any]
    average: dict[str, Any]
    optimiser: dict[str, Any]
    best_iou: float
    trained_s: float
    config: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write; a run killed while writing keeps its last whole checkpoint."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        torch.save(vars(self), partial)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path, config: dict[str, Any]) -> "Checkpoint":
        """Read what ``save`` wrote.

        Raises:
            CheckpointError: the file is no checkpoint, or one of another configuration.
        """
        try:
            checkpoint = cls(**load_state(path))
        except TypeError as exc:
            raise CheckpointError(f"{path} is no checkpoint: {exc}") from exc
        # A setting that is younger than the checkpoint was as it is by default.
        before = {**TrainingConfig().as_dict(), **checkpoint.config}
        changed = sorted(
            name
            for name in config.keys() | before.keys()
            if config.get(name) != before.get(name) and name not in MAY_CHANGE
        )
        if changed:
            raise CheckpointError(f"{path} was made with other settings: {', '.join(changed)}")
        return checkpoint


def load_state(path: Path) -> dict[str, Any]:
    """Read what torch wrote: tensors and plain data, never code.

    Raises:
        CheckpointError: the file is missing or of another sort.
    """
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as exc:
        raise CheckpointError(f"{path} is no checkpoint: {str(exc).splitlines()[0]}") from exc
    return state


def open_network(path: Path) -> nn.Module:
    """Build the network whose weights a file holds, and fill it with them.

    Raises:
        CheckpointError: the file is missing or fits no network that can be trained.
    """
    state = read_state(path) if path.suffix == KEPT_SUFFIX else load_state(path)
    network = network_like(state)
    load_weights(network, path)
    return network


def load_weights(network: nn.Module, path: Path) -> None:
    """Read a network's weights: a run's ``best.pt``, or kept ones, ``NAME.safetensors``.

    Raises:
        CheckpointError: the file is missing or fits another network.
    """
    if path.suffix == KEPT_SUFFIX:
        read_weights(network, path)
        return
    try:
        network.load_state_dict(load_state(path))
    except RuntimeError as exc:
        raise CheckpointError(f"{path} fits another network: {exc}") from exc
