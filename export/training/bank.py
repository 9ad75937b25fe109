"""Keeps the pictures of a training folder on disk as they are in memory.

Reading, cutting out and rendering take minutes; a run that goes on reads its pictures in seconds,
and the system may drop their pages when others need the memory.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from export.errors import CheckpointError
from export.training.config import TrainingConfig
from export.training.sources import Pictures, read_pictures

# What decides the pictures; the rest of a configuration decides what is made of them.
DECIDES = (
    "seed",
    "mattes",
    "objects",
    "photo_side",
    "cutout_side",
    "drawn_shapes",
    "rendered_objects",
    "drawn_grounds",
)


def read_or_make(
    folder: Path, config: TrainingConfig, bank: Path | None
) -> tuple[Pictures, Pictures]:
    """Read a folder's pictures from the bank, which is made if it is missing or of other settings.

    Args:
        folder: of training pictures.
        config: of the run.
        bank: file to keep them in; None: none is kept.

    Returns:
        The pictures to train on and those held out, as ``read_pictures`` gives them.

    Raises:
        PicturesError: the folder is not of the expected form.
        CheckpointError: the bank is no file of this form.
    """
    if bank is None:
        return read_pictures(folder, config)
    key = _key(folder, config)
    if bank.exists():
        stored = _load(bank)
        if stored["key"] == key:
            return _both(stored)
    train, held_out = read_pictures(folder, config)
    bank.parent.mkdir(parents=True, exist_ok=True)
    partial = bank.with_suffix(".partial")
    torch.save({"key": key, "train": vars(train), "held_out": vars(held_out)}, partial)
    partial.replace(bank)
    return open_bank(bank)


def open_bank(bank: Path) -> tuple[Pictures, Pictures]:
    """Give the pictures of a bank, whatever settings it was made with.

    Raises:
        CheckpointError: the bank is missing or no file of this form.
    """
    return _both(_load(bank))


def _both(stored: dict[str, Any]) -> tuple[Pictures, Pictures]:
    return Pictures(**stored["train"]), Pictures(**stored["held_out"])


def _load(bank: Path) -> dict[str, Any]:
    try:
        stored: dict[str, Any] = torch.load(bank, weights_only=True, mmap=True)
        if stored.keys() != {"key", "train", "held_out"}:
            raise CheckpointError(f"{bank} is no bank of pictures")
    except (OSError, RuntimeError, AttributeError) as exc:
        raise CheckpointError(f"{bank} is no bank of pictures: {exc}") from exc
    return stored


def _key(folder: Path, config: TrainingConfig) -> str:
    """Tell settings and the code that reads, draws and renders apart."""
    values = asdict(config)
    decides: dict[str, Any] = {name: values[name] for name in DECIDES}
    decides["kinds"] = sorted(config.scene.cutouts), sorted(config.scene.backgrounds)
    decides["folder"] = str(folder.resolve())
    digest = hashlib.sha256(json.dumps(decides).encode())
    own = Path(__file__).parent
    for name in ("sources", "cutouts", "shapes", "foliage", "modelled", "taught"):
        digest.update((own / f"{name}.py").read_bytes())
    for path in sorted((own / "objects").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
