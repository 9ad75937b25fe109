"""The part of a photo that a caller points at, and what of the photo the network sees of it."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from imaging.errors import InvalidOptionError
from imaging.types import Box, Cut, OwnColors, Photo

FIELD: Final = "region"
# Around the region, as a share of its own sides: what a product stands on tells it from the ground.
MARGIN_SHARE: Final = 0.2
# A network makes nothing of fewer pixels.
_LEAST_MARGIN_PX: Final = 16


@dataclass(frozen=True, slots=True)
class Coordinate:
    """A place along one side of a photo.

    Attributes:
        px: Pixels from the side's beginning.
        share: Share of the side that is added to them, 0 to 1.
    """

    px: int = 0
    share: float = 0.0

    def on(self, side_px: int) -> int:
        """Return the place on a side of so many pixels, in whole pixels."""
        return self.px + math.floor(self.share * side_px + 0.5)


BEGIN, END = Coordinate(), Coordinate(share=1.0)


@dataclass(frozen=True, slots=True)
class Region:
    """A box of the upright photo, in pixels or in shares of its sides; its end is exclusive."""

    left: Coordinate = BEGIN
    top: Coordinate = BEGIN
    right: Coordinate = END
    bottom: Coordinate = END

    def box(self, width_px: int, height_px: int) -> Box:
        """Return the box in a photo of a size.

        Raises:
            InvalidOptionError: It is empty, or not all of it lies within the photo.
        """
        box = Box(
            self.left.on(width_px),
            self.top.on(height_px),
            self.right.on(width_px),
            self.bottom.on(height_px),
        )
        empty = box.width <= 0 or box.height <= 0
        if empty or box.right > width_px or box.bottom > height_px:
            raise InvalidOptionError(
                f"{FIELD} goes from {box.left},{box.top} to {box.right},{box.bottom} in the "
                f"upright photo of {width_px}x{height_px} pixels: it "
                + ("is empty" if empty else "must lie within the photo"),
                field=FIELD,
                figures={
                    "region_px": ",".join(map(str, box)),
                    "photo_px": f"{width_px},{height_px}",
                },
            )
        return box


def window_around(region: Box, width_px: int, height_px: int) -> Box:
    """Return what the network sees of a photo for a region: the region and a margin around it.

    Args:
        region: The region.
        width_px: The photo's width.
        height_px: The photo's height.
    """
    across = max(round(MARGIN_SHARE * region.width), _LEAST_MARGIN_PX)
    down = max(round(MARGIN_SHARE * region.height), _LEAST_MARGIN_PX)
    return Box(
        max(region.left - across, 0),
        max(region.top - down, 0),
        min(region.right + across, width_px),
        min(region.bottom + down, height_px),
    )


def part_of(photo: Photo, window: Box) -> Photo:
    """Return a part of a photo as a photo of its own; the photo itself if it is all of it."""
    if (window.width, window.height) == (photo.width_px, photo.height_px):
        return photo
    alpha = None if photo.alpha is None else np.ascontiguousarray(photo.alpha[window.slices])
    return Photo(np.ascontiguousarray(photo.rgb[window.slices]), alpha)


def put_back(cut: Cut, window: Box, photo: Photo) -> Cut:
    """Return a cut of a part of a photo as one of the whole photo, with nothing around the part."""
    if (window.width, window.height) == (photo.width_px, photo.height_px):
        return cut
    height_px, width_px = photo.rgb.shape[:2]
    alpha = np.zeros((height_px, width_px), np.uint8)
    alpha[window.slices] = cut.alpha
    own = None
    if cut.own:
        own = OwnColors(np.empty((height_px, width_px, 3), np.uint8), np.zeros_like(alpha))
        own.rgb[window.slices], own.at[window.slices] = cut.own.rgb, cut.own.at
    return Cut(photo.rgb, alpha, cut.confidence, own)
