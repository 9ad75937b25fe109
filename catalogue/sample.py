"""The contact sheet of a sample: each photo above its packshot, or above why there is none."""

import io
from typing import Any

import duckdb
from PIL import Image, ImageDraw, ImageFont

from catalogue.pictures import thumbnail
from catalogue.places import Place, join
from catalogue.results import LATEST, Results

SHEET = "OUTPUT/_sample/sheet.jpg"
_NAME = "_sample/sheet.jpg"
_TILE_PX, _GAP_PX, _LABEL_PX, _COLUMNS = 240, 10, 40, 8
_PAPER, _INK = (236, 238, 241), (60, 64, 72)


def write_contact_sheet(output: Place, count: int) -> str:
    """Write a sheet of the photos that were finished last.

    Args:
        output: The output of a job.
        count: Most photos on it.

    Returns:
        Where it is.

    Raises:
        OSError: It cannot be written.
    """
    with duckdb.connect() as connection:
        connection.register("rows", Results(output).reader())
        found = connection.execute(
            f"SELECT id, input, output, reason, confidence, complies FROM ({LATEST})"
            f" ORDER BY finished_at DESC, id LIMIT {int(count)}"
        ).fetchall()
    columns = min(len(found), _COLUMNS) or 1
    lines = -(-len(found) // columns) or 1
    across_px, down_px = _TILE_PX + _GAP_PX, 2 * (_TILE_PX + _GAP_PX) + _LABEL_PX
    sheet = Image.new("RGB", (columns * across_px + _GAP_PX, lines * down_px + _GAP_PX), _PAPER)
    for at, line in enumerate(sorted(found)):
        left, top = at % columns * across_px + _GAP_PX, at // columns * down_px + _GAP_PX
        _draw(sheet, left, top, line, output)
    sink = io.BytesIO()
    sheet.save(sink, "JPEG", quality=88)
    output.write(_NAME, sink.getvalue())
    return join(output.uri, _NAME)


def _draw(sheet: Image.Image, left: int, top: int, line: tuple[Any, ...], output: Place) -> None:
    name, photo, packshot, reason, confidence, complies = line
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    _place(sheet, left, top, Place(photo), "")
    below = top + _TILE_PX + _GAP_PX
    if packshot:
        _place(sheet, left, below, output, packshot)
        verdict = {True: ", complies", False: ", does not comply", None: ""}[complies]
        text = f"{confidence:.0%} sure{verdict}"
    else:
        text = str(reason)
    draw.text((left, below + _TILE_PX + 4), _shortened(name), fill=_INK, font=font)
    draw.text((left, below + _TILE_PX + 20), text, fill=_INK, font=font)


def _place(sheet: Image.Image, left: int, top: int, place: Place, name: str) -> None:
    try:
        tile = thumbnail(place.read(name), _TILE_PX)
    except OSError:
        return  # the label says why
    inset = (_TILE_PX - tile.width) // 2, (_TILE_PX - tile.height) // 2
    sheet.paste(tile, (left + inset[0], top + inset[1]))


def _shortened(text: str, most: int = 30) -> str:
    return text if len(text) <= most else f"…{text[1 - most :]}"
