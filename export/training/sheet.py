"""A contact sheet of what training sees: pictures beside their mattes, by kind."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from export.training.batch import Batch
from export.training.compose import compose_batch
from export.training.config import SceneConfig
from export.training.dice import Dice
from export.training.sources import Pictures

PHOTO = "photo"  # whole ones with their own mask
COLUMNS = 6
LABEL_HEIGHT_PX = 16


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
    """Write samples as a contact sheet, each picture with its matte on its right."""
    side = samples[0][1].rgb.shape[-1]
    rows = -(-len(samples) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * 2 * side, rows * (side + LABEL_HEIGHT_PX)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (kind, batch) in enumerate(samples):
        row, column = divmod(number, COLUMNS)
        x, y = column * 2 * side, row * (side + LABEL_HEIGHT_PX)
        draw.text((x + 4, y + 2), kind, fill="black")
        sheet.paste(_image(batch.rgb), (x, y + LABEL_HEIGHT_PX))
        sheet.paste(_image(batch.alpha.expand(-1, 3, -1, -1)), (x + side, y + LABEL_HEIGHT_PX))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _image(batch: Tensor) -> Image.Image:
    pixels = (batch[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    return Image.fromarray(pixels)
