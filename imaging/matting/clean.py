"""Part of the third step, before the matte grows: stray islands go, pinholes close.

Both rules are connected filters: they judge whole components of a level and change none of their
outlines, so that every edge that stays is the network's own, to the bit.

- What hangs together, or nearly so, is one island. One that is next to nothing beside the largest
  goes. Near crumbs count with their neighbours: spokes, beads and hair break up in a small matte.
- A hole is what is darker than a level within something that is not. Small shallow ones are
  raised to that level, level by level: an area closing (Vincent: Grayscale area openings and
  closings, Workshop on Mathematical Morphology 1993) that leaves alone whatever is deep, large or
  behind thin walls: handles, links of chains, perforation.

`docs/matting.md` has the measurements behind the figures.
"""

import cv2
import numpy as np
import numpy.typing as npt

from imaging.compiled import (
    COUNT,
    DENSE_COUNTS_1D,
    DENSE_FLAGS_1D,
    DENSE_LABELS_2D,
    DENSE_PIXELS_2D,
    DENSE_WRITTEN_2D,
    DENSE_WRITTEN_FLAGS_1D,
    kernel,
)
from imaging.matting.confidence import CUT_AT
from imaging.matting.guided import SURELY_IN, SURELY_OUT
from imaging.types import Pixels

Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]

# Islands nearer than twice this are one, as a share of the matte's longer side.
REACH_SHARE = 1 / 85
# An island goes below this share of the largest one's mass: one without a cell that would be cut
# out as product, and one with.
FAINT_SHARE, SOLID_SHARE = 0.01, 0.001

HOLE_LEVELS = (160, 208, SURELY_IN)
# A true hole of two cells across leaves no cell above 55 wherever it lies on the grid.
SHALLOW = 64
# The largest hole to close, as a share of the box around the product.
HOLE_SHARE = 0.006
# Half of the thinnest wall around a hole to close, as a share of the matte's longer side.
WALL_SHARE = 1 / 128

_OPAQUE = 255
_BACKGROUND_AND_ONE = 2


def clean_matte(matte: Pixels) -> Pixels:
    """Take stray islands out of a matte and close its small holes.

    Args:
        matte: (h, w) uint8, 255 product, as the network gave it.

    Returns:
        (h, w) uint8: 0 where an island was, raised where a hole was, elsewhere the same. Nothing
        is stretched: without a cell of half opacity the matte stays as it is.
    """
    cleaned = matte.copy()
    if not (matte >= CUT_AT).any():
        return cleaned
    # Beyond what is surely background nothing changes; a frame of it stays around the rest.
    half_wall, reach = _cells(matte, WALL_SHARE), _cells(matte, REACH_SHARE)
    left, top, width, height = cv2.boundingRect(_between(matte, SURELY_OUT + 1, _OPAQUE))
    margin = max(half_wall, reach) + 1
    part = cleaned[
        max(top - margin, 0) : top + height + margin, max(left - margin, 0) : left + width + margin
    ]
    part[:] = _without_islands(_with_holes_closed(part, half_wall), reach)
    return cleaned


def _with_holes_closed(matte: Pixels, half_wall: int) -> Pixels:
    closed = matte.copy()
    _, _, width, height = cv2.boundingRect(_between(matte, CUT_AT, _OPAQUE))
    largest = HOLE_SHARE * width * height
    for level in HOLE_LEVELS:
        below = _between(closed, 0, level - 1)
        # Grown, so that holes behind thin walls count with what is beyond them.
        count, labels, boxes, _ = cv2.connectedComponentsWithStats(_grown(below, half_wall))
        enclosed = _enclosed(np.asarray(boxes), matte)
        if not enclosed.any():
            continue
        areas, deep = np.zeros(count, np.int64), np.zeros(count, np.bool_)
        _survey(np.asarray(labels, np.int32), closed, level, areas, deep)
        small = areas <= np.where(deep, (half_wall // 2) ** 2, largest)
        _raise(np.asarray(labels, np.int32), enclosed & small, level, closed)
    return closed


@kernel(DENSE_LABELS_2D, DENSE_PIXELS_2D, COUNT, DENSE_COUNTS_1D, DENSE_WRITTEN_FLAGS_1D)
def _survey(labels: Labels, matte: Pixels, level: int, areas: Counts, deep: Flags) -> None:
    """Count each component's cells below a level, and tell whether one of them is deep.

    Args:
        labels: (h, w) int32, the component of each cell.
        matte: (h, w) uint8.
        level: The level, above the deep ones.
        areas: (n,) int64, added to.
        deep: (n,) bool, set.
    """
    height, width = matte.shape
    for y in range(height):
        for x in range(width):
            if matte[y, x] < level:
                areas[labels[y, x]] += 1
                if matte[y, x] < SHALLOW:
                    deep[labels[y, x]] = True


@kernel(DENSE_LABELS_2D, DENSE_FLAGS_1D, COUNT, DENSE_WRITTEN_2D)
def _raise(labels: Labels, closes: Flags, level: int, matte: Pixels) -> None:
    """Raise what is below a level to it within the components that close.

    Args:
        labels: (h, w) int32, the component of each cell.
        closes: (n,) bool.
        level: The level.
        matte: (h, w) uint8, written to.
    """
    height, width = matte.shape
    for y in range(height):
        for x in range(width):
            if matte[y, x] < level and closes[labels[y, x]]:
                matte[y, x] = level


def _without_islands(matte: Pixels, reach: int) -> Pixels:
    support = _between(matte, SURELY_OUT + 1, _OPAQUE)
    # Grown, so that near islands are one, and so that a faint rim goes with its island.
    count, labels = cv2.connectedComponents(_grown(support, reach))
    if count == _BACKGROUND_AND_ONE:
        return matte
    masses = np.bincount(labels.ravel(), matte.ravel(), count)
    solid = np.zeros(count, np.bool_)
    solid[labels[matte >= CUT_AT]] = True
    stray = masses < masses[solid].max() * np.where(solid, SOLID_SHARE, FAINT_SHARE)
    # The first label is what lies outside all islands.
    stray[0] = False
    cleaned = matte.copy()
    cleaned[stray[labels]] = 0
    return cleaned


def _enclosed(boxes: npt.NDArray[np.integer], matte: Pixels) -> npt.NDArray[np.bool_]:
    """Tell which components keep off the matte's border; never the first, which is no component.

    Args:
        boxes: (n, 5) left, top, width, height and area.
        matte: (h, w), what the components are of.

    Returns:
        (n,) bool.
    """
    left, top, width, height = boxes[:, :4].T
    enclosed = (left > 0) & (top > 0)
    enclosed &= (left + width < matte.shape[1]) & (top + height < matte.shape[0])
    enclosed[0] = False
    return np.asarray(enclosed)


def _between(matte: Pixels, lowest: int, highest: int) -> Pixels:
    """Return where a matte's values lie from one to another, both included: 255, elsewhere 0."""
    return np.asarray(cv2.inRange(matte, lowest, highest), np.uint8)


def _grown(mask: Pixels, by_cells: int) -> Pixels:
    side = 2 * by_cells + 1
    return np.asarray(cv2.dilate(mask, np.ones((side, side), np.uint8)), np.uint8)


def _cells(matte: Pixels, share: float) -> int:
    """Return a share of the matte's longer side, at least one cell."""
    longer: int = max(matte.shape)
    return max(1, round(share * longer))
