"""Blending over a colour or a picture, for the steps that need it."""

from typing import Final

import numpy as np
import numpy.typing as npt

from imaging.compiled import (
    COUNT,
    DENSE_PIXELS_2D,
    DENSE_WRITTEN_2D,
    DENSE_WRITTEN_WORDS_2D,
    PIXELS_2D,
    PIXELS_3D,
    WRITTEN_3D,
    kernel,
    kernel_part,
)
from imaging.types import Box, Color, Cut, Pixels

_OPAQUE: Final = 255
# Pixels that are looked at together: within a product, and beside it, all of them are alike.
_BLOCK_PX: Final = 256
# White that does not show, and what makes a colour opaque, of a pixel as one word.
_HIDDEN, _SHOWN = 0x00FFFFFF, 0xFF000000
_Words = npt.NDArray[np.uint32]


def paint_color(color: Color, width_px: int, height_px: int) -> Pixels:
    """Fill a picture with one colour.

    Returns:
        (height_px, width_px, 3) uint8.
    """
    pixels = np.empty((height_px, width_px, 3), np.uint8)
    # By rows: NumPy repeats a row far faster than a colour.
    pixels[:] = np.tile(np.array(color, np.uint8), (width_px, 1))
    return pixels


def composite_over(rgb: Pixels, alpha: Pixels, color: Color) -> Pixels:
    """Blend pixels over one colour (Porter and Duff's `over`, straight alpha).

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        color: The colour behind.

    Returns:
        (H, W, 3) uint8, the exact value rounded.
    """
    height_px, width_px = alpha.shape
    blended = paint_color(color, width_px, height_px)
    composite_onto(rgb, alpha, blended)
    return blended


def composite_cut(cut: Cut, box: Box, behind: Pixels) -> None:
    """Blend a cut over a picture, in place, to the values that `composite_onto` gives.

    Args:
        cut: The product in its frame.
        box: What all of it lies within; nothing changes outside.
        behind: (H, W, 3) uint8 of the frame's size, without gaps, which is written to.
    """
    rows = len(behind)
    _lay(*_rows(cut), *box, behind.reshape(rows, -1))


def on_transparency(cut: Cut) -> Pixels:
    """Give a cut as one array; what does not show is white.

    Returns:
        (H, W, 4) uint8, straight alpha.
    """
    height_px, width_px = cut.alpha.shape
    pixels = np.empty((height_px, width_px, 4), np.uint8)
    _show(*_rows(cut), pixels.view(np.uint32)[..., 0])
    return pixels


def _rows(cut: Cut) -> tuple[Pixels, Pixels, Pixels, Pixels]:
    """Return a cut's colours, own colours, where these are, and alpha; colours of rows in one."""
    rgb, alpha = np.ascontiguousarray(cut.rgb), np.ascontiguousarray(cut.alpha)
    own, at = (rgb, np.zeros_like(alpha)) if cut.own is None else (cut.own.rgb, cut.own.at)
    rows = len(alpha)
    return rgb.reshape(rows, -1), own.reshape(rows, -1), at, alpha


@kernel_part
def _mixed(front: np.uint8, behind: np.uint8, alpha: np.uint8) -> np.uint8:
    """Blend two values: divided by 255 and rounded to nearest, exactly.

    Blinn: Three wrongs make a right, IEEE Computer Graphics and Applications 1995.
    """
    share = np.uint32(alpha)
    total = share * np.uint32(front) + (np.uint32(_OPAQUE) - share) * np.uint32(behind)
    total += np.uint32(128)
    return np.uint8((total + (total >> np.uint32(8))) >> np.uint32(8))


@kernel_part
def _survey(alpha: Pixels, at: Pixels) -> tuple[bool, bool]:
    """Tell of pixels in a row whether one of them shows, and whether all are the photo's own."""
    every, some, owned = np.uint8(_OPAQUE), np.uint8(0), np.uint8(0)
    for x in range(alpha.size):
        # Of eight bits each time: Numba would go on with 64.
        every = np.uint8(every & alpha[x])
        some = np.uint8(some | alpha[x])
        owned = np.uint8(owned | at[x])
    return some != 0, every == _OPAQUE and owned == 0


@kernel_part
def _copy(source: Pixels, to: Pixels) -> None:
    for i in range(to.size):
        to[i] = source[i]


