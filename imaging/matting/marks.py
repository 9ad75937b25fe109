"""Corrections of a cut: what a region and the caller's masks say is product, and what is not.

They act twice. In the network's small matte they decide what is product at all: which islands stray
from it, and whether there is any. In the finished alpha they are applied at the photo's own
resolution, so that a mask is followed to the pixel. There each mask is a matte of its own: it goes
through the guided filter, on cells of two pixels as a rule, so that its border follows the photo's
edges and is soft over a few pixels where the photo has none.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from imaging.errors import InvalidOptionError
from imaging.matting.confidence import CUT_AT
from imaging.matting.guided import upsample_guided
from imaging.matting.region import Region, window_around
from imaging.resample import resample
from imaging.types import Box, Pixels

KEEP, ERASE = "keep_mask", "erase_mask"

# A mask's border is fitted to the photo on cells of so many pixels across, and of more where a
# photo has more than so many cells: the fit's arrays then take a bounded memory.
_CELL_PX: Final = 2
_MOST_CELLS: Final = 2048


@dataclass(frozen=True, slots=True)
class Masks:
    """What a caller's masks mark, each (h, w) uint8 of its own size: 255 marked, else 0."""

    keep: Pixels | None = None
    erase: Pixels | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """What is said of the cut of a part of a photo.

    Attributes:
        window: That part of the photo.
        allowed: (H, W) uint8 of the part's size, 255 where there may be product, else 0; None:
            everywhere.
        keep: (H, W) uint8 of the part's size, 255 what is product, else 0; None: nothing is said.
            None of it lies where none is allowed.
    """

    window: Box
    allowed: Pixels | None = None
    keep: Pixels | None = None

    @property
    def says_something(self) -> bool:
        """Whether a cut may change by it."""
        return self.allowed is not None or self.keep is not None

    def limited(self, matte: Pixels) -> Pixels:
        """Return a matte of any size without what lies where no product is allowed."""
        return matte if self.allowed is None else np.where(_cells(self.allowed, matte), matte, 0)

    def kept(self, matte: Pixels) -> Pixels:
        """Return a matte of any size with what is product by the caller's word."""
        return matte if self.keep is None else np.where(_cells(self.keep, matte), 255, matte)

    def within_allowed(self, matte: Pixels, elsewhere: Pixels) -> Pixels:
        """Return a matte where product is allowed, and another one of its size elsewhere."""
        if self.allowed is None:
            return matte
        return np.where(_cells(self.allowed, matte), matte, elsewhere)

    def applied(self, alpha: Pixels, rgb: Pixels) -> Pixels:
        """Apply them to the finished alpha, their borders softened along the photo's edges.

        Args:
            alpha: (H, W) uint8 of the part's size.
            rgb: (H, W, 3) uint8, the part of the photo.

        Returns:
            (H, W) uint8: at least the softened keep mask, and at most what is allowed.
        """
        if self.keep is not None:
            alpha = np.maximum(alpha, soften(self.keep, rgb))
        if self.allowed is not None:
            alpha = np.minimum(alpha, soften(self.allowed, rgb))
        return alpha


def marks_of(width_px: int, height_px: int, region: Region | None, masks: Masks) -> Marks:
    """Bring region and masks to a photo, and settle what they say together.

    Args:
        width_px: The upright photo's width.
        height_px: The upright photo's height.
        region: Where the product is; None: anywhere.
        masks: The caller's masks, which are stretched to the photo. Erase wins over keep, and the
            region over both.

    Raises:
        InvalidOptionError: The region is empty or not within the photo, the erase mask leaves
            nothing, or what else there is leaves nothing of the keep mask.
    """
    whole = Box(0, 0, width_px, height_px)
    box = region.box(width_px, height_px) if region else whole
    window = window_around(box, width_px, height_px) if region else whole
    allowed: Pixels | None = None
    if box != window:
        allowed = np.zeros((window.height, window.width), np.uint8)
        allowed[_within(box, window).slices] = 255
    if masks.erase is not None and masks.erase.any():
        erased = _stretched(masks.erase, width_px, height_px)[window.slices]
        allowed = 255 - erased if allowed is None else allowed & ~erased
        if not allowed.any():
            raise _contradiction(ERASE, "leaves nothing of", "the region" if region else "", box)
    keep = None
    if masks.keep is not None and masks.keep.any():
        marked = _stretched(masks.keep, width_px, height_px)
        keep = np.ascontiguousarray(marked[window.slices])
        kept_px = np.count_nonzero(keep[_within(box, window).slices])
        if not kept_px:
            raise _contradiction(KEEP, "marks nothing in", "the region", box)
        if allowed is not None:
            keep &= allowed
            if not keep.any():
                raise InvalidOptionError(
                    f"{KEEP} marks nothing that {ERASE}, which wins, leaves: of its "
                    f"{kept_px} pixels of the photo all are erased",
                    field=KEEP,
                    figures={"kept_px": kept_px, "left_px": 0},
                )
    return Marks(window, allowed, keep)


def soften(mask: Pixels, rgb: Pixels) -> Pixels:
    """Bring a mask's border to the photo's edges, and soften it where there are none.

    Args:
        mask: (H, W) uint8, 255 or 0.
        rgb: (H, W, 3) uint8, the photo.

    Returns:
        (H, W) uint8; farther than four cells from a border the same as the mask.
    """
    height_px, width_px = mask.shape
    cell_px = max(_CELL_PX, math.ceil(max(mask.shape) / _MOST_CELLS))
    size = math.ceil(width_px / cell_px), math.ceil(height_px / cell_px)
    return upsample_guided(resample(mask, *size), resample(rgb, *size), rgb)


def _cells(mask: Pixels, matte: Pixels) -> npt.NDArray[np.bool_]:
    """Tell which cells of a matte lie at least half within a mask of another size."""
    height, width = matte.shape
    return np.asarray(resample(mask, width, height) >= CUT_AT)


def _stretched(mask: Pixels, width_px: int, height_px: int) -> Pixels:
    return np.asarray(cv2.inRange(resample(mask, width_px, height_px), CUT_AT, 255), np.uint8)


def _within(box: Box, window: Box) -> Box:
    left, top = window.left, window.top
    return Box(box.left - left, box.top - top, box.right - left, box.bottom - top)


def _contradiction(field: str, does: str, what: str, box: Box) -> InvalidOptionError:
    return InvalidOptionError(
        f"{field} {does} {what or 'the photo'} from {box.left},{box.top} to "
        f"{box.right},{box.bottom}",
        field=field,
        figures={"region_px": ",".join(map(str, box))},
    )
