"""Contact sheets: every picture in its place, with what is written about it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.sheet import Tile, write_sheet

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
PAPER = (236, 238, 241)


def plain(color: tuple[int, int, int], side: int = 40) -> np.ndarray:
    return np.full((side, side, 3), color, np.uint8)


def drawn(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_tiles_stand_in_rows_with_gaps_and_lines_of_text(tmp_path: Path) -> None:
    path = tmp_path / "new" / "sheet.png"
    rows = [[Tile(plain(RED), "red"), Tile(plain(GREEN))], [Tile(plain(BLUE, 80))]]
    write_sheet(rows, path, tile_px=40, gap_px=10, label_px=20, headings=["one", "two"])
    sheet = drawn(path)
    # A heading, then twice a gap, a picture and its text, and the last gap.
    assert sheet.shape == (20 + 2 * (10 + 40 + 20) + 10, 2 * (10 + 40) + 10, 3)
    for color, left, top in ((RED, 10, 30), (GREEN, 60, 30), (BLUE, 10, 100)):
        assert (sheet[top : top + 40, left : left + 40] == color).all()
    text = sheet[70:90]
    assert (text[:, :100] != PAPER).any()
    assert (sheet[90:100] == PAPER).all()
    assert (sheet[100:140, 60:100] == PAPER).all()


def test_text_is_cut_where_the_next_begins_and_may_run_on_where_none_does(tmp_path: Path) -> None:
    long = "much more than there is room for below one picture"

    def ink_of(*labels: str) -> int:
        """Count the columns below the first two pictures that are written on."""
        path = tmp_path / "sheet.png"
        row = [Tile(plain(RED), label) for label in labels]
        write_sheet([row], path, tile_px=40)
        return int((drawn(path)[41:, :80] != PAPER).any(axis=(0, 2))[40:].sum())

    assert ink_of(long, "", ".") > 20
    assert ink_of(long, ".", ".") < 5


def test_without_labels_there_is_no_room_for_any(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    write_sheet([[Tile(plain(RED))]], path, tile_px=30)
    assert drawn(path).shape == (30, 30, 3)


def test_floats_are_shares_and_one_channel_is_grey(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    write_sheet([[Tile(np.full((4, 4), 0.5)), Tile(np.ones((4, 4, 3)))]], path, tile_px=4)
    sheet = drawn(path)
    assert (sheet[:, :4] == 128).all()
    assert (sheet[:, 4:] == 255).all()


@pytest.mark.parametrize("size", [(60, 30), (30, 60)])
def test_a_file_keeps_its_shape_and_its_transparency_shows_a_checker(
    size: tuple[int, int], tmp_path: Path
) -> None:
    picture, path = tmp_path / "picture.png", tmp_path / "sheet.png"
    Image.new("RGBA", size, (255, 0, 0, 0)).save(picture)
    write_sheet([[Tile(picture)]], path, tile_px=48)
    sheet = drawn(path)
    if size[0] < size[1]:
        sheet = sheet.swapaxes(0, 1)
    assert (sheet[:12] == PAPER).all()
    assert (sheet[12:24, :12] == 255).all()
    assert (sheet[12:24, 12:24] == (214, 217, 222)).all()
    assert (sheet[36:] == PAPER).all()
