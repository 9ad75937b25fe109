"""A product's outline at the small size that its shadow is worked out at, and the way back."""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from imaging.types import Box, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

# Of the product's longer side: the thinnest dark line, below it, is then 2 or 3 cells soft.
MAX_SIDE_CELLS = 640


@dataclass(frozen=True, slots=True)
class Grid:
    """A product's outline, made small.

    Attributes:
        outline: (h, w) float32, the product's opacity in each cell, 0 to 1.
        product: The box in the frame that the outline fills.
    """

    outline: Floats
    product: Box

    @property
    def size_cells(self) -> float:
        """What shadows are measured by: the product's width, less if it is wider than high."""
        height, width = self.outline.shape
        return sqrt(width * min(width, height))


@dataclass(frozen=True, slots=True)
class Layer:
    """A shadow's density on a grid and around it.

    Attributes:
        density: (h, w) float32, 0 or more.
        left: The column of the grid that its first column is, negative to the product's left.
        top: The row of the grid that its first row is.
    """

    density: Floats
    left: int
    top: int


def outline_grid(alpha: Pixels, product: Box) -> Grid:
    """Reduce a product's opacity to a grid of at most `MAX_SIDE_CELLS` a side.

    Args:
        alpha: (H, W) uint8, the product's opacity in its frame.
        product: Its box there.

    Returns:
        The grid.
    """
    shrink = max(max(product.width, product.height) / MAX_SIDE_CELLS, 1)
    cells = max(round(product.width / shrink), 1), max(round(product.height / shrink), 1)
    small = cv2.resize(alpha[product.slices], cells, interpolation=cv2.INTER_AREA)
    return Grid(small.astype(np.float32) / np.float32(255), product)


def spread(grid: Grid, layer: Layer, peak: float, width_px: int, height_px: int) -> Pixels:
    """Bring a layer to its frame's size, scaled to a peak.

    Args:
        grid: The grid that the layer lies on.
        layer: The layer.
        peak: What its highest value becomes, 0 to 1.
        width_px: The frame's width.
        height_px: The frame's height.

    Returns:
        (height_px, width_px) uint8, 0 where the layer does not reach; all 0 if the layer is.
    """
    frame = np.zeros((height_px, width_px), np.uint8)
    highest = float(layer.density.max())
    if not highest:
        return frame
    levels = np.rint(layer.density * (255 * peak / highest)).astype(np.uint8)
    rows, columns = grid.outline.shape
    cell_width, cell_height = grid.product.width / columns, grid.product.height / rows
    left = grid.product.left + layer.left * cell_width
    top = grid.product.top + layer.top * cell_height
    rows, columns = levels.shape
    part = Box(
        max(int(left), 0),
        max(int(top), 0),
        min(ceil(left + columns * cell_width), width_px),
        min(ceil(top + rows * cell_height), height_px),
    )
    if part.width <= 0 or part.height <= 0:
        return frame
    # Centres of pixels to centres of cells: pixel x looks at (x + 1/2 - left) / width - 1/2.
    to_cells = np.array(
        [
            [1 / cell_width, 0, (part.left + 0.5 - left) / cell_width - 0.5],
            [0, 1 / cell_height, (part.top + 0.5 - top) / cell_height - 0.5],
        ]
    )
    frame[part.slices] = cv2.warpAffine(
        levels,
        to_cells,
        (part.width, part.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    return frame
