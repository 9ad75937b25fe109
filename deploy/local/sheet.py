"""The demo's before-and-after sheet: each photo above its packshots."""

from pathlib import Path

from PIL import Image, ImageOps

_TILE_PX = 360
_GAP_PX = 12
_PAPER = (236, 238, 241)
_CHECKER = ((255, 255, 255), (214, 217, 222))
_CHECK_PX = 12


def write_sheet(columns: list[list[Path]], path: Path) -> None:
    """Write pictures as a sheet.

    Args:
        columns: For each photo its own path and then its packshots', top to bottom.
        path: Where the sheet goes, a JPEG.
    """
    rows = max(len(column) for column in columns)
    step_px = _TILE_PX + _GAP_PX
    size = (len(columns) * step_px + _GAP_PX, rows * step_px + _GAP_PX)
    sheet = Image.new("RGB", size, _PAPER)
    for x, column in enumerate(columns):
        for y, picture in enumerate(column):
            tile = _tile(picture)
            left = _GAP_PX + x * step_px + (_TILE_PX - tile.width) // 2
            top = _GAP_PX + y * step_px + (_TILE_PX - tile.height) // 2
            sheet.paste(tile, (left, top))
    sheet.save(path, quality=88)


def _tile(path: Path) -> Image.Image:
    with Image.open(path) as image:
        tile = ImageOps.contain(ImageOps.exif_transpose(image), (_TILE_PX, _TILE_PX))
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
