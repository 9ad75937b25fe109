"""Draws contact sheets of judged mattes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.evaluate import COLUMNS, Judged
from tools.sheet import Tile, write_sheet

TILE_MOST_PX = 320


def write_judged_sheet(judged: Mapping[str, Sequence[Judged]], path: Path) -> None:
    """Write a sheet of one set: photo and reference, then each model's matte and difference.

    A row is a photo. In the difference, white is agreement, red foreground too much and blue
    foreground too little, the stronger the more.

    Args:
        judged: by a model's label, its mattes of the same photos in the same order.
        path: of the picture to write; its folder is made.
    """
    headings = ["photo", "reference"]
    for label in judged:
        headings += [f"matte {label}", "difference: red too much, blue too little"]
    rows = []
    for mattes in zip(*judged.values(), strict=True):
        photo = mattes[0].photo
        row = [Tile(photo.rgb, photo.name), Tile(photo.reference)]
        for one in mattes:
            difference = signed_difference(one.matte, photo.reference)
            row += [Tile(one.matte, _figures(one)), Tile(difference)]
        rows.append(row)
    tile_px = min(len(next(iter(judged.values()))[0].matte), TILE_MOST_PX)
    write_sheet(rows, path, tile_px=tile_px, headings=headings)


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
