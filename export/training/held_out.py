"""The held-out part of a training folder as photos to judge finished models by."""

from pathlib import Path

import numpy as np
from PIL import Image

from export.photos import Photo, squash_matte, squash_photo
from export.training.config import TrainingConfig
from export.training.sources import read_pictures
from export.training.validation import validation_batches


def read_held_out(folder: Path, config: TrainingConfig) -> list[Photo]:
    """Compose the pictures that runs on this folder are validated by.

    Args:
        folder: of training pictures, see `docs/training.md`.
        config: of the run; its last stage's side is the pictures' size.

    Raises:
        PicturesError: the folder is not of that form.
    """
    _, held_out = read_pictures(folder, config)
    batches = validation_batches(held_out, config.scene, config.stages[-1].side)
    rgb = np.concatenate([batch.rgb.permute(0, 2, 3, 1).cpu().numpy() for batch in batches])
    alpha = np.concatenate([batch.alpha[:, 0].cpu().numpy() for batch in batches])
    pixels = np.rint(rgb.clip(0, 1) * 255).astype(np.uint8)
    return [
        Photo(f"held-out {index:03d}", *pair)
        for index, pair in enumerate(zip(pixels, alpha, strict=True))
    ]


def resized(photos: list[Photo], side: int) -> list[Photo]:
    """Give the same pictures at another size; those that have it already as they are."""
    return [one if len(one.rgb) == side else _resized(one, side) for one in photos]


def _resized(photo: Photo, side: int) -> Photo:
    grey = Image.fromarray(np.rint(photo.reference * 255).astype(np.uint8))
    rgb = squash_photo(Image.fromarray(photo.rgb), side)
    return Photo(photo.name, rgb, squash_matte(grey, side))
