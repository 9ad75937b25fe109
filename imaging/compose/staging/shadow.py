"""The shadow that a product throws, worked out from its outline alone."""

from math import ceil, cos, radians, sin

import cv2
import numpy as np

from imaging.compose.composition import ShadowKind
from imaging.compose.staging.contact import contact_layer
from imaging.compose.staging.grid import Grid, Layer, outline_grid, spread
from imaging.types import Box, Pixels

# Shares of the product's size.
_DROP_BLUR, _DROP_DISTANCE = 0.035, 0.07
_DEVIATIONS = 3


def cast_shadow(
    alpha: Pixels, product: Box, kind: ShadowKind, opacity: float, light_angle_deg: float
) -> Pixels:
    """Draw the density of a product's shadow on what lies behind it.

    Args:
        alpha: (H, W) uint8, the product's opacity in its frame.
        product: Its box there; a contact shadow stands on the box's lower end.
        kind: `CONTACT`: on the floor (see `contact`). `DROP`: the outline, blurred, moved away from
            the light, as on a wall just behind. `NONE`: none.
        opacity: The density where it is highest, 0 to 1, also where the product hides that place.
        light_angle_deg: Where the light comes from, clockwise from straight above, -80 to 80.

    Returns:
        (H, W) uint8: 0 no shadow, 255 fully dark.
    """
    height_px, width_px = alpha.shape
    if kind is ShadowKind.NONE or opacity <= 0:
        return np.zeros_like(alpha)
    grid = outline_grid(alpha, product)
    layer_of = contact_layer if kind is ShadowKind.CONTACT else _drop_layer
    return spread(grid, layer_of(grid, light_angle_deg), opacity, width_px, height_px)


def _drop_layer(grid: Grid, light_angle_deg: float) -> Layer:
    blur = max(_DROP_BLUR * grid.size_cells, 0.5)
    distance = _DROP_DISTANCE * grid.size_cells
    margin = ceil(_DEVIATIONS * blur + distance)
    angle = radians(light_angle_deg)
    move = np.array(
        [[1, 0, margin - distance * sin(angle)], [0, 1, margin + distance * cos(angle)]]
    )
    height, width = grid.outline.shape
    moved = cv2.warpAffine(grid.outline, move, (width + 2 * margin, height + 2 * margin))
    soft = cv2.GaussianBlur(moved, (0, 0), blur, borderType=cv2.BORDER_CONSTANT)
    return Layer(np.asarray(soft, np.float32), -margin, -margin)
