"""Part of the third step: the product's own colours along its edge.

A soft pixel of a photo is product and background mixed, `I = alpha F + (1 - alpha) B`; blended
over a new background as it is, it takes the old one along. F is estimated by blur-fusion (Forte:
Approximate Fast Foreground Colour Estimation, ICIP 2021): F and B are averaged around each pixel,
weighted by alpha and 1 - alpha, and what the two then fail to explain of the pixel's colour is
added to F in proportion to alpha. Two passes: a wide one that reaches opaque product from
anywhere in the edge, a narrow one that brings its detail back.
"""

import cv2
import numpy as np
import numpy.typing as npt

from gateway.pipeline.arrays import Box, Pixels
from gateway.pipeline.guided import SURELY_IN, SURELY_OUT
from gateway.pipeline.tiles import enlarge_part, grown, tiles

Floats = npt.NDArray[np.float32]

# The paper's windows; the narrow one is worked on at half size.
WIDE_PX, NARROW_PX = 90, 6
# The wide averages come from every so many pixels across: a window still holds over a hundred.
STRIDE_PX = 8
# Weight that the plain average keeps, so that a window without product still has a colour.
_TRACE = 1e-3
_OPAQUE = 255


def estimate_foreground(rgb: Pixels, alpha: Pixels) -> Pixels:
    """Estimate the colours that the product has where it is see-through.

    Args:
        rgb: (H, W, 3) uint8, the photo.
        alpha: (H, W) uint8, the product's opacity in it.

    Returns:
        (H, W, 3) uint8: the photo's own pixels where alpha is 255, and far from every edge.
    """
    height_px, width_px = alpha.shape
    foreground = rgb.copy()
    unsure = np.asarray(cv2.inRange(alpha, SURELY_OUT + 1, SURELY_IN - 1), np.uint8)
    boxes = [box for tile in tiles(width_px, height_px) if (box := _box_of(unsure, tile))]
    if not boxes:
        return foreground
    averages = _wide_averages(rgb, alpha)
    for box in boxes:
        around = _even(grown(box, NARROW_PX, width_px, height_px))
        near, back = (
            np.asarray(cv2.resize(colours, None, fx=2, fy=2), np.uint8)[
                box.top - around.top : box.bottom - around.top,
                box.left - around.left : box.right - around.left,
            ]
            for colours in _near_averages(
                rgb[around.slices], alpha[around.slices], around, averages
            )
        )
        foreground[box.slices] = _unmixed(rgb[box.slices], alpha[box.slices], near, back)
    return foreground


def _box_of(unsure: Pixels, tile: Box) -> Box | None:
    left, top, width, height = cv2.boundingRect(unsure[tile.slices])
    if not width:
        return None
    left, top = tile.left + left, tile.top + top
    return Box(left, top, left + width, top + height)


def _wide_averages(rgb: Pixels, alpha: Pixels) -> tuple[Floats, Floats]:
    """Average product and background over the wide window, on a grid of every STRIDE_PX pixels.

    Returns:
        Two of (about H / STRIDE_PX, W / STRIDE_PX, 4) float32: three colours of 0 to 255; the
        fourth channel only makes up the number that OpenCV is fastest with.
    """
    few, share = _every(STRIDE_PX, rgb, alpha)
    mixed = few.astype(np.float32)
    window = (WIDE_PX // STRIDE_PX | 1,) * 2
    total, weight = cv2.blur(mixed, window), cv2.blur(share, window)
    product = cv2.blur(mixed * share, window)
    front = (product + _TRACE * total) / (weight + _TRACE)
    back = (total - product + _TRACE * total) / (1 - weight + _TRACE)
    return front.astype(np.float32), back.astype(np.float32)


def _near_averages(
    rgb: Pixels, alpha: Pixels, part: Box, averages: tuple[Floats, Floats]
) -> tuple[Pixels, Pixels]:
    """End pass one and average its F over the narrow window, at every other pixel of a part.

    Returns:
        F and B, two of (ceil(H / 2), ceil(W / 2), 3) uint8.
    """
    mixed, share = _every(2, rgb, alpha)
    height, width = share.shape[:2]
    left, top = part.left // 2, part.top // 2
    half = Box(left, top, left + width, top + height)
    front, back = (enlarge_part(each, half, STRIDE_PX / 2, STRIDE_PX / 2) for each in averages)
    # What alpha F has to explain: the pixel without the background's part in it.
    wanted = np.asarray(cv2.subtract(mixed, (1 - share) * back, dtype=cv2.CV_32F), np.float32)
    first = _corrected(front, share, wanted)
    # With ones in the fourth channel one blur gives the weighted sum and the weights' sum.
    first[:, :, 3] = 1
    first *= share + np.float32(_TRACE)
    sums = cv2.blur(first, (NARROW_PX // 2, NARROW_PX // 2))
    near = sums / cv2.merge((cv2.extractChannel(sums, 3),) * 4)
    return _three_channels(np.asarray(near, np.float32)), _three_channels(back)


def _unmixed(rgb: Pixels, alpha: Pixels, near: Pixels, back: Pixels) -> Pixels:
    """Correct the narrow average by what it and the background leave unexplained of a pixel."""
    share = cv2.merge((alpha,) * 3)
    explained = cv2.add(
        cv2.multiply(share, near, scale=1 / 255),
        cv2.multiply(cv2.bitwise_not(share), back, scale=1 / 255),
    )
    # Of one type throughout: OpenCV's mixed arithmetic takes several times as long.
    rest = rgb.astype(np.int16) - explained.astype(np.int16)
    correction = cv2.multiply(rest, share.astype(np.int16), scale=1 / 255)
    corrected = near.astype(np.int16)
    corrected += np.asarray(correction, np.int16)
    estimate = np.clip(corrected, 0, 255, out=corrected).astype(np.uint8)
    # An opaque pixel is nothing but product, whatever rounding makes of it.
    opaque = (alpha == _OPAQUE).view(np.uint8)
    return np.asarray(cv2.copyTo(rgb, opaque, estimate), dtype=np.uint8)


def _corrected(average: Floats, share: Floats, wanted: Floats) -> Floats:
    """Return average + share (wanted - share average), the paper's F, within 0 to 255."""
    corrected = share * average
    np.subtract(wanted, corrected, out=corrected)
    corrected *= share
    corrected += average
    np.maximum(corrected, 0, out=corrected)
    np.minimum(corrected, 255, out=corrected)
    return corrected


def _three_channels(values: Floats) -> Pixels:
    rounded = cv2.addWeighted(values, 1, values, 0, 0, dtype=cv2.CV_8U)
    return np.asarray(cv2.cvtColor(rounded, cv2.COLOR_RGBA2RGB), dtype=np.uint8)


def _even(box: Box) -> Box:
    """Start a box at even pixels."""
    return Box(box.left - box.left % 2, box.top - box.top % 2, box.right, box.bottom)


def _every(stride_px: int, rgb: Pixels, alpha: Pixels) -> tuple[Pixels, Floats]:
    """Take every so many pixels across and down, in four channels each.

    Returns:
        (h, w, 4) uint8 colours, and (h, w, 4) float32 of alpha from 0 to 1, four times over.
    """
    few = np.ascontiguousarray(alpha[::stride_px, ::stride_px])
    share = cv2.merge((few,) * 4) * np.float32(1 / 255)
    # Four bytes are one word to NumPy, which then copies pixels and not bytes.
    words = cv2.cvtColor(rgb[::stride_px], cv2.COLOR_RGB2RGBA).view(np.uint32)
    return np.ascontiguousarray(words[:, ::stride_px]).view(np.uint8), share
