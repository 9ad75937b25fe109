"""A contact sheet of what is composed on the device: pictures beside their mattes."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from export.training.dice import Dice
from export.training.gpu.config import DeviceConfig
from export.training.gpu.feed import Feed
from export.training.gpu.scenes import compose_on
from export.training.gpu.workers import Workers

COLUMNS = 6


def draw_sheet(config: DeviceConfig, path: Path) -> None:
    """Compose one batch and write it as a sheet, each picture with its matte on its right."""
    workers = Workers([Path(one) for one in config.packs], config.workers, config.seed)
    feed = Feed(config, workers, lambda: config.sides[-1][1])
    try:
        dice = Dice(config.seed, device=config.device)
        side = config.sides[-1][1]
        batch = compose_on(dice, feed.bank, config.scenes, config.batch, side)
    finally:
        feed.close()
    pairs = torch.cat([batch.rgb, batch.alpha.expand(-1, 3, -1, -1)], dim=3)
    pixels = (pairs.permute(0, 2, 3, 1).cpu().numpy() * 255).round().astype(np.uint8)
    rows = [
        np.concatenate(list(pixels[start : start + COLUMNS]), axis=1)
        for start in range(0, len(pixels) - COLUMNS + 1, COLUMNS)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(path)
    print(path)
