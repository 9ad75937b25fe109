"""What a run on a device leaves: weights in half precision, and a record of how they came about.

The folder can be carried to another machine; ``python -m export keep`` takes it like a run's own.
"""

import json
from pathlib import Path
from typing import Any, Final

import safetensors.torch
from torch import nn

from export.errors import CheckpointError

RECORD: Final = "run.json"
WEIGHTS: Final = "best.safetensors"
LATEST: Final = "latest.safetensors"
COUNTERS: Final = "num_batches_tracked"  # only training counts


def write_state(network: nn.Module, path: Path) -> None:
    """Write a network's weights in half precision; a reader finds the old file or the new one."""
    halves = {
        name: value.detach().half().cpu().contiguous() if value.is_floating_point() else value.cpu()
        for name, value in network.state_dict().items()
        if not name.endswith(COUNTERS)
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(safetensors.torch.save(halves))
    partial.replace(path)


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write a run's record."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / (RECORD + ".partial")
    partial.write_text(json.dumps(record, indent=2) + "\n")
    partial.replace(folder / RECORD)


def read_record(folder: Path) -> dict[str, Any]:
    """Read a run's record.

    Raises:
        CheckpointError: the folder holds none.
    """
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text())
    except (OSError, ValueError) as exc:
        raise CheckpointError(f"{folder} holds no run: {exc}") from exc
    return record
