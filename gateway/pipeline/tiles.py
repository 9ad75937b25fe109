"""Tiles of a picture, for steps whose work lies along edges and must not grow with the whole."""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from gateway.pipeline.arrays import Box

# Smaller tiles follow an edge more closely, larger ones spare calls and leave a core's cache.
TILE_PX = 128


def tiles(width_px: int, height_px: int) -> Iterator[Box]:
    """Cover a picture with tiles, row by row; those at the right and bottom are what is left.

    Args:
        width_px: The picture's width.
        height_px: The picture's height.

    Yields:
        Boxes that share no pixel and leave none out.
    """
    for top in range(0, height_px, TILE_PX):
        for left in range(0, width_px, TILE_PX):
            yield Box(left, top, min(left + TILE_PX, width_px), min(top + TILE_PX, height_px))


def grown(box: Box, margin_px: int, width_px: int, height_px: int) -> Box:
    """Grow a box on every side, as far as the picture goes.

    Args:
        box: The box.
        margin_px: How far.
        width_px: The picture's width.
        height_px: The picture's height.

    Returns:
        The larger box.
    """
    return Box(
        max(box.left - margin_px, 0),
        max(box.top - margin_px, 0),
        min(box.right + margin_px, width_px),
        min(box.bottom + margin_px, height_px),
    )


def enlarge_part(
    small: npt.NDArray[np.float32], part: Box, scale_x: float, scale_y: float
) -> npt.NDArray[np.float32]:
    """Enlarge an array bilinearly, but only the part of the result that is wanted.

    Args:
        small: (h, w) or (h, w, C) float32, C up to 4; its cells are areas, its border is repeated.
        part: The wanted box, in pixels of the enlarged array.
        scale_x: Enlarged pixels per cell, from left to right.
        scale_y: The same from top to bottom.

    Returns:
        (part.height, part.width) or (part.height, part.width, C) float32.
    """
    # Centres of pixels to centres of cells: where pixel x looks is (x + 1/2) / scale - 1/2.
    to_cells = np.array(
        [
            [1 / scale_x, 0, (part.left + 0.5) / scale_x - 0.5],
            [0, 1 / scale_y, (part.top + 0.5) / scale_y - 0.5],
        ]
    )
    enlarged = cv2.warpAffine(
        small,
        to_cells,
        (part.width, part.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(enlarged, dtype=np.float32)
