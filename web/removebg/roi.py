"""remove.bg's region of interest."""

import re
from typing import Final

from web.orders import Order

_WHOLE: Final = {("0%", "0%", "100%", "100%"), ("0px", "0px", "100%", "100%")}
_LENGTH: Final = re.compile(r"\d{1,6}(\.\d{1,6})?%|\d{1,6}px", re.ASCII)


def read_roi(text: str, order: Order) -> None:  # noqa: ARG001  as every parameter's
    """Read a region of interest.

    Raises:
        ValueError: It is none, or not the whole photo.
    """
    words = tuple(text.replace(",", " ").split())
    if len(words) != 4 or not all(map(_LENGTH.fullmatch, words)):  # noqa: PLR2004
        raise ValueError("allowed: x1 y1 x2 y2, each in px or %")
    if words not in _WHOLE:
        raise ValueError("this service cannot bound where the product is looked for")
