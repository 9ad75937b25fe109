"""Resampling shared by the steps: area average where an axis shrinks, bilinear where it grows."""

from typing import Final

import cv2
import numpy as np

from imaging.area import MOST_ROWS, average_areas
from imaging.types import Pixels

# What shrinks at least so much is halved first, which OpenCV does many times as fast as anything
# averages areas that cut through pixels. An area of this many pixels across hardly notices, and an
# edge's guide is better for it: with exact averages alpha's error was a tenth higher.
_HALVED_FROM: Final = 4
_COLORS: Final = 3


def resample(pixels: Pixels, width_px: int, height_px: int) -> Pixels:
    """Bring an array to a size without aliasing.

    Args:
        pixels: (H, W) or (H, W, C) uint8.
        width_px: The new width, at least 1.
        height_px: The new height, at least 1.

    Returns:
        (height_px, width_px) or (height_px, width_px, C) uint8; the same array if nothing changes.
    """
    height, width = pixels.shape[:2]
    # OpenCV's area average turns into nearest neighbour on an axis that grows: one axis kind
    # at a time, the shrinking ones first, since they leave less to do.
    shrunk = min(width, width_px), min(height, height_px)
    if shrunk != (width, height):
        pixels = _shrunk(pixels, *shrunk)
    if shrunk != (width_px, height_px):
        pixels = cv2.resize(  # type: ignore[assignment]
            pixels, (width_px, height_px), interpolation=cv2.INTER_LINEAR
        )
    return pixels


def _shrunk(pixels: Pixels, width_px: int, height_px: int) -> Pixels:
    height, width = pixels.shape[:2]
    if width >= _HALVED_FROM * width_px and height >= _HALVED_FROM * height_px:
        # Of an odd axis the last pixel stays out: half a pixel of the area that it would be in.
        even = pixels[: height - height % 2, : width - width % 2]
        width, height = width // 2, height // 2
        pixels = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    halves = (width, height) == (2 * width_px, 2 * height_px)
    if pixels.shape[2:] == (_COLORS,) and not halves and height <= MOST_ROWS * height_px:
        return average_areas(np.ascontiguousarray(pixels), width_px, height_px)
    if (width, height) != (width_px, height_px):
        pixels = cv2.resize(  # type: ignore[assignment]
            pixels, (width_px, height_px), interpolation=cv2.INTER_AREA
        )
    return pixels
