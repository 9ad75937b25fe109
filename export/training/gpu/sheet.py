"""A contact sheet of what is composed on the device: pictures beside their mattes."""

from pathlib import Path

from export.training.dice import Dice
from export.training.gpu.config import DeviceConfig
from export.training.gpu.feed import Feed
from export.training.gpu.scenes import compose_on
from export.training.gpu.workers import Workers
from export.training.sheet import write_picture_sheet


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
    write_picture_sheet([("", batch)], path)
    print(path)
