"""From a photo and its mask to a cutout: soft edge, own colours past the edge, a square canvas."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Pixels = NDArray[np.uint8]

SOLID = 230  # alpha from which a pixel shows the object's own colour alone
HALF = 127  # alpha above which a pixel counts as the object's
FAINT = 8  # of 255: less than this of a blurred inside says nothing about its colour
PRODUCT_SHARE = (0.08, 0.9)  # of a packshot; else the mask has leaked or missed
REACHED = 2  # marks the white that the border reaches
CANVAS_MARGIN = 4  # transparent pixels around a cutout, so that sampling past its edge finds none


def smooth_edges(mask: NDArray[np.bool_], radius_px: float) -> Pixels:
    """Round the steps of a superpixel mask into an edge a few pixels soft.

    Args:
        mask: (H, W) bool.
        radius_px: how much is rounded off; about half the size of the steps.

    Returns:
        (H, W) uint8 alpha.
    """
    solid = Image.fromarray(mask.astype(np.uint8) * 255)
    blurred = np.asarray(solid.filter(ImageFilter.GaussianBlur(radius_px)), np.float32)
    # Steeper than the blur itself, and a little inside: superpixels take along background.
    alpha: Pixels = np.clip((blurred - 140.0) * 3.0 + 128.0, 0.0, 255.0).astype(np.uint8)
    return alpha


def spread_colours(rgb: Pixels, alpha: Pixels, radius_px: float = 5.0) -> Pixels:
    """Replace colours outside the object by those of its nearest inside.

    A half-transparent edge pixel of a photo shows its old background; pasted elsewhere that would
    be a rim by which every paste is known.

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        radius_px: how far inside colours are carried at first.

    Returns:
        (H, W, 3) uint8.
    """
    inside = (alpha > SOLID).astype(np.float32)[..., None]  # (H, W, 1)
    colours = rgb.astype(np.float32) * inside
    for widen in (1.0, 4.0):
        blur = ImageFilter.GaussianBlur(radius_px * widen)
        weight = np.asarray(
            Image.fromarray((inside[..., 0] * 255).astype(np.uint8)).filter(blur), np.float32
        )[..., None]
        carried = np.asarray(Image.fromarray(colours.astype(np.uint8)).filter(blur), np.float32)
        reached = (weight > FAINT) & (inside == 0)
        colours = np.where(reached, carried * 255.0 / np.maximum(weight, 1.0), colours)
        inside = np.maximum(inside, reached.astype(np.float32))
    return np.clip(np.where(inside > 0, colours, rgb), 0, 255).astype(np.uint8)


def cut_out(rgb: Pixels, alpha: Pixels, side: int, smallest_px: int = 1) -> Pixels | None:
    """Cut an object out and fit it on a transparent square.

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8.
        side: of the square, pixels.
        smallest_px: an object whose longer side is smaller is not worth keeping.

    Returns:
        (side, side, 4) uint8, or None where the object is missing or too small.
    """
    rows = np.flatnonzero((alpha > HALF).any(axis=1))
    columns = np.flatnonzero((alpha > HALF).any(axis=0))
    if len(rows) == 0:
        return None
    top, bottom = max(rows[0] - 2, 0), rows[-1] + 3
    left, right = max(columns[0] - 2, 0), columns[-1] + 3
    alpha, rgb = alpha[top:bottom, left:right], rgb[top:bottom, left:right]
    height, width = alpha.shape
    if max(height, width) < smallest_px:
        return None
    scale = (side - 2 * CANVAS_MARGIN) / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    pixels = np.concatenate([spread_colours(rgb, alpha), alpha[..., None]], axis=2)
    # Channel by channel: resizing RGBA as such would weigh colours by alpha and lose the spread.
    channels = (Image.fromarray(np.ascontiguousarray(pixels[..., i])) for i in range(4))
    fitted = np.stack([np.asarray(c.resize(size, Image.Resampling.BILINEAR)) for c in channels], 2)
    canvas = np.zeros((side, side, 4), np.uint8)
    y, x = (side - size[1]) // 2, (side - size[0]) // 2
    canvas[y : y + size[1], x : x + size[0]] = fitted
    return canvas


def mask_on_white(rgb: Pixels, tolerance: int = 14) -> NDArray[np.bool_] | None:
    """Find the product of a packshot on white: all that white from the border does not reach.

    Args:
        rgb: (H, W, 3) uint8.
        tolerance: how far below 255 still counts as white.

    Returns:
        (H, W) bool, or None where the picture is not a product on white.
    """
    white = (rgb.min(axis=2) >= 255 - tolerance).astype(np.uint8)
    padded = Image.fromarray(np.pad(white, 1, constant_values=1)).copy()  # writable
    ImageDraw.floodfill(padded, (0, 0), REACHED)
    mask: NDArray[np.bool_] = np.asarray(padded)[1:-1, 1:-1] != REACHED
    least, most = PRODUCT_SHARE
    return mask if least < mask.mean() < most else None


def fill_behind(rgb: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    """Replace an object by what stands left and right of it, mirrored, row by row.

    Real texture where the object was: a background that once held a person and does no more.

    Args:
        rgb: (H, W, 3) uint8.
        mask: (H, W) bool, True where the object is.

    Returns:
        (H, W, 3) uint8.
    """
    height, width = mask.shape
    at = np.broadcast_to(np.arange(width), (height, width))
    left = np.maximum.accumulate(np.where(mask, -1, at), axis=1)
    right = np.minimum.accumulate(np.where(mask, width, at)[:, ::-1], axis=1)[:, ::-1]
    no_left, no_right = left < 0, right >= width
    from_left = np.clip(2 * left - at, 0, width - 1)
    from_right = np.clip(2 * right - at, 0, width - 1)
    rows = np.arange(height)[:, None]
    share = (at - left) / np.maximum(right - left, 1)
    share = np.where(no_left, 1.0, np.where(no_right, 0.0, share))[..., None]
    share = np.clip((share - 0.5) * 3.0 + 0.5, 0.0, 1.0)  # a short seam keeps the texture sharp
    mixed = rgb[rows, from_left] * (1 - share) + rgb[rows, from_right] * share
    return np.where(mask[..., None], mixed, rgb).astype(np.uint8)


def grown(mask: NDArray[np.bool_], reach: int = 6) -> NDArray[np.bool_]:
    """Grow a mask, (H, W) bool, by so many pixels along rows and columns; borders wrap around."""
    larger = mask.copy()
    for shift in range(1, reach + 1):
        for axis in (0, 1):
            larger |= np.roll(mask, shift, axis) | np.roll(mask, -shift, axis)
    return larger
