"""Checks that the readers of options share: ranges, names and colours, each with one message."""

import re
from collections.abc import Mapping
from typing import TypeVar

from imaging.compose.composition import Point
from imaging.errors import InvalidOptionError
from imaging.types import Color
from packshot.v1 import packshot_pb2 as pb

Number = TypeVar("Number", int, float)
T = TypeVar("T")


def out_of_range(field: str, value: object, allowed: str) -> InvalidOptionError:
    """Make the error of an option whose value is not allowed."""
    return InvalidOptionError(
        f"{field} is {value}; allowed: {allowed}",
        field=field,
        figures={"allowed": allowed, "value": value},
    )


def within(
    field: str, value: Number, least: Number, most: Number, *, unset: Number | None = None
) -> Number:
    """Return a number that lies within its bounds.

    Args:
        field: The option's proto path.
        value: What the request says.
        least: The smallest value allowed.
        most: The largest.
        unset: What stands for "not said", to be named in the error; the caller deals with it.

    Raises:
        InvalidOptionError: It does not; NaN never does.
    """
    if not least <= value <= most:
        also = "" if unset is None else f", or {unset}"
        raise out_of_range(field, value, f"{least} to {most}{also}")
    return value


def one_of(field: str, number: int, values: Mapping[int, T]) -> T:
    """Return what an enum's number stands for.

    Raises:
        InvalidOptionError: The number is unknown.
    """
    if number not in values:
        raise out_of_range(field, number, ", ".join(map(str, sorted(values))))
    return values[number]


def read_color(field: str, text: str) -> Color:
    """Read "#RRGGBB".

    Raises:
        InvalidOptionError: It is written otherwise.
    """
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        raise out_of_range(field, repr(text[:32]), "'#RRGGBB'")
    return Color(*bytes.fromhex(text[1:]))


def read_position(field: str, position: pb.Position) -> Point:
    """Read a position; what is unset is the middle only if the whole message is.

    Raises:
        InvalidOptionError: A coordinate is outside 0 to 100.
    """
    x = within(f"{field}.x_percent", position.x_percent, 0.0, 100.0)
    y = within(f"{field}.y_percent", position.y_percent, 0.0, 100.0)
    return Point(x / 100, y / 100)
