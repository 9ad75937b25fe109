"""Margins and positions, from what callers write to the interface's messages."""

import re

from packshot._options import Position
from packshot.v1 import packshot_pb2 as pb

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%", re.ASCII)
_PIXELS = re.compile(r"(\d+)(?:px)?", re.ASCII)
_MARGIN_FORMS = "pixels, or one, two or four lengths such as '30px' and '5%'"
_POSITION_FORMS = "'center', '25%', '25% 75%' or (25, 75)"
# For a text of so many lengths: which one is above, right, below and left.
_SIDES = {1: (0, 0, 0, 0), 2: (0, 1, 0, 1), 4: (0, 1, 2, 3)}


def to_margins(margin: int | str) -> pb.Margins:
    """Read a margin.

    Args:
        margin: Pixels, or a text as in CSS: one length for all sides, two for above and below and
            for left and right, or four from above clockwise. A length without a unit is in pixels.

    Raises:
        ValueError: It is none of that.
    """
    try:
        lengths = [_to_length(word) for word in str(margin).split()]
        top, right, bottom, left = (lengths[index] for index in _SIDES[len(lengths)])
    except (KeyError, ValueError):
        raise ValueError(f"margin is {margin!r}; allowed: {_MARGIN_FORMS}") from None
    return pb.Margins(left=left, top=top, right=right, bottom=bottom)


def to_position(name: str, position: Position) -> pb.Position:
    """Read a position in free space.

    Args:
        name: The option's name, for the error.
        position: "center", percent from the left and from the top, or a text of one percentage for
            both or of two.

    Raises:
        ValueError: It is none of that.
    """
    try:
        x_percent, y_percent = _to_percents(position) if isinstance(position, str) else position
    except ValueError:
        raise ValueError(f"{name} is {position!r}; allowed: {_POSITION_FORMS}") from None
    return pb.Position(x_percent=x_percent, y_percent=y_percent)


def _to_length(word: str) -> pb.Length:
    if percent := _PERCENT.fullmatch(word):
        return pb.Length(percent=float(percent[1]))
    if pixels := _PIXELS.fullmatch(word):
        return pb.Length(px=int(pixels[1]))
    raise ValueError(word)


def _to_percents(text: str) -> list[float]:
    if text == "center":
        return [50.0, 50.0]
    words = text.split()
    lengths = [_to_length(word) for word in (words * 2 if len(words) == 1 else words)]
    if any(length.WhichOneof("kind") != "percent" for length in lengths):
        raise ValueError(text)
    return [length.percent for length in lengths]
