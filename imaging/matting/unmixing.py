"""Part of the third step: blur-fusion's two passes over a part of a photo, compiled.

Loops run along rows, over planes of one colour each, and have a length that the compiler knows: so
they become vector instructions without a rest. `imaging.matting.foreground` says what is computed.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from imaging.compiled import (
    DENSE_FLOATS_3D,
    DENSE_PIXELS_2D,
    DENSE_PIXELS_3D,
    DENSE_WRITTEN_3D,
    kernel,
    kernel_part,
)
from imaging.matting.wide_averages import STRIDE_PX, TRACE
from imaging.types import Pixels

Floats = npt.NDArray[np.float32]
_Line = npt.NDArray[np.float32]

# A part is at most so wide and high. A small one follows an edge more closely, a larger one shares
# more of what lies around it; and a photo's memory runs along its rows.
_TILE_PX: Final = 128
_TILE_ROWS: Final = 32
# What it and the averages around it take in steps of two pixels, and in cells of the wide averages.
_HALF: Final = _TILE_PX // 2 + 4
_HALF_ROWS: Final = _TILE_ROWS // 2 + 4
_PER_CELL: Final = STRIDE_PX // 2
_CELLS: Final = _HALF // _PER_CELL + 1
_OPAQUE: Final = 255


@kernel_part
def _corrected(f: np.float32, b: np.float32, share: np.float32, mixed: np.float32) -> np.float32:
    """Return the paper's F + alpha (I - alpha F - (1 - alpha) B), within 0 to 255."""
    rest = mixed - share * f - (np.float32(1) - share) * b
    return min(max(f + share * rest, np.float32(0)), np.float32(_OPAQUE))


