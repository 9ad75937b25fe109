"""remove.bg's region of interest, "x1 y1 x2 y2", as the client's region: a corner and a size."""

import re
from decimal import Decimal
from typing import Final

from web.errors import invalid
from web.orders import Order

_LENGTH: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(%|px)", re.ASCII)
_WHOLE: Final = ("0%", "0%", "100%", "100%")
_EXCEEDS: Final = "ROI exceeds image bounds"
_FORMS: Final = "allowed: x1 y1 x2 y2, each in whole px or in %"


def read_roi(text: str, order: Order) -> None:
    """Read a region of interest.

    Raises:
        ValueError: It is none, or the edges of one axis are of two units.
        WebError: It is empty, or exceeds the photo.
    """
    words = text.replace(",", " ").split()
    found = [_LENGTH.fullmatch(word) for word in words]
    if len(words) != len(_WHOLE) or not all(found):
        raise ValueError(_FORMS)
    left, top, right, bottom = ((Decimal(each[1]), each[2]) for each in found if each)
    x, width = _span(left, right)
    y, height = _span(top, bottom)
    if (x, y, width, height) != _WHOLE:
        order.options["region"] = (x, y, width, height)


def _span(begin: tuple[Decimal, str], end: tuple[Decimal, str]) -> tuple[str, str]:
    """Return where one axis begins and how long it is, in one unit; 0 is of either."""
    unit = end[1]
    if begin[0] and begin[1] != unit:
        raise ValueError("the edges of one axis must both be in px, or both in %")
    size = end[0] - begin[0]
    if size <= 0:
        raise invalid("roi_region_empty", "the given roi is empty", title="ROI region is empty")
    if unit == "px" and (begin[0] % 1 or size % 1):
        raise ValueError(_FORMS)
    if unit == "%" and end[0] > 100:  # noqa: PLR2004
        raise invalid("roi_exceeds_bounds", "the given roi exceeds the photo", title=_EXCEEDS)
    return f"{begin[0].normalize():f}{unit}", f"{size.normalize():f}{unit}"
