"""Where the product goes in a frame of its own: plain geometry, no pixels."""

from dataclasses import dataclass, replace

from imaging.errors import InvalidOptionError
from imaging.framing.axis import MIN_SIDE_PX, Axis, Interval, Length
from imaging.framing.notes import aspect_note, shrunk_note, span_note, upscale_note
from imaging.framing.size import (
    Axes,
    Size,
    choose_size,
    fitting_magnification,
    reduced_size,
    smallest_size,
    spanning_magnification,
)
from imaging.types import Box, Sides

__all__ = [
    "MIN_SIDE_PX",
    "Frame",
    "FrameLimits",
    "Length",
    "Margins",
    "Placement",
    "cut_off",
    "place_in_frame",
]


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
        max_pixels: Most pixels; a larger frame is made smaller in its own proportions; 0: no bound.
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
    max_pixels: int = 0


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


def cut_off(product: Box, width_px: int, height_px: int) -> Sides:
    """Return which sides of the photo cut the product off.

    Args:
        product: The product's box in the photo.
        width_px: The photo's width.
        height_px: The photo's height.
    """
    return Sides(
        left=product.left <= 0,
        top=product.top <= 0,
        right=product.right >= width_px,
        bottom=product.bottom >= height_px,
    )


def stay_in_place(width_px: int, height_px: int, product: Box, visible: Box) -> Placement:
    """Place the product in the photo's own frame, where it is; arguments as `place_in_frame`'s."""
    return Placement(width_px, height_px, visible, visible, product, magnification=1.0)


def place_in_frame(
    frame: Frame, width_px: int, height_px: int, product: Box, visible: Box
) -> Placement:
    """Place the product in a frame.

    A frame around the product takes it as large as margins and scale leave it, s p (1 + m) + n <= W
    and s p <= k W along each axis for a product of p pixels, margins of m times the product and n
    pixels, and a scale of k; a frame that shows the whole photo contains that. Where the photo cuts
    the product off, it stays flush with the frame.

    Args:
        frame: The frame that was asked for.
        width_px: The photo's width.
        height_px: The photo's height.
        product: The box of the photo's pixels that are at least half product; never clipped.
        visible: The box around all that is not fully transparent, faint edges included; it
            contains the product and is what is taken along, as far as the frame holds it.

    Returns:
        The placement.

    Raises:
        InvalidOptionError: The frame would be larger than allowed, or the margins leave no room for
            the product.
    """
    cut = cut_off(product, width_px, height_px)
    subject = _subject(frame, Box(0, 0, width_px, height_px), product, visible, cut)
    framed = subject if frame.crop else Axes(subject.x.around_photo(), subject.y.around_photo())
    asked = choose_size(framed, subject, (frame.width_px, frame.height_px), frame.aspect_ratio)
    size, magnification, note = _limited(frame, subject, asked)
    if 0 < frame.max_pixels < size.width_px * size.height_px:
        least = reduced_size(size, frame.max_pixels)
        smaller = replace(
            frame,
            width_px=least.width_px,
            height_px=least.height_px,
            aspect_ratio=None,
            max_pixels=0,
        )
        return place_in_frame(smaller, width_px, height_px, product, visible)
    _check_limits(frame.limits, size)
    notes = [
        note,
        span_note(subject.x, magnification, size.width_px, frame.max_upscale),
        span_note(subject.y, magnification, size.height_px, frame.max_upscale),
    ]
    if frame.aspect_ratio and not (frame.width_px and frame.height_px):
        notes.append(aspect_note(frame.aspect_ratio, asked))
    x = subject.x.placed(magnification, size.width_px)
    y = subject.y.placed(magnification, size.height_px)
    return Placement(
        size.width_px,
        size.height_px,
        source=_box(x.source, y.source),
        target=_box(x.target, y.target),
        product=_box(x.product, y.product),
        magnification=magnification,
        notes=tuple(note for note in notes if note),
    )


def _subject(frame: Frame, photo: Box, product: Box, visible: Box, cut: Sides) -> Axes:
    """Say of both axes what the frame has to hold: the product, or the whole photo."""
    around_product = frame.crop or frame.margins is not None or frame.scale is not None
    margins = frame.margins or Margins()
    x_position, y_position = frame.position or (
        0.5 if around_product or (cut.left and cut.right) else None,
        0.5 if around_product or (cut.top and cut.bottom) else None,
    )
    x = Axis(
        "width",
        photo.width,
        Interval(product.left, product.right),
        Interval(visible.left, visible.right),
        framed_px=product.width,
        before=Length() if cut.left else margins.left,
        after=Length() if cut.right else margins.right,
        fill=frame.scale or 1.0,
        position=x_position,
    )
    y = Axis(
        "height",
        photo.height,
        Interval(product.top, product.bottom),
        Interval(visible.top, visible.bottom),
        framed_px=product.height,
        before=Length() if cut.top else margins.top,
        after=Length() if cut.bottom else margins.bottom,
        fill=frame.scale or 1.0,
        position=y_position,
    )
    return Axes(x, y) if around_product else Axes(x.around_photo(), y.around_photo())


def _limited(frame: Frame, subject: Axes, size: Size) -> tuple[Size, float, str]:
    """Keep the magnification within its limit, by a smaller frame or a smaller product in it.

    Returns:
        The size, the magnification, and a note if anything gave way.
    """
    width_px, height_px, limit = size.width_px, size.height_px, frame.max_upscale
    spanning = spanning_magnification(subject, width_px, height_px)
    asked = size.magnification or spanning or fitting_magnification(subject, width_px, height_px)
    if asked <= limit:
        return size, asked, ""
    fitting = fitting_magnification(subject, width_px, height_px)
    if frame.shrinks:
        least = smallest_size(subject, subject, limit, width_px / height_px)
        smaller = Size(min(least.width_px, width_px), min(least.height_px, height_px))
        # A product that reaches from end to end in no smaller frame stays as it fits this one.
        if fitting > limit or smaller[:2] == least[:2]:
            return smaller, limit, shrunk_note(asked, limit, size, smaller)
    kept = min(fitting, limit)
    # A product that should reach from end to end has a note of its own.
    return size, kept, "" if spanning else upscale_note(asked, limit, kept, subject, size)


def _check_limits(limits: FrameLimits, size: Size) -> None:
    longest_px = max(size.width_px, size.height_px)
    if longest_px > limits.max_side_px or size.width_px * size.height_px > limits.max_pixels:
        raise InvalidOptionError(
            f"the frame would be {size.width_px}x{size.height_px} pixels; the limits are "
            f"{limits.max_side_px} a side and {limits.max_pixels} in all",
            field="frame",
            figures={
                "limit_px": limits.max_side_px,
                "limit_pixels": limits.max_pixels,
                "value_px": longest_px,
            },
        )


def _box(x: Interval, y: Interval) -> Box:
    return Box(x.start, y.start, x.stop, y.stop)
