"""How many pixels a render will hold, told by sizes and options before any pixel is decoded."""

import math
from typing import Final

from imaging.encode import PictureFormat
from imaging.framing.frame import MIN_SIDE_PX, Frame, Length

# A picture counts as often as its encoder needs memory; `docs/load.md` has the measurements.
_WEIGHTS: Final = {
    PictureFormat.JPEG: 1,
    PictureFormat.PNG: 1,
    PictureFormat.WEBP: 2,
    PictureFormat.AVIF: 2,
}
# A mask is read into its pixels' values and kept as one byte each, until the product is cut out: so
# many of its pixels take the memory of one of a photo's.
_MASK_WEIGHT: Final = 0.25
# Fitting their borders, and a region's, to the photo takes some 20 bytes more for a photo's pixel.
_MARKED_WEIGHT: Final = 0.5
# The photo, a background and a picture of the greatest weight. Masks are never there together with
# the picture, and two of them weigh less.
MOST_CHARGED: Final = 1 + 1 + max(_WEIGHTS.values())


def charged_pixels(
    photo_px: tuple[int, int],
    background_px: tuple[int, int],
    frame: Frame | None,
    picture_format: PictureFormat,
    masks_px: int = 0,
    *,
    layers: bool = False,
    is_marked: bool = False,
) -> int:
    """Return what a render counts for among the pixels in flight.

    Args:
        photo_px: The photo's width and height by its header, before it is turned upright.
        background_px: The background picture's; (0, 0) for none.
        frame: The frame; None: the photo's own.
        picture_format: The finished picture's format.
        masks_px: Pixels of the masks together.
        layers: Whether its matte becomes a file of its own.
        is_marked: Whether a region or a mask corrects the cut.
    """
    picture = math.prod(photo_px)
    if frame:
        # Which way is up is known with the pixels only.
        picture = max(_most_framed(frame, *photo_px), _most_framed(frame, *reversed(photo_px)))
    marks = math.ceil(masks_px * _MASK_WEIGHT)
    if is_marked:
        marks += math.ceil(math.prod(photo_px) * _MARKED_WEIGHT)
    later = max(picture * (_WEIGHTS[picture_format] + layers), marks)
    return math.prod(photo_px) + math.prod(background_px) + later


def sure_picture_pixels(photo_px: tuple[int, int], frame: Frame | None) -> int:
    """Return the pixels that a picture has, or 0 where its product decides; as `charged_pixels`."""
    if frame is None:
        return math.prod(photo_px)
    if frame.max_pixels:
        return 0
    return (frame.width_px or 0) * (frame.height_px or 0)


def _most_framed(frame: Frame, width_px: int, height_px: int) -> int:
    """Return the most pixels that a frame can have around a photo's product."""
    if frame.width_px and frame.height_px and not frame.max_pixels:
        return frame.width_px * frame.height_px
    margins = frame.margins
    across = _most_side(width_px, *((margins.left, margins.right) if margins else ()))
    down = _most_side(height_px, *((margins.top, margins.bottom) if margins else ()))
    across, down = across / (frame.scale or 1.0), down / (frame.scale or 1.0)
    if frame.width_px or frame.height_px:
        # The side that is free follows from the shape of what is framed: the photo's, or that of a
        # product which is not known yet.
        whole = not (frame.crop or margins or frame.scale)
        longest = float(frame.limits.max_side_px)
        across, down = (
            frame.width_px or (frame.height_px * width_px / height_px if whole else longest),
            frame.height_px or (frame.width_px * height_px / width_px if whole else longest),
        )
    if frame.aspect_ratio and frame.width_px:
        down = across / frame.aspect_ratio
    elif frame.aspect_ratio and frame.height_px:
        across = down * frame.aspect_ratio
    elif frame.aspect_ratio:
        across, down = (
            max(across, down * frame.aspect_ratio),
            max(down, across / frame.aspect_ratio),
        )
    sides_px = [max(math.ceil(side_px), MIN_SIDE_PX) for side_px in (across, down)]
    most = frame.max_pixels or frame.limits.max_pixels
    # No side falls below its least, whatever the bound says.
    return min(math.prod(sides_px), frame.limits.max_pixels, max(most, MIN_SIDE_PX * max(sides_px)))


def _most_side(side_px: int, *margins: Length) -> float:
    return side_px + sum(side_px * each.share + each.px for each in margins)
