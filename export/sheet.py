"""Draws contact sheets of judged mattes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from export.evaluate import COLUMNS, Judged

LABEL_HEIGHT_PX = 16
CELL_MOST_PX = 320


def write_sheet(judged: Mapping[str, Sequence[Judged]], path: Path) -> None:
    """Write a sheet of one set: photo and reference, then each model's matte and difference.

    A row is a photo. In the difference, white is agreement, red foreground too much and blue
    foreground too little, the stronger the more.

    Args:
        judged: by a model's label, its mattes of the same photos in the same order.
        path: of the picture to write; its folder is made.
    """
    by_photo = list(zip(*judged.values(), strict=True))
    side = len(by_photo[0][0].matte)
    cell = min(side, CELL_MOST_PX)
    columns = 2 + 2 * len(judged)
    height = LABEL_HEIGHT_PX + len(by_photo) * (cell + LABEL_HEIGHT_PX)
    sheet = Image.new("RGB", (columns * cell, height), "white")
    draw = ImageDraw.Draw(sheet)
    headings = ["photo", "reference"]
    for label in judged:
        headings += [f"matte {label}", "difference: red too much, blue too little"]
    for column, heading in enumerate(headings):
        _write(draw, (column * cell, 0), heading, cell)
    for row, mattes in enumerate(by_photo):
        y = LABEL_HEIGHT_PX + row * (cell + LABEL_HEIGHT_PX)
        photo = mattes[0].photo
        _write(draw, (0, y), photo.name, 2 * cell)
        pictures = [photo.rgb, _grey(photo.reference)]
        for index, one in enumerate(mattes):
            _write(draw, ((2 + 2 * index) * cell, y), _figures(one), 2 * cell)
            pictures += [_grey(one.matte), signed_difference(one.matte, photo.reference)]
        for column, pixels in enumerate(pictures):
            picture = Image.fromarray(pixels).resize((cell, cell), Image.Resampling.BOX)
            sheet.paste(picture, (column * cell, y + LABEL_HEIGHT_PX))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def signed_difference(
    matte: NDArray[np.floating], reference: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """Colour (H, W) differences: (H, W, 3), white none, red too much, blue too little."""
    gap = np.clip(matte - reference, -1, 1)
    much, little = np.maximum(gap, 0), np.maximum(-gap, 0)
    rgb = np.stack([1 - little, 1 - much - little, 1 - much], axis=2)
    return np.asarray(np.rint(rgb * 255), np.uint8)


def _figures(judged: Judged) -> str:
    figures = (f"{name} {getattr(judged.agreement, at):.2f}" for name, at in COLUMNS.items())
    return "  ".join(figures)


def _grey(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(values * 255), np.uint8)


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, width: int) -> None:
    """Write a line of black on white, cut where the room ends."""
    while text and draw.textlength(text) > width - 8:
        text = text[:-1]
    draw.text((at[0] + 4, at[1] + 2), text, fill="black")
