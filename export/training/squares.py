"""Pictures as squares: what training keeps of photos and grounds in memory."""

import numpy as np
from PIL import Image

from export.training.cutouts import Pixels


def squash(pixels: Pixels, side: int) -> Pixels:
    """Squash (H, W, C) to (side, side, C), channel by channel so that alpha stays apart."""
    count = pixels.shape[2]
    channels = (Image.fromarray(np.ascontiguousarray(pixels[..., i])) for i in range(count))
    return np.stack(
        [np.asarray(c.resize((side, side), Image.Resampling.BILINEAR)) for c in channels], axis=2
    )


def tiles(pixels: Pixels, side: int) -> list[Pixels]:
    """Cut a large photo into overlapping squares of two sizes, besides the whole.

    Args:
        pixels: (H, W, C) uint8.
        side: Of each square in the end, pixels.

    Returns:
        (side, side, C) uint8 each, the whole first.
    """
    height, width = pixels.shape[:2]
    corners = (
        (y, x, edge)
        for edge in (height, int(height * 0.6))
        for y in range(0, height - edge + 1, max(edge // 2, 1))
        for x in range(0, width - edge + 1, max(edge // 2, 1))
    )
    parts = (pixels[y : y + edge, x : x + edge] for y, x, edge in corners)
    return [squash(part, side) for part in (pixels, *parts)]
