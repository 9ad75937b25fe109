"""Third step, after the network: from its small matte to the product cut out at full size."""

import cv2
import numpy as np

from imaging.errors import NoForegroundError
from imaging.matting.clean import clean_matte
from imaging.matting.confidence import CUT_AT, confidence
from imaging.matting.foreground import own_colors
from imaging.matting.guided import upsample_guided
from imaging.matting.marks import Marks
from imaging.matting.presence import check_product
from imaging.resample import resample
from imaging.types import Box, Cut, Photo, Pixels


def cut_out(
    matte: Pixels, seen: Pixels, photo: Photo, *, cleans: bool = True, marks: Marks | None = None
) -> Cut:
    """Cut the product out of its photo, soft edges and their own colours included.

    Args:
        matte: (h, w) uint8, 255 product.
        seen: (h', w', 3) uint8, the photo as the network saw it.
        photo: The photo that the matte was made of.
        cleans: Whether stray islands go and pinholes close.
        marks: What the caller says of the cut of this photo; None: nothing.

    Returns:
        The cut, of the photo's size.

    Raises:
        NoForegroundError: The matte, as far as the caller leaves it, shows no product.
    """
    if marks is None:
        marks = Marks(Box(0, 0, photo.width_px, photo.height_px))
    limited = marks.limited(matte)
    cleaned = clean_matte(limited)
    # What is stray is no product, whether it stays in the picture or not.
    check_product(marks.kept(cleaned))
    if cleans:
        limited = cleaned
    # A border that the caller draws is no edge of the network's matte: it comes in at full size.
    alpha = to_photo_size(marks.within_allowed(limited, matte), seen, photo)
    alpha = marks.applied(alpha, photo.rgb)
    own = own_colors(photo.rgb, alpha)
    if photo.alpha is not None:
        # Only now: a file's transparent pixels hold the product's colours already, unmixed.
        alpha = np.asarray(cv2.multiply(alpha, photo.alpha, scale=1 / 255), dtype=np.uint8)
    return Cut(photo.rgb, alpha, confidence(marks.kept(limited)), own)


def to_photo_size(matte: Pixels, seen: Pixels, photo: Photo) -> Pixels:
    """Bring the network's matte to the photo's size, its edges to the photo's.

    Args:
        matte: (h, w) uint8, 255 product.
        seen: (h', w', 3) uint8, the photo as the network saw it.
        photo: The photo that the matte was made of.

    Returns:
        (H, W) uint8 alpha, 255 opaque; the photo's own transparency is not in it.
    """
    height, width = matte.shape
    # The network may have seen transparency painted over; edges are those of the colours.
    guide = seen if photo.alpha is None else photo.rgb
    return upsample_guided(matte, resample(guide, width, height), photo.rgb)


def find_product(alpha: Pixels) -> Box:
    """Find the box around everything at least half opaque.

    Args:
        alpha: (H, W) uint8.

    Returns:
        The tightest such box.

    Raises:
        NoForegroundError: No pixel is.
    """
    box = box_of(alpha, CUT_AT)
    if box is None:
        raise NoForegroundError(
            "the model found no product in the photo",
            field="photo",
            figures={"highest_alpha": int(alpha.max()), "needed_alpha": CUT_AT},
        )
    return box


def box_of(alpha: Pixels, at_least: int) -> Box | None:
    """Return the tightest box around the pixels of an alpha that reach a value, if any do."""
    rows = np.flatnonzero(alpha.max(axis=1) >= at_least)
    if rows.size == 0:
        return None
    columns = np.flatnonzero(alpha.max(axis=0) >= at_least)
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
