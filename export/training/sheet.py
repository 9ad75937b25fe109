"""A contact sheet of what training sees: pictures beside their mattes, by kind."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from export.training.batch import Batch
from export.training.compose import compose_batch
from export.training.config import SceneConfig
from export.training.dice import Dice
from export.training.sources import Pictures
from tools.sheet import Tile, write_sheet

PHOTO = "photo"  # whole ones with their own mask
COLUMNS = 6


def draw_samples(
    pictures: Pictures, scene: SceneConfig, seed: int, count: int, side: int
) -> list[tuple[str, Batch]]:
    """Compose pictures one by one, each of a kind drawn beforehand, in a run's proportions.

    Args:
        pictures: what scenes are made of.
        scene: how often what happens.
        seed: decides everything.
        count: of pictures.
        side: of the pictures, pixels.

    Returns:
        The kind of the object, ``PHOTO`` for whole photos, and a batch of one.
    """
    share = 1 - scene.masked_share
    total = sum(scene.cutouts.values())
    weights = {PHOTO: scene.masked_share}
    weights |= {kind: share * weight / total for kind, weight in scene.cutouts.items()}
    samples = []
    for number, kind in enumerate(Dice(seed).kinds(weights, count)):
        own = replace(scene, masked_share=1.0)
        if kind != PHOTO:
            own = replace(scene, masked_share=0.0, cutouts={kind: 1.0})
        samples.append((kind, compose_batch(Dice(seed, number), pictures, own, 1, side)))
    return samples


def write_picture_sheet(samples: list[tuple[str, Batch]], path: Path) -> None:
    """Write samples as a contact sheet, each picture with its matte on its right.

    Args:
        samples: what is written below the pictures of a batch, empty for nothing, and the batch.
        path: of the sheet to write; its folder is made.
    """
    tiles = [
        tile
        for kind, batch in samples
        for rgb, alpha in zip(_pixels(batch.rgb), _pixels(batch.alpha), strict=True)
        for tile in (Tile(rgb, kind), Tile(alpha[..., 0]))
    ]
    rows = [tiles[start : start + 2 * COLUMNS] for start in range(0, len(tiles), 2 * COLUMNS)]
    write_sheet(rows, path, tile_px=samples[0][1].rgb.shape[-1])


def _pixels(batch: Tensor) -> NDArray[np.floating]:
    """Return (N, 3 or 1, H, W) as (N, H, W, 3 or 1), on the CPU."""
    return np.asarray(batch.permute(0, 2, 3, 1).cpu().numpy())
