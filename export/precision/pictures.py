"""Pictures to calibrate on and others to judge by, both composed from the training folder."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from export.photos import Photo
from export.training.bank import open_bank
from export.training.compose import compose_batch
from export.training.config import TrainingConfig
from export.training.dice import Dice
from export.training.held_out import resized
from export.training.sources import read_pictures
from export.training.validation import validation_batches

CALIBRATION_SEED = 7  # the same pictures for every model
CALIBRATION_BATCHES = 4
OBJECTS = 40  # rendered of each kind
BATCH = 8


@dataclass(frozen=True)
class PrecisionPictures:
    """What precision is chosen by.

    ``calibration``: (S, S, 3) uint8, of the part that networks are trained on; ``held_out``: of the
    part that they are not.
    """

    calibration: list[NDArray[np.uint8]]
    held_out: list[Photo]


def read_precision_pictures(folder: Path, side: int, bank: Path | None = None) -> PrecisionPictures:
    """Compose both sorts of pictures.

    Args:
        folder: of training pictures, see ``docs/training.md``.
        side: height and width of the model's input, pixels.
        bank: that a training run left of such a folder, to be read instead of it.

    Raises:
        PicturesError: the folder is not of that form.
        CheckpointError: the bank is missing or no bank.
    """
    # A few objects of each kind are enough for so few pictures.
    config = TrainingConfig(rendered_objects=OBJECTS, drawn_shapes=OBJECTS, drawn_grounds=OBJECTS)
    composed = config.stages[-1].side
    train, held_out = open_bank(bank) if bank else read_pictures(folder, config)
    scenes = [
        compose_batch(Dice(CALIBRATION_SEED, index), train, config.scene, BATCH, composed)
        for index in range(CALIBRATION_BATCHES)
    ]
    judged = validation_batches(held_out, config.scene, composed)
    calibration = [photo for batch in scenes for photo in _photos(batch.rgb, batch.alpha)]
    photos = [photo for batch in judged for photo in _photos(batch.rgb, batch.alpha)]
    return PrecisionPictures(
        [photo.rgb for photo in resized(calibration, side)], resized(photos, side)
    )


def _photos(rgb: torch.Tensor, alpha: torch.Tensor) -> list[Photo]:
    """Turn (N, 3, S, S) and (N, 1, S, S) in [0, 1] into photos with their references."""
    pixels = np.rint(rgb.permute(0, 2, 3, 1).numpy().clip(0, 1) * 255).astype(np.uint8)
    return [Photo("composed", *pair) for pair in zip(pixels, alpha[:, 0].numpy(), strict=True)]
