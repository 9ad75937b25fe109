"""What options of `packshot render` say in a text of their own grammar."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import click

from packshot._options import (
    Background,
    BackgroundPicture,
    Blur,
    LinearGradient,
    RadialGradient,
    Scene,
    SceneName,
)
from packshot._region import to_region
from packshot._words import SCENES

BACKGROUND_FORMS = (
    "transparent|white|#RRGGBB|blur[:STRENGTH]|gradient:COLOR,COLOR...[@ANGLE]"
    "|radial:COLOR,COLOR...[@X% Y%]|scene:KIND[:SEED]|FILE"
)
SIZE_FORMS = "N|WxH|Wx|xH"
ASPECT_FORMS = "W:H|R"
REGION_FORMS = "X,Y,W,H"

_Value = TypeVar("_Value")


class Spec(click.ParamType[_Value], Generic[_Value]):
    """A text that a function reads; its ValueError is wrong usage."""

    name = "spec"

    def __init__(self, parse: Callable[[str], _Value]) -> None:
        self._parse = parse

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> _Value:
        """Read the text."""
        try:
            return self._parse(value)
        except ValueError as exc:
            self.fail(str(exc), param, ctx)


def parse_background(text: str) -> Background:
    """Read a background: a name, a colour, KIND:DETAILS, or a picture's path.

    A picture's file is read at once: its path is wrong for every photo or for none.

    Raises:
        ValueError: It is none of that.
    """
    kind, colon, details = text.partition(":")
    parse = _KINDS.get(kind) if colon else None
    if parse is not None:
        return parse(details)
    if text in {"transparent", "white", "blur"} or text.startswith("#"):
        return text
    if Path(text).is_file():
        return BackgroundPicture(Path(text).read_bytes())
    raise ValueError(f"{text!r} is no file and none of {BACKGROUND_FORMS}")


def parse_size(text: str) -> tuple[int | None, int | None]:
    """Read a size: "N" for a square, "WxH", or one side, "Wx" or "xH".

    Raises:
        ValueError: It is none of that.
    """
    width, cross, height = text.partition("x")
    try:
        sides = [int(side) if side else None for side in (width, height if cross else width)]
    except ValueError:
        sides = []
    if any(sides) and 0 not in sides:
        return sides[0], sides[1]
    raise ValueError(f"{text!r} is none of {SIZE_FORMS}")


def parse_aspect(text: str) -> float:
    """Read an aspect ratio: "W:H" or width over height.

    Raises:
        ValueError: It is neither.
    """
    width, colon, height = text.partition(":")
    try:
        return float(width) / (float(height) if colon else 1.0)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text!r} is none of {ASPECT_FORMS}") from None


def parse_region(text: str) -> str:
    """Check a region: "X,Y,W,H" in pixels or percent.

    Raises:
        ValueError: It is none.
    """
    to_region(text)
    return text


def parse_mask(text: str) -> bytes:
    """Read a mask's file at once: its path is wrong for every photo or for none.

    Raises:
        ValueError: There is no such file, or it is empty.
    """
    try:
        data = Path(text).read_bytes()
    except OSError as exc:
        raise ValueError(f"{text!r} cannot be read: {exc.strerror}") from exc
    if not data:
        raise ValueError(f"{text!r} is empty")
    return data


def _parse_blur(details: str) -> Blur:
    return Blur(_parse_number(details, "a strength in percent"))


def _parse_gradient(details: str) -> LinearGradient:
    colors, at, angle = details.partition("@")
    gradient = LinearGradient(tuple(colors.split(",")))
    if not at:
        return gradient
    return LinearGradient(gradient.colors, _parse_number(angle, "an angle in degrees"))


def _parse_radial(details: str) -> RadialGradient:
    colors, at, center = details.partition("@")
    return RadialGradient(tuple(colors.split(",")), center if at else "center")


def _parse_scene(details: str) -> Scene:
    kind, colon, seed = details.partition(":")
    if kind not in SCENES:
        raise ValueError(f"{kind!r} is no scene; known: {', '.join(SCENES)}")
    if colon and not seed.isdecimal():
        raise ValueError(f"{seed!r} is no seed: a whole number from 0")
    return Scene(cast("SceneName", kind), int(seed) if colon else 0)


def _parse_number(text: str, meaning: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not {meaning}") from None


_KINDS: dict[str, Callable[[str], Background]] = {
    "blur": _parse_blur,
    "gradient": _parse_gradient,
    "radial": _parse_radial,
    "scene": _parse_scene,
}
