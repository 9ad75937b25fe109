"""Contact sheets: pictures in rows, each with a line of text below it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

_PAPER: Final = (236, 238, 241)
_INK: Final = (60, 64, 72)
_CHECKER: Final = ((255, 255, 255), (214, 217, 222))
_CHECK_PX: Final = 12


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture on a sheet.

    Attributes:
        picture: Its file, or its pixels: (H, W) or (H, W, 3), uint8, or float from 0 to 1.
        label: What is written below it, as far as there is room up to the next label in its row;
            empty for nothing.
    """

    picture: Path | NDArray[np.uint8] | NDArray[np.floating]
    label: str = ""


def write_sheet(
    rows: Sequence[Sequence[Tile]],
    path: Path,
    *,
    tile_px: int,
    gap_px: int = 0,
    label_px: int = 16,
    headings: Sequence[str] = (),
) -> None:
    """Write pictures as a sheet.

    Args:
        rows: The tiles of each row, left to right.
        path: Where the sheet goes; its folder is made, its suffix decides the format.
        tile_px: The longest side that a picture is shown at.
        gap_px: Between two tiles, and around them all.
        label_px: Height of a line of text; there is none below the tiles if none has a label.
        headings: What is written above each column; empty for nothing.
    """
    columns = max(map(len, rows))
    below_px = label_px if any(tile.label for row in rows for tile in row) else 0
    above_px = label_px if headings else 0
    across_px, down_px = tile_px + gap_px, tile_px + gap_px + below_px
    size = (columns * across_px + gap_px, above_px + len(rows) * down_px + gap_px)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(label_px * 0.55)

    def write(texts: Sequence[str], top_px: int) -> None:
        for column, text in enumerate(texts):
            if not text:
                continue
            after = next((n for n, each in enumerate(texts[column + 1 :]) if each), None)
            span = len(texts) - column if after is None else after + 1
            room_px = span * across_px - gap_px
            line = text
            while line and draw.textlength(line, font) > room_px:
                line = line[:-1]
            middle = (gap_px + column * across_px + room_px // 2, top_px + label_px // 2)
            draw.text(middle, line, fill=_INK, font=font, anchor="mm")

    write(headings, gap_px // 2)
    for y, row in enumerate(rows):
        top_px = above_px + gap_px + y * down_px
        for x, tile in enumerate(row):
            picture = _shown(tile.picture, tile_px)
            inset = (tile_px - picture.width) // 2, (tile_px - picture.height) // 2
            sheet.paste(picture, (gap_px + x * across_px + inset[0], top_px + inset[1]))
        write([tile.label for tile in row], top_px + tile_px)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, quality=88)


def _shown(picture: Path | NDArray[np.generic], tile_px: int) -> Image.Image:
    if isinstance(picture, Path):
        with Image.open(picture) as image:
            tile = ImageOps.contain(ImageOps.exif_transpose(image), (tile_px, tile_px))
    else:
        if picture.dtype != np.uint8:
            picture = np.rint(picture.astype(np.float64) * 255)
        tile = Image.fromarray(picture.astype(np.uint8))
        tile = ImageOps.contain(tile, (tile_px, tile_px), Image.Resampling.BOX)
    return _over_checker(tile) if tile.mode == "RGBA" else tile.convert("RGB")


def _over_checker(tile: Image.Image) -> Image.Image:
    y, x = np.indices((tile.height, tile.width)) // _CHECK_PX
    checker = Image.fromarray(np.array(_CHECKER, np.uint8)[(x + y) % 2])
    checker.paste(tile, mask=tile.getchannel("A"))
    return checker
