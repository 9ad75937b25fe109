"""Where a training run stands, on disk: enough to go on as if it had never stopped."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from export.errors import CheckpointError

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
        changed = sorted(
            name
            for name in config.keys() | checkpoint.config.keys()
            if config.get(name) != checkpoint.config.get(name) and name not in MAY_CHANGE
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
