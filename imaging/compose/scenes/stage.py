"""The set's geometry: where floor, back edge and wall are in the picture, in perspective.

A level camera with a shifted lens (so that uprights stay upright) looks over a horizontal floor. A
floor point at distance Z and sideways X appears at `x = f X / Z`, `y = f h / Z` below the vanishing
line, h being the camera's height: the pinhole projection (Hartley and Zisserman: Multiple View
Geometry, chapter 6). The product's base is where scale is 1.

Lengths on the set are in units of the frame, the square root of its area, so that a scene is the
same at every size.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imaging.types import Box

Floats = npt.NDArray[np.float32]

# Cells on the longer side of the grid that smooth parts are computed on.
_GRID_CELLS = 192
_MIN_CELLS = 6
# The floor's scale at its back edge, of that at the base: how fast lines converge.
_BACK_SCALE = 0.68
# How much floor is seen behind the base: a share of the product's height, within shares of the
# frame's height.
_BEHIND_OF_PRODUCT = 0.34
_BEHIND_LEAST, _BEHIND_MOST = 0.1, 0.2
# The camera's height over its distance from the base: it looks down by 17 degrees.
_SLOPE = math.tan(math.radians(17))
# The wall's distance behind the floor's back edge.
_WALL_GAP = 0.5


@dataclass(frozen=True, slots=True)
class Stage:
    """The set, as the picture shows it. Rows and columns are counted from the outer edges.

    Attributes:
        width_px: The picture's width.
        height_px: The picture's height.
        product: The product's box.
    """

    width_px: int
    height_px: int
    product: Box

    @property
    def unit_px(self) -> float:
        """Pixels of one unit of the frame, at the base."""
        return math.sqrt(self.width_px * self.height_px)

    @property
    def base(self) -> float:
        """The row that the product stands on."""
        return float(min(max(self.product.bottom, 0), self.height_px))

    @property
    def middle(self) -> float:
        """Where the product stands sideways, in units from the picture's middle."""
        return ((self.product.left + self.product.right) - self.width_px) / 2 / self.unit_px

    @property
    def edge(self) -> float:
        """The row of the floor's back edge; above the picture where the base is at its top."""
        share = _BEHIND_OF_PRODUCT * self.product.height / self.height_px
        return self.base - self.height_px * min(max(share, _BEHIND_LEAST), _BEHIND_MOST)

    @property
    def vanishing(self) -> float:
        """The row that the floor's lines converge on."""
        return self.base - (self.base - self.edge) / (1 - _BACK_SCALE)

    @property
    def camera_height(self) -> float:
        """The camera's height above the floor, in units."""
        return (self.base - self.vanishing) / self.unit_px

    @property
    def base_distance(self) -> float:
        """From the camera to the base along the floor, in units."""
        return self.camera_height / _SLOPE

    @property
    def back_distance(self) -> float:
        """From the camera to the floor's back edge, in units."""
        return self.base_distance / _BACK_SCALE

    @property
    def front_distance(self) -> float:
        """From the camera to the floor at the picture's lower edge, in units."""
        return self.base_distance / self.scale(self.height_px)

    @property
    def back_width(self) -> float:
        """How much of the floor's back edge is seen, in units."""
        return self.width_px / self.unit_px / _BACK_SCALE

    @property
    def wall_distance(self) -> float:
        """From the camera to the wall, in units."""
        return self.back_distance + _WALL_GAP

    def scale(self, row: float) -> float:
        """Return the floor's scale at a row, of that at the base."""
        return (row - self.vanishing) / (self.base - self.vanishing)

    def grid(self) -> tuple[Floats, Floats]:
        """Return the rows (h, 1) and columns (1, w), in pixels, of the grid's cell centres."""
        longest = max(self.width_px, self.height_px)
        height = max(round(_GRID_CELLS * self.height_px / longest), _MIN_CELLS)
        width = max(round(_GRID_CELLS * self.width_px / longest), _MIN_CELLS)
        rows = (np.arange(height, dtype=np.float32) + 0.5) * (self.height_px / height)
        columns = (np.arange(width, dtype=np.float32) + 0.5) * (self.width_px / width)
        return rows[:, None].astype(np.float32), columns[None].astype(np.float32)

    def floor_points(self) -> tuple[Floats, Floats]:
        """Return where on the floor the grid's cells are.

        Returns:
            Sideways (h, w) and away from the camera (h, 1), in units. Cells above the back edge
            lie on the edge.
        """
        rows, columns = self.grid()
        scale = np.maximum((rows - self.vanishing) / (self.base - self.vanishing), _BACK_SCALE)
        sideways = (columns - self.width_px / 2) / self.unit_px / scale
        return sideways.astype(np.float32), (self.base_distance / scale).astype(np.float32)

    def wall_points(self) -> tuple[Floats, Floats]:
        """Return where on the wall the grid's cells are.

        Returns:
            Sideways (1, w) and above the floor (h, 1), in units; 0 and more above.
        """
        rows, columns = self.grid()
        scale = self.unit_px * self.base_distance / self.wall_distance
        height = self.camera_height + (self.vanishing - rows) / scale
        sideways = (columns - self.width_px / 2) / scale
        return sideways.astype(np.float32), np.maximum(height, 0).astype(np.float32)