@kernel_part
def _load(
    pixels: Pixels, opacity: Pixels, begin: int, colours: Floats, share: _Line, weight: _Line
) -> None:
    """Read every other pixel of a row from `begin` on; beyond the row's end there is no weight.

    Written to are colours, (3, _HALF), alpha as a share, and that with a trace, (_HALF,) float32.
    """
    if begin + 2 * _HALF <= opacity.size:
        for column in range(_HALF):
            share[column] = np.float32(opacity[begin + 2 * column]) * np.float32(1 / _OPAQUE)
            weight[column] = share[column] + np.float32(TRACE)
        for column in range(_HALF):
            for k in range(3):
                colours[k, column] = np.float32(pixels[begin + 2 * column, k])
        return
    colours[:], share[:], weight[:] = 0, 0, 0
    for column in range((opacity.size - begin + 1) // 2):
        share[column] = np.float32(opacity[begin + 2 * column]) * np.float32(1 / _OPAQUE)
        weight[column] = share[column] + np.float32(TRACE)
        colours[0, column] = pixels[begin + 2 * column, 0]
        colours[1, column] = pixels[begin + 2 * column, 1]
        colours[2, column] = pixels[begin + 2 * column, 2]


@kernel_part
def _widen(averages: Floats, y: int, first: int, line: _Line, wide: Floats) -> None:
    """Interpolate the wide averages along a row, at every other pixel from a cell's first on.

    Args:
        averages: As `average_widely` gives them.
        y: The row.
        first: The first cell's column.
        line: (CELLS + 1,) float32, room to work in.
        wide: (6, PER_CELL * CELLS) float32, written to.
    """
    last_row, last_column = averages.shape[1] - 1, averages.shape[2] - 1
    upper, lower = y // STRIDE_PX, min(y // STRIDE_PX + 1, last_row)
    down = np.float32(y % STRIDE_PX) / np.float32(STRIDE_PX)
    for k in range(6):
        for cell in range(_CELLS + 1):
            column = min(first + cell, last_column)
            value = averages[k, upper, column]
            line[cell] = value + down * (averages[k, lower, column] - value)
        for cell in range(_CELLS):
            step = (line[cell + 1] - line[cell]) / np.float32(_PER_CELL)
            for part in range(_PER_CELL):
                wide[k, _PER_CELL * cell + part] = line[cell] + np.float32(part) * step


@kernel_part
def _end_wide_pass(
    rgb: Pixels,
    alpha: Pixels,
    averages: Floats,
    rows: tuple[int, int],
    before: int,
    colours: Floats,
    weighted: Floats,
) -> None:
    """Correct the wide averages at every other pixel of a part.

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        averages: As `average_widely` gives them.
        rows: The part's first row, and the one behind its last, in steps of two pixels.
        before: The part's first column, likewise; it has _HALF columns.
        colours: (6, _HALF_ROWS, _HALF) float32; the last three, the background's, are written to.
        weighted: (4, _HALF_ROWS + 2, _HALF + 2) float32, written to within a frame of one: the
            product's colours times its share, and that share.
    """
    above, below = rows
    first = 2 * before // STRIDE_PX
    start = before - _PER_CELL * first
    line = np.empty(_CELLS + 1, np.float32)
    wide = np.empty((6, _PER_CELL * _CELLS), np.float32)
    share, weight = np.empty(_HALF, np.float32), np.empty(_HALF, np.float32)
    mixed = np.empty((3, _HALF), np.float32)
    for row in range(below - above):
        y = 2 * (above + row)
        _widen(averages, y, first, line, wide)
        _load(rgb[y], alpha[y], 2 * before, mixed, share, weight)
        weights = weighted[3, row + 1, 1:]
        for column in range(_HALF):
            weights[column] = weight[column]
        for k in range(3):
            front, back, plane = wide[k, start:], wide[k + 3, start:], mixed[k]
            own, behind = weighted[k, row + 1, 1:], colours[k + 3, row]
            for column in range(_HALF):
                estimate = _corrected(front[column], back[column], share[column], plane[column])
                own[column] = weight[column] * estimate
                behind[column] = back[column]


@kernel_part
def _average(weighted: Floats, rows: int, colours: Floats) -> None:
    """Set F to its weighted average over three by three; what has no weight does not count."""
    sums = np.empty((4, _HALF + 2), np.float32)
    for row in range(rows):
        for k in range(4):
            above, here, below = weighted[k, row], weighted[k, row + 1], weighted[k, row + 2]
            for column in range(_HALF + 2):
                sums[k, column] = above[column] + here[column] + below[column]
        weight = sums[3]
        for k in range(3):
            total, average = sums[k], colours[k, row]
            for column in range(_HALF):
                average[column] = (total[column] + total[column + 1] + total[column + 2]) / (
                    weight[column] + weight[column + 1] + weight[column + 2]
                )


@kernel_part
def _enlarge(colours: Floats, row: int, columns: int, fine: Floats) -> None:
    """Interpolate a row of every other pixel to every pixel.

    Args:
        colours: (6, _HALF_ROWS, _HALF) float32.
        row: Which of its rows.
        columns: How many of its columns there are; the last one stands for what is beyond.
        fine: (6, 2 _HALF) float32, written to.
    """
    for k in range(6):
        line, result = colours[k, row], fine[k]
        for column in range(_HALF - 1):
            result[2 * column] = line[column]
            result[2 * column + 1] = np.float32(0.5) * (line[column] + line[column + 1])
        result[2 * columns - 2 :] = line[columns - 1]


@kernel_part
def _correct_row(fine: Floats, start: int, share: _Line, plane: Floats, own: Pixels) -> None:
    """Correct the narrow averages of a row, (3, _TILE_PX) uint8."""
    for k in range(3):
        front, back = fine[k, start:], fine[k + 3, start:]
        here, result = plane[k], own[k]
        for x in range(_TILE_PX):
            estimate = _corrected(front[x], back[x], share[x], here[x])
            result[x] = np.uint8(np.int32(estimate + np.float32(0.5)))


@kernel_part
def _end_narrow_pass(
    rgb: Pixels,
    alpha: Pixels,
    unsure: Pixels,
    colours: Floats,
    box: tuple[int, int, int, int],
    part: tuple[int, int, int, int],
    own: Pixels,
) -> None:
    """Correct the narrow averages at what is unsure within a box.

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        unsure: (H, W) uint8.
        colours: (6, _HALF_ROWS, _HALF) float32, both colours at every other pixel around the box.
        box: Its top, bottom, left and right; at most a tile.
        part: The first row and the first column of `colours`, and the number of its rows and
            columns within the photo, in steps of two pixels.
        own: (H, W, 3) uint8, written to.
    """
    above, before, rows, columns = part
    top, bottom, left, right = box
    # The averages of the even row last seen and of the next one.
    fine, lower = np.empty((6, 2 * _HALF), np.float32), np.empty((6, 2 * _HALF), np.float32)
    share, plane = np.zeros(_TILE_PX, np.float32), np.zeros((3, _TILE_PX), np.float32)
    line = np.empty((3, _TILE_PX), np.uint8)
    for y in range(top, bottom):
        row = y // 2 - above
        _enlarge(colours, row, columns, fine)
        if y % 2 and row + 1 < rows:
            _enlarge(colours, row + 1, columns, lower)
            for k in range(6):
                for x in range(2 * _HALF):
                    fine[k, x] = np.float32(0.5) * (fine[k, x] + lower[k, x])
        opacity, mixed = alpha[y, left:right], rgb[y, left:right]
        for x in range(right - left):
            share[x] = np.float32(opacity[x]) * np.float32(1 / _OPAQUE)
            for k in range(3):
                plane[k, x] = np.float32(mixed[x, k])
        _correct_row(fine, left - 2 * before, share, plane, line)
        asked, written = unsure[y, left:right], own[y, left:right]
        for x in range(right - left):
            if asked[x]:
                for k in range(3):
                    written[x, k] = line[k, x]


@kernel_part
def _unsure_box(
    unsure: Pixels, tile_top: int, tile_left: int, seen: Pixels
) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of what is unsure within a tile; empty if nothing is."""
    height_px, width_px = unsure.shape
    end, columns = min(tile_top + _TILE_ROWS, height_px), min(_TILE_PX, width_px - tile_left)
    top, bottom = end, end
    seen[0, :columns] = 0
    for y in range(tile_top, end):
        row = unsure[y, tile_left : tile_left + columns]
        found = np.uint8(0)
        for x in range(columns):
            seen[0, x] |= row[x]
            found |= row[x]
        if found:
            top, bottom = min(top, y), y + 1
    if top == end:
        return end, end, 0, 0
    left, right = 0, columns
    while not seen[0, left]:
        left += 1
    while not seen[0, right - 1]:
        right -= 1
    return top, bottom, tile_left + left, tile_left + right


@kernel(DENSE_PIXELS_3D, DENSE_PIXELS_2D, DENSE_PIXELS_2D, DENSE_FLOATS_3D, DENSE_WRITTEN_3D)
def unmix(rgb: Pixels, alpha: Pixels, unsure: Pixels, averages: Floats, own: Pixels) -> None:
    """End the wide pass, then do the narrow one, around whatever is neither product nor background.

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        unsure: (H, W) uint8: not 0 where a pixel is neither.
        averages: As `average_widely` gives them.
        own: (H, W, 3) uint8, the product's own colours, written to where a pixel is unsure.
    """
    height_px, width_px = alpha.shape
    # By colour: F and B, and F weighted by its share with that share as a fourth, in a frame of
    # zeros.
    colours = np.zeros((6, _HALF_ROWS, _HALF), np.float32)
    weighted = np.zeros((4, _HALF_ROWS + 2, _HALF + 2), np.float32)
    seen = np.empty((1, _TILE_PX), np.uint8)
    for tile_top in range(0, height_px, _TILE_ROWS):
        for tile_left in range(0, width_px, _TILE_PX):
            box = _unsure_box(unsure, tile_top, tile_left, seen)
            top, bottom, left, _ = box
            if top == bottom:
                continue
            # In steps of two pixels: what the box lies between, and one more on each side, which
            # the averages take in.
            above, below = max(top // 2 - 1, 0), min(bottom // 2 + 2, (height_px + 1) // 2)
            before = max(left // 2 - 1, 0)
            columns = min(_HALF, (width_px + 1) // 2 - before)
            weighted[:, below - above + 1] = 0
            _end_wide_pass(rgb, alpha, averages, (above, below), before, colours, weighted)
            _average(weighted, below - above, colours)
            part = above, before, below - above, columns
            _end_narrow_pass(rgb, alpha, unsure, colours, box, part, own)