@kernel_part
def _mix(rgb: Pixels, own: Pixels, at: Pixels, alpha: Pixels, behind: Pixels) -> None:
    for x in range(alpha.size):
        if not alpha[x]:
            continue
        if at[x]:
            for k in range(3):
                behind[3 * x + k] = _mixed(own[3 * x + k], behind[3 * x + k], alpha[x])
        elif alpha[x] == _OPAQUE:
            for k in range(3):
                behind[3 * x + k] = rgb[3 * x + k]
        else:
            for k in range(3):
                behind[3 * x + k] = _mixed(rgb[3 * x + k], behind[3 * x + k], alpha[x])


@kernel(*(DENSE_PIXELS_2D,) * 4, *(COUNT,) * 4, DENSE_WRITTEN_2D)
def _lay(
    rgb: Pixels,
    own: Pixels,
    at: Pixels,
    alpha: Pixels,
    left: int,
    top: int,
    right: int,
    bottom: int,
    behind: Pixels,
) -> None:
    """Blend within a box; rgb, own and behind are (H, 3 W), at and alpha (H, W) uint8."""
    for y in range(top, bottom):
        for begin in range(left, right, _BLOCK_PX):
            block = slice(begin, min(begin + _BLOCK_PX, right))
            colors = slice(3 * block.start, 3 * block.stop)
            shows, is_photo = _survey(alpha[y, block], at[y, block])
            if is_photo:
                _copy(rgb[y, colors], behind[y, colors])
            elif shows:
                _mix(
                    rgb[y, colors],
                    own[y, colors],
                    at[y, block],
                    alpha[y, block],
                    behind[y, colors],
                )


@kernel_part
def _pack(rgb: Pixels, own: Pixels, at: Pixels, alpha: Pixels, pixels: _Words) -> None:
    for x in range(alpha.size):
        red = np.uint32(own[3 * x] if at[x] else rgb[3 * x])
        green = np.uint32(own[3 * x + 1] if at[x] else rgb[3 * x + 1])
        blue = np.uint32(own[3 * x + 2] if at[x] else rgb[3 * x + 2])
        color = red | (green << np.uint32(8)) | (blue << np.uint32(16))
        shown = color if alpha[x] else np.uint32(_HIDDEN)
        pixels[x] = shown | (np.uint32(alpha[x]) << np.uint32(24))


@kernel_part
def _pack_opaque(rgb: Pixels, pixels: _Words) -> None:
    for x in range(pixels.size):
        red, green, blue = (
            np.uint32(rgb[3 * x]),
            np.uint32(rgb[3 * x + 1]),
            np.uint32(rgb[3 * x + 2]),
        )
        pixels[x] = red | (green << np.uint32(8)) | (blue << np.uint32(16)) | np.uint32(_SHOWN)


@kernel(*(DENSE_PIXELS_2D,) * 4, DENSE_WRITTEN_WORDS_2D)
def _show(rgb: Pixels, own: Pixels, at: Pixels, alpha: Pixels, pixels: _Words) -> None:
    """Write colours and alpha side by side: red in a pixel's lowest byte, alpha in its highest."""
    height_px, width_px = alpha.shape
    for y in range(height_px):
        for begin in range(0, width_px, _BLOCK_PX):
            block = slice(begin, min(begin + _BLOCK_PX, width_px))
            colors = slice(3 * block.start, 3 * block.stop)
            shows, is_photo = _survey(alpha[y, block], at[y, block])
            if is_photo:
                _pack_opaque(rgb[y, colors], pixels[y, block])
            elif shows:
                _pack(
                    rgb[y, colors],
                    own[y, colors],
                    at[y, block],
                    alpha[y, block],
                    pixels[y, block],
                )
            else:
                pixels[y, block] = np.uint32(_HIDDEN)


@kernel(PIXELS_3D, PIXELS_2D, WRITTEN_3D)
def composite_onto(rgb: Pixels, alpha: Pixels, behind: Pixels) -> None:
    """Blend pixels over a picture, in place (Porter and Duff's `over`, straight alpha).

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        behind: (H, W, 3) uint8, the picture, which is written to: the exact value rounded.
    """
    height_px, width_px = alpha.shape
    for y in range(height_px):
        for x in range(width_px):
            if alpha[y, x]:
                for k in range(3):
                    behind[y, x, k] = _mixed(rgb[y, x, k], behind[y, x, k], alpha[y, x])
