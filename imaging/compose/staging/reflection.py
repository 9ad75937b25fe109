"""The mirror image of a product in the floor that it stands on."""

from math import ceil
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from imaging.resample import resample
from imaging.types import Box, Cut, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

# How far down the mirror image goes, as a share of the product's height.
REACH = 0.4
# Standard deviation of its blur at the far end, as a share of the product's height.
_BLUR = 0.012
_DEVIATIONS = 3
# The blur that wider ones are worked out at, on a smaller picture.
_WORKING_BLUR_PX = 3


def reflect(cut: Cut, product: Box, strength: float) -> tuple[Pixels, Pixels, Box] | None:
    """Mirror a product in a level, slightly rough floor at its lower end.

    A mirror's image lies as far behind it as the thing lies before it: rows are mirrored at the
    base line, also where the product does not reach down to it. With the distance t, 0 at the base
    line and 1 at the far end, the image fades as `strength` (1 - t)^2. A rough mirror scatters
    what it reflects over an angle, so that the blur widens in proportion to t, here by mixing
    neighbours of three images: sharp, half and fully blurred.

    Args:
        cut: The product in its frame.
        product: Its box there; the bottom is the base line.
        strength: The image's opacity at the base line, 0 to 1.

    Returns:
        (h, w, 3) uint8 straight colours, (h, w) uint8 opacity, and the box of the frame that they
        fill; None where there is nothing to see: no strength, or a product that reaches the
        frame's lower end.
    """
    height_px, width_px = cut.alpha.shape
    reach = ceil(REACH * product.height)
    rows = min(reach, height_px - product.bottom)
    if strength <= 0 or rows <= 0:
        return None
    blur = _BLUR * product.height
    margin = ceil(_DEVIATIONS * blur)
    box = Box(
        max(product.left - margin, 0),
        product.bottom,
        min(product.right + margin, width_px),
        product.bottom + rows,
    )
    distance = (np.arange(rows, dtype=np.float32) + np.float32(0.5)) / np.float32(reach)
    blurred = _blurred(_mirrored(cut, product, box), blur, distance)
    colors, opacity = _straight(blurred)
    fade = np.rint(255 * strength * (1 - distance) ** 2).astype(np.uint8)
    faded = cv2.multiply(opacity, np.repeat(fade[:, None], box.width, axis=1), scale=1 / 255)
    return colors, np.asarray(faded, np.uint8), box


def _mirrored(cut: Cut, product: Box, box: Box) -> Pixels:
    """Flip the lower end of the product.

    Returns:
        (box.height, box.width, 4) uint8, premultiplied.
    """
    lower = product._replace(top=product.bottom - box.height)
    opacity = cv2.flip(cut.alpha[lower.slices], 0)
    colors = cv2.multiply(
        cv2.flip(cut.colors_within(lower), 0), cv2.merge((opacity,) * 3), scale=1 / 255
    )
    mirrored = np.zeros((box.height, box.width, 4), np.uint8)
    first = product.left - box.left
    mirrored[:, first : first + product.width] = cv2.merge((*cv2.split(colors), opacity))
    return mirrored


def _blurred(sharp: Pixels, blur_px: float, distance: Floats) -> Pixels:
    """Blur each row as its distance asks: not at all at 0, by `blur_px` at 1."""
    half = _gaussian(sharp, blur_px / 2)
    # How many rows are nearer than the one that is half blurred.
    near = int(np.searchsorted(distance, 0.5))
    blurred = np.empty_like(sharp)
    if near:
        blurred[:near] = _mixed(sharp[:near], half[:near], 2 * distance[:near])
    if near < len(sharp):
        full = _gaussian(sharp, blur_px)
        blurred[near:] = _mixed(half[near:], full[near:], 2 * distance[near:] - 1)
    return blurred


def _gaussian(pixels: Pixels, blur_px: float) -> Pixels:
    """Blur at a size at which the blur is a few pixels wide."""
    height, width = pixels.shape[:2]
    shrink = max(blur_px / _WORKING_BLUR_PX, 1)
    small = resample(pixels, max(round(width / shrink), 1), max(round(height / shrink), 1))
    blurred = cv2.GaussianBlur(small, (0, 0), max(blur_px / shrink, 0.1))
    return resample(np.asarray(blurred, np.uint8), width, height)


def _mixed(first: Pixels, second: Pixels, share: Floats) -> Pixels:
    """Mix two pictures row by row, by the share that the second has."""
    weight = np.repeat(share[:, None], first.shape[1], axis=1)
    return np.asarray(cv2.blendLinear(first, second, 1 - weight, weight), np.uint8)


def _straight(premultiplied: Pixels) -> tuple[Pixels, Pixels]:
    opacity = np.asarray(cv2.extractChannel(premultiplied, 3), np.uint8)
    colors = cv2.divide(
        cv2.cvtColor(premultiplied, cv2.COLOR_RGBA2RGB), cv2.merge((opacity,) * 3), scale=255
    )
    return np.asarray(colors, np.uint8), opacity
