"""How large a frame is, and how far the product is magnified in it."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from imaging.framing.axis import MIN_SIDE_PX, Axis


class Axes(NamedTuple):
    """What a frame has to hold across and down."""

    x: Axis
    y: Axis


class Size(NamedTuple):
    """A frame's size.

    Attributes:
        width_px: Width.
        height_px: Height.
        magnification: The magnification that the size was made for; None: as large as fits.
    """

    width_px: int
    height_px: int
    magnification: float | None = None


def choose_size(
    framed: Axes, subject: Axes, asked: tuple[int, int], aspect_ratio: float | None
) -> Size:
    """Choose a frame's size: as asked, and where that leaves it free, what is framed decides.

    Args:
        framed: What decides.
        subject: What is fitted into the frame afterwards; often the same.
        asked: Width and height in pixels; 0: free.
        aspect_ratio: Width over height; None: free. Without effect if both sides are asked for.

    Returns:
        The size; its magnification is set if the subject was what decided.

    Raises:
        InvalidOptionError: The margins leave no room for the product.
    """
    width_px, height_px = asked
    if width_px and height_px:
        return Size(width_px, height_px)
    if aspect_ratio and width_px:
        return Size(width_px, max(round(width_px / aspect_ratio), MIN_SIDE_PX))
    if aspect_ratio and height_px:
        return Size(max(round(height_px * aspect_ratio), MIN_SIDE_PX), height_px)
    if width_px:
        magnification = _alone(framed.x, width_px)
        size = Size(width_px, framed.y.free_side_px(magnification), magnification)
    elif height_px:
        magnification = _alone(framed.y, height_px)
        size = Size(framed.x.free_side_px(magnification), height_px, magnification)
    elif aspect_ratio:
        size = smallest_size(framed, subject, 1.0, aspect_ratio)
    else:
        size = Size(framed.x.free_side_px(1.0), framed.y.free_side_px(1.0), 1.0)
    return size if framed == subject else size._replace(magnification=None)


def reduced_size(size: Size, max_pixels: int) -> Size:
    """Return the largest size of the same proportions that has no more pixels."""
    width_px = math.floor(math.sqrt(max_pixels * size.width_px / size.height_px))
    while True:
        width_px = max(width_px, MIN_SIDE_PX)
        height_px = max(round(width_px * size.height_px / size.width_px), MIN_SIDE_PX)
        if width_px * height_px <= max_pixels or width_px == MIN_SIDE_PX:
            return Size(width_px, height_px)
        width_px -= 1


def smallest_size(framed: Axes, subject: Axes, magnification: float, aspect_ratio: float) -> Size:
    """Find the smallest frame of an aspect ratio.

    Args:
        framed: What it holds, unless the product can reach from end to end in another one.
        subject: Product and margins, which even that other one holds.
        magnification: What the size is made for.
        aspect_ratio: Width over height.

    Returns:
        The size.
    """
    for size in _spanning_sizes(framed, subject, magnification, aspect_ratio):
        if min(size.width_px, size.height_px) >= MIN_SIDE_PX:
            return size
    width_px, height_px = framed.x.side_px(magnification), framed.y.side_px(magnification)
    if width_px >= height_px * aspect_ratio:
        return Size(width_px, round(width_px / aspect_ratio), magnification)
    return Size(round(height_px * aspect_ratio), height_px, magnification)


def _spanning_sizes(
    framed: Axes, subject: Axes, magnification: float, aspect_ratio: float
) -> Iterator[Size]:
    if framed.x.spans:
        width_px = framed.x.spanned_px(magnification)
        height_px = round(width_px / aspect_ratio)
        if subject.y.holds_product(magnification, height_px):
            yield Size(width_px, height_px, magnification)
    if framed.y.spans:
        height_px = framed.y.spanned_px(magnification)
        width_px = round(height_px * aspect_ratio)
        if subject.x.holds_product(magnification, width_px):
            yield Size(width_px, height_px, magnification)


def spanning_magnification(subject: Axes, width_px: int, height_px: int) -> float | None:
    """Return what makes a product that is cut off at both ends reach from end to end.

    Returns:
        The magnification; None if no axis asks for it, or if the other could not hold the product.
    """
    x, y = subject
    across, down = width_px / x.product.length, height_px / y.product.length
    if x.spans and y.holds_product(across, height_px):
        return across
    if y.spans and x.holds_product(down, width_px):
        return down
    return None


def fitting_magnification(subject: Axes, width_px: int, height_px: int) -> float:
    """Return the largest magnification at which the subject fits, margins and fill kept.

    Raises:
        InvalidOptionError: The margins leave no room for the product.
    """
    x, y = subject
    largest = (x.largest(width_px), y.largest(height_px))
    fitting = [each for each in largest if x.fits(each, width_px) and y.fits(each, height_px)]
    return max(fitting, default=min(largest))


def _alone(axis: Axis, side_px: int) -> float:
    """Return the magnification that one side asks for while the other is free."""
    return side_px / axis.product.length if axis.spans else axis.largest(side_px)
