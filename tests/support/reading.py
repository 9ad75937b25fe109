"""A finished file, read without any of the service's own code."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

# A pixel that is farther from white than this is the product's, whatever the file's losses.
_CLEARLY = 40


@dataclass(frozen=True)
class Reading:
    """What a file shows.

    Attributes:
        format: Pillow's name of its format.
        width_px: Its width.
        height_px: Its height.
        size_bytes: Its length.
        border_levels: Largest distance from white of any channel of any pixel of the border.
        fill_percent: Share of the frame that what is clearly not white takes along the tighter
            side.
    """

    format: str
    width_px: int
    height_px: int
    size_bytes: int
    border_levels: int
    fill_percent: float


def read(file: bytes) -> Reading:
    """Read a file of a product on white."""
    with Image.open(BytesIO(file)) as image:
        name = image.format or ""
        pixels = np.asarray(image.convert("RGB")).astype(int)
    height, width = pixels.shape[:2]
    distance = (255 - pixels).max(axis=2)
    border = max(distance[0].max(), distance[-1].max(), distance[:, 0].max(), distance[:, -1].max())
    rows, columns = np.nonzero(distance > _CLEARLY)
    fill = max(np.ptp(columns) + 1, 0) / width, max(np.ptp(rows) + 1, 0) / height
    return Reading(name, width, height, len(file), int(border), 100 * max(fill))
