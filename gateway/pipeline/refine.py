"""Third step, after the network: its small matte to the photo's alpha, and where the product is."""

import cv2
import numpy as np

from gateway.errors import NoForegroundError
from gateway.pipeline.arrays import Box, Photo, Pixels
from gateway.pipeline.resample import resample

# A pixel counts as the product from half opacity on.
PRODUCT_ALPHA = 128


def to_photo_size(matte: Pixels, photo: Photo) -> Pixels:
    """Bring the network's matte to the photo's size and keep the photo's own transparency.

    Args:
        matte: (h, w) uint8, 255 product.
        photo: The photo that the matte was made of.

    Returns:
        (H, W) uint8 alpha, 255 opaque.
    """
    alpha = resample(matte, photo.width_px, photo.height_px)
    if photo.alpha is None:
        return alpha
    return np.asarray(cv2.multiply(alpha, photo.alpha, scale=1 / 255), dtype=np.uint8)


def find_product(alpha: Pixels) -> Box:
    """Find the box around everything at least half opaque.

    Args:
        alpha: (H, W) uint8.

    Returns:
        The tightest such box.

    Raises:
        NoForegroundError: No pixel is.
    """
    box = box_of(alpha, PRODUCT_ALPHA)
    if box is None:
        raise NoForegroundError(
            "the model found no product in the photo",
            field="photo",
            figures={"highest_alpha": int(alpha.max()), "needed_alpha": PRODUCT_ALPHA},
        )
    return box


def box_of(alpha: Pixels, at_least: int) -> Box | None:
    """Return the tightest box around the pixels of an alpha that reach a value, if any do."""
    rows = np.flatnonzero(alpha.max(axis=1) >= at_least)
    if rows.size == 0:
        return None
    columns = np.flatnonzero(alpha.max(axis=0) >= at_least)
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
