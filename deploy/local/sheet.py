"""Sheets of pictures: one column a photo, the photo above what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

_PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_GAP_PX = 12
_LABEL_PX = 26
_PAPER = (236, 238, 241)
_INK = (60, 64, 72)
_CHECKER = ((255, 255, 255), (214, 217, 222))
_CHECK_PX = 12


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture on a sheet.

    Attributes:
        picture: Its file.
        label: What is written below it; empty for nothing.
    """

    picture: Path
    label: str = ""


def photos_in(folder: Path) -> list[Path]:
    """Find the photos of a folder; reference mattes, `NAME.matte.png`, are left out."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in _PHOTO_SUFFIXES and not path.stem.endswith(".matte")
    ]


def write_sheet(columns: Sequence[Sequence[Tile]], path: Path, *, tile_px: int = 360) -> None:
    """Write pictures as a sheet.

    Args:
        columns: The tiles of each column, top to bottom.
        path: Where the sheet goes, a JPEG.
        tile_px: The longest side that a picture is shown at.
    """
    rows = max(len(column) for column in columns)
    label_px = _LABEL_PX if any(tile.label for column in columns for tile in column) else 0
    across_px, down_px = tile_px + _GAP_PX, tile_px + _GAP_PX + label_px
    size = (len(columns) * across_px + _GAP_PX, rows * down_px + _GAP_PX)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_LABEL_PX * 0.55)
    for x, column in enumerate(columns):
        for y, tile in enumerate(column):
            left, top = _GAP_PX + x * across_px, _GAP_PX + y * down_px
            picture = _shown(tile.picture, tile_px)
            inset = (tile_px - picture.width) // 2, (tile_px - picture.height) // 2
            sheet.paste(picture, (left + inset[0], top + inset[1]))
            if tile.label:
                below = (left + tile_px // 2, top + tile_px + label_px // 2)
                draw.text(below, tile.label, fill=_INK, font=font, anchor="mm")
    sheet.save(path, quality=88)


def _shown(path: Path, tile_px: int) -> Image.Image:
    with Image.open(path) as image:
        tile = ImageOps.contain(ImageOps.exif_transpose(image), (tile_px, tile_px))
    if tile.mode != "RGBA":
        return tile.convert("RGB")
    checker = Image.new("RGB", tile.size)
    squares = [
        (x, y) for y in range(0, tile.height, _CHECK_PX) for x in range(0, tile.width, _CHECK_PX)
    ]
    for x, y in squares:
        color = _CHECKER[(x + y) // _CHECK_PX % 2]
        checker.paste(
            color, (x, y, min(x + _CHECK_PX, tile.width), min(y + _CHECK_PX, tile.height))
        )
    checker.paste(tile, mask=tile.getchannel("A"))
    return checker
