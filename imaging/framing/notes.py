"""What of a frame could not be had, a sentence each; empty where nothing is to be said."""

from imaging.framing.axis import MIN_SIDE_PX, Axis
from imaging.framing.size import Axes, Size


def aspect_note(aspect_ratio: float, size: Size) -> str:
    """Tell if the least side kept a frame from its aspect ratio, width over height."""
    rest_px = min(
        abs(size.width_px - size.height_px * aspect_ratio),
        abs(size.height_px - size.width_px / aspect_ratio),
    )
    if round(rest_px) == 0:
        return ""
    return (
        f"the frame is {size.width_px}x{size.height_px} pixels and not of the aspect ratio "
        f"{aspect_ratio:.4g}: its sides have at least {MIN_SIDE_PX} pixels"
    )


def shrunk_note(asked: float, limit: float, size: Size, smaller: Size) -> str:
    """Tell if a frame became smaller, so that the magnification keeps its limit."""
    if smaller[:2] == size[:2]:
        return ""
    return (
        f"{_beyond(asked, limit)}, so the frame is {smaller.width_px}x{smaller.height_px} instead "
        f"of {size.width_px}x{size.height_px} pixels"
    )


def upscale_note(asked: float, limit: float, kept: float, subject: Axes, size: Size) -> str:
    """Tell if a product is smaller than the frame asks for, at the magnification that was kept."""
    filled, wanted = (_fill(subject, size, each) for each in (kept, asked))
    if filled == wanted:
        return ""
    return f"{_beyond(asked, limit)}, so it fills {filled} of the frame instead of {wanted}"


def span_note(axis: Axis, magnification: float, side_px: int, limit: float) -> str:
    """Tell if a product that is cut off at both ends does not reach from end to end."""
    product_px = axis.product_px(magnification, side_px)
    if not axis.spans or product_px == side_px:
        return ""
    needed = side_px / axis.product.length
    reason = (
        f"the limit is {limit:.4g}"
        if needed > limit
        else "the frame's other side is too short for that"
    )
    return (
        f"the photo cuts the product off at both ends of its {axis.name}, but it takes only "
        f"{product_px} of the frame's {side_px} px there: to fill them it would have to be "
        f"{needed:.4g} times its size in the photo, and {reason}"
    )


def _beyond(asked: float, limit: float) -> str:
    return (
        f"the frame asks for the product at {asked:.4g} times its size in the photo; the limit is "
        f"{limit:.4g}"
    )


def _fill(subject: Axes, size: Size, magnification: float) -> str:
    """Return the share of the frame that the product takes along the tighter side."""
    across = subject.x.product_px(magnification, size.width_px) / size.width_px
    down = subject.y.product_px(magnification, size.height_px) / size.height_px
    return f"{100 * max(across, down):.3g} %"
