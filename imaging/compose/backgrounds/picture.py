"""A picture of the caller's as the background."""

import numpy as np

from imaging.compose.blend import composite_over
from imaging.compose.composition import BackgroundPicture, Fit
from imaging.resample import resample
from imaging.types import Box, Pixels


def paint_picture(picture: BackgroundPicture, width_px: int, height_px: int) -> Pixels:
    """Bring a picture to a frame's size, its transparency blended over its colour.

    Args:
        picture: The picture and how it meets the frame.
        width_px: The frame's width.
        height_px: The frame's height.

    Returns:
        (height_px, width_px, 3) uint8 sRGB. What a filled frame cuts off and where a fitted
        picture lies are whole pixels: the picture's proportions change by less than one of them.
    """
    if picture.fit is Fit.FIT:
        return _fitted(picture, width_px, height_px)
    photo = picture.photo
    seen = Box(0, 0, photo.width_px, photo.height_px)
    if picture.fit is Fit.FILL:
        seen = _placed(width_px / height_px, photo.width_px, photo.height_px, *picture.position)
    return _resampled(picture, seen, width_px, height_px)


def _fitted(picture: BackgroundPicture, width_px: int, height_px: int) -> Pixels:
    photo = picture.photo
    box = _placed(photo.width_px / photo.height_px, width_px, height_px, *picture.position)
    pixels = np.empty((height_px, width_px, 3), np.uint8)
    # By rows: NumPy repeats a row far faster than a colour.
    pixels[:] = np.tile(np.array(picture.color, np.uint8), (width_px, 1))
    everything = Box(0, 0, photo.width_px, photo.height_px)
    pixels[box.slices] = _resampled(picture, everything, box.width, box.height)
    return pixels


def _placed(aspect_ratio: float, width_px: int, height_px: int, x: float, y: float) -> Box:
    """Find the largest box of a shape in an area, placed at x and y of the space it leaves."""
    width = min(max(round(height_px * aspect_ratio), 1), width_px)
    height = min(max(round(width_px / aspect_ratio), 1), height_px)
    left, top = round((width_px - width) * x), round((height_px - height) * y)
    return Box(left, top, left + width, top + height)


def _resampled(picture: BackgroundPicture, seen: Box, width_px: int, height_px: int) -> Pixels:
    """Cut a part out, blend it over the colour and bring it to a size, in this order."""
    rgb, alpha = picture.photo.rgb[seen.slices], picture.photo.alpha
    if alpha is not None:
        rgb = composite_over(rgb, alpha[seen.slices], picture.color)
    pixels = resample(rgb, width_px, height_px)
    # A background is painted on, and a picture that fits as it is would be itself.
    return pixels.copy() if np.may_share_memory(pixels, picture.photo.rgb) else pixels
