"""What a marketplace's rules can ask of a picture, and how they are put into words."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from imaging.decode.formats import PhotoFormat
from imaging.encode import PictureFormat
from imaging.types import Color


class Importance(Enum):
    """A rule's weight."""

    REQUIRED = "required"
    """A file that breaks it is refused by the marketplace."""
    ADVISED = "advised"
    """A file that breaks it is accepted but does less well."""


class RuleName(Enum):
    """What a rule is about; the value is the name that callers see."""

    FORMAT = "format"
    BACKGROUND = "background"
    FILL = "fill"
    WIDTH = "width"
    HEIGHT = "height"
    SHORTEST_SIDE = "shortest-side"
    LONGEST_SIDE = "longest-side"
    PIXELS = "pixels"
    BYTES = "bytes"
    UPSCALING = "upscaling"
    WHOLE_PRODUCT = "whole-product"

    @property
    def unit(self) -> str:
        """The unit that it is measured in; empty if it is not measured."""
        return _UNITS.get(self, "px")

    @property
    def subject(self) -> str:
        """What is measured, as the subject of a sentence."""
        return _SUBJECTS[self]


_UNITS: Final = {
    RuleName.FORMAT: "",
    RuleName.BACKGROUND: "levels",
    RuleName.FILL: "%",
    RuleName.BYTES: "bytes",
    RuleName.UPSCALING: "x",
    RuleName.WHOLE_PRODUCT: "sides",
}
_SUBJECTS: Final = {
    RuleName.FORMAT: "the file's format",
    RuleName.BACKGROUND: "the border",
    RuleName.FILL: "the product's share of the frame",
    RuleName.WIDTH: "the width",
    RuleName.HEIGHT: "the height",
    RuleName.SHORTEST_SIDE: "the shortest side",
    RuleName.LONGEST_SIDE: "the longest side",
    RuleName.PIXELS: "width times height",
    RuleName.BYTES: "the file's size",
    RuleName.UPSCALING: "the magnification",
    RuleName.WHOLE_PRODUCT: "the product",
}


@dataclass(frozen=True, slots=True)
class FormatRule:
    """The formats that a marketplace takes.

    Attributes:
        importance: Its weight.
        formats: Those among the service's own, one or more.
    """

    importance: Importance
    formats: tuple[PictureFormat, ...]

    @property
    def name(self) -> RuleName:
        """What it is about."""
        return RuleName.FORMAT

    @property
    def limits(self) -> str:
        """What is allowed, in a few words."""
        *others, last = (PhotoFormat[each.name].value for each in self.formats)
        return f"{', '.join(others)} or {last}" if others else last


@dataclass(frozen=True, slots=True)
class BackgroundRule:
    """What stands behind the product.

    Attributes:
        importance: Its weight.
        color: The colour that the picture's border must have.
        transparent: Whether it may be transparent instead.
        at_most: Largest deviation of any channel of any pixel of the border, 0 to 255.
    """

    importance: Importance
    color: Color
    transparent: bool
    at_most: int

    @property
    def name(self) -> RuleName:
        """What it is about."""
        return RuleName.BACKGROUND

    @property
    def limits(self) -> str:
        """What is allowed, in a few words."""
        color = hex_color(self.color)
        exactness = f"within {self.at_most} levels of {color}" if self.at_most else f"pure {color}"
        return f"{exactness} or transparent" if self.transparent else exactness


@dataclass(frozen=True, slots=True)
class WholeProductRule:
    """That the photo shows all of the product.

    Attributes:
        importance: Its weight.
    """

    importance: Importance

    @property
    def name(self) -> RuleName:
        """What it is about."""
        return RuleName.WHOLE_PRODUCT

    @property
    def limits(self) -> str:
        """What is allowed, in a few words."""
        return "cut off by no side of the photo"


@dataclass(frozen=True, slots=True)
class BoundsRule:
    """The bounds of something that is measured, at least one of them.

    Attributes:
        name: What is measured.
        importance: Its weight.
        at_least: Least that is allowed, in the name's unit; None: no such bound.
        at_most: Most that is allowed; None: no such bound.
        note: What the sentence about it ends with, such as "for zoom"; empty for nothing.
    """

    name: RuleName
    importance: Importance
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def limits(self) -> str:
        """What is allowed, in a few words, without the note."""
        unit = self.name.unit
        match self.at_least, self.at_most:
            case float() | int() as least, None:
                return f"at least {amount(least, unit)}"
            case None, float() | int() as most:
                return f"at most {amount(most, unit)}"
            case float() | int() as least, float() | int() as most:
                return f"{amount(least)} to {amount(most, unit)}"
            case _:
                raise ValueError(f"{self.name.value} has no bound")

    def holds(self, measured: float) -> bool:
        """Whether a measure lies within the bounds."""
        return (self.at_least is None or measured >= self.at_least) and (
            self.at_most is None or measured <= self.at_most
        )


Rule: TypeAlias = FormatRule | BackgroundRule | WholeProductRule | BoundsRule


def sentence(rule: Rule) -> str:
    """Put a rule into a sentence, such as "The longest side must be at least 1000 px for zoom."."""
    verb = "must" if rule.importance is Importance.REQUIRED else "should"
    subject = rule.name.subject
    note = f" {rule.note}" if isinstance(rule, BoundsRule) and rule.note else ""
    return f"{subject[0].upper()}{subject[1:]} {verb} be {rule.limits}{note}."


def amount(value: float, unit: str = "") -> str:
    """Write a figure with its unit, thousands apart from 10,000 on: "1000 px", "87.94 %"."""
    rounded = round(value, 3)
    separator = "," if abs(rounded) >= 10_000 else ""  # noqa: PLR2004 - four digits read well
    text = f"{rounded:{separator}.3f}".rstrip("0").rstrip(".")
    return f"{text} {unit}" if unit else text


def hex_color(color: Color) -> str:
    """Write a colour as "#RRGGBB"."""
    return f"#{bytes(color).hex().upper()}"
