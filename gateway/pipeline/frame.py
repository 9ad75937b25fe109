"""Where the product goes in a frame of its own: plain geometry, no pixels."""

from dataclasses import dataclass
from math import ceil

from gateway.errors import InvalidOptionError
from gateway.pipeline.arrays import Box

MIN_SIDE_PX = 16


@dataclass(frozen=True, slots=True)
class Length:
    """A length beside the product: the sum of both parts.

    Attributes:
        share: Of the product's own side along the same axis, 0 or more.
        px: Pixels of the frame, 0 or more.
    """

    share: float = 0.0
    px: int = 0


@dataclass(frozen=True, slots=True)
class Margins:
    """The least space between the product's box and each side of its frame."""

    left: Length = Length()
    top: Length = Length()
    right: Length = Length()
    bottom: Length = Length()


@dataclass(frozen=True, slots=True)
class FrameLimits:
    """What a frame may be.

    Attributes:
        max_side_px: Longest side.
        max_pixels: Most pixels.
    """

    max_side_px: int
    max_pixels: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame for the product.

    With crop, margins or scale it is built around the product, with none of them it shows the whole
    photo.

    Attributes:
        limits: What it may be.
        width_px: Width; 0: from height and aspect ratio, else from what is framed, at the photo's
            own scale if the height is 0 as well.
        height_px: Height; 0 as with the width.
        aspect_ratio: Width over height; None: whatever width and height say.
        crop: Whether everything around the product, margins aside, is cut off.
        margins: The least space around the product's box; None: none.
        scale: Share of the frame that the product's box takes along the tighter side, above 0 to 1;
            None: as much as the margins leave, or as in the photo.
        position: Where the product goes in what space it has, as (x, y), each 0 to 1; None: where
            the photo has it, or the middle if the frame is built around the product.
        max_upscale: Largest factor from the photo's pixels to the frame's, 1 or more.
        shrinks: What gives way to `max_upscale`: the frame's size, or else the product's in it.
    """

    limits: FrameLimits
    width_px: int = 0
    height_px: int = 0
    aspect_ratio: float | None = None
    crop: bool = False
    margins: Margins | None = None
    scale: float | None = None
    position: tuple[float, float] | None = None
    max_upscale: float = 2.0
    shrinks: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """How a cut goes into a frame.

    Attributes:
        width_px: The frame's width.
        height_px: The frame's height.
        source: The part of the photo that is taken.
        target: Where it lands, inside the frame.
        product: The product's box in the frame.
        magnification: Factor from the photo's pixels to the frame's.
        notes: What of the frame that was asked for could not be had, a sentence each.
    """

    width_px: int
    height_px: int
    source: Box
    target: Box
    product: Box
    magnification: float
    notes: tuple[str, ...] = ()


def place_in_frame(frame: Frame, product: Box, visible: Box) -> Placement:
    """Centre the product in a frame.

    Args:
        frame: The frame that was asked for.
        product: The product's box in the photo; it decides size and position.
        visible: The box around all that is not fully transparent, faint edges included; it
            contains the product and is what is taken along, as far as the frame holds it.

    Returns:
        The placement.

    Raises:
        InvalidOptionError: The frame would be larger than allowed.
    """
    width_px, height_px = _size(frame, product)
    keeps_size = not frame.width_px
    tighter = min(width_px / product.width, height_px / product.height)
    scale = 1.0 if keeps_size else frame.fill * tighter
    # The frame's middle shows the product's middle.
    x_px = width_px / 2 - scale * (product.left + product.right) / 2
    y_px = height_px / 2 - scale * (product.top + product.bottom) / 2
    source_left, source_right, left, right = _span(
        visible.left, visible.right, scale, x_px, width_px
    )
    source_top, source_bottom, top, bottom = _span(
        visible.top, visible.bottom, scale, y_px, height_px
    )
    return Placement(
        width_px,
        height_px,
        source=Box(source_left, source_top, source_right, source_bottom),
        target=Box(left, top, right, bottom),
        product=_centred(width_px, height_px, scale * product.width, scale * product.height),
        scale=scale,
    )


def _size(frame: Frame, product: Box) -> tuple[int, int]:
    width_px, height_px = frame.width_px, frame.height_px
    if not width_px:
        side_px = ceil(max(product.width, product.height) / frame.fill)
        width_px = height_px = max(side_px, MIN_SIDE_PX)
    longest_px = max(width_px, height_px)
    if longest_px > frame.max_side_px or width_px * height_px > frame.max_pixels:
        raise InvalidOptionError(
            f"the frame would be {width_px}x{height_px} pixels; the limits are "
            f"{frame.max_side_px} a side and {frame.max_pixels} in all",
            field="frame",
            figures={
                "limit_px": frame.max_side_px,
                "limit_pixels": frame.max_pixels,
                "value_px": longest_px,
            },
        )
    return width_px, height_px


def _span(
    start: int, stop: int, scale: float, offset_px: float, length_px: int
) -> tuple[int, int, int, int]:
    """Map one axis: take as much of start to stop as the frame holds, at least a pixel each."""
    first = max(start, int(-offset_px / scale))
    last = min(stop, ceil((length_px - offset_px) / scale))
    target = min(max(round(first * scale + offset_px), 0), length_px - 1)
    target_stop = min(max(round(last * scale + offset_px), target + 1), length_px)
    return first, max(last, first + 1), target, target_stop


def _centred(width_px: int, height_px: int, box_width: float, box_height: float) -> Box:
    width, height = max(round(box_width), 1), max(round(box_height), 1)
    left, top = (width_px - width) // 2, (height_px - height) // 2
    return Box(left, top, left + width, top + height)
