"""Whether a finished file complies with a marketplace's rules, measured on the file itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from cv2.typing import MatLike
from PIL.JpegImagePlugin import JpegImageFile

from imaging.decode.formats import PhotoFormat, format_of, open_header
from imaging.decode.quick_jpeg import decode_quickly, new_room
from imaging.encode import PictureFormat
from imaging.presets.preset import Preset
from imaging.presets.rules import (
    BackgroundRule,
    BoundsRule,
    FormatRule,
    Importance,
    Rule,
    RuleName,
    WholeProductRule,
    amount,
    hex_color,
)
from imaging.types import Box, Pixels, Sides

# What stands out from the background by no more may be the noise of lossy coding.
_NOISE_LEVELS: Final = 8
# A share of the frame that the cut and the file disagree on by more, in percent, is told.
_DISAGREEMENT_PERCENT: Final = 1.0
_MAX_LEVEL: Final = 255
_COLORS: Final = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One rule and what was measured.

    Attributes:
        rule: The rule's name.
        importance: Its weight.
        passed: Whether the file keeps it.
        measured: What was measured, in the unit; of a format, 1 if it is taken and 0 if not.
        at_least: Least that is allowed; None: no such bound.
        at_most: Most that is allowed; None: no such bound.
        unit: The unit; empty for a rule without figures.
        explanation: A sentence for people that names rule, measure and bound.
    """

    rule: str
    importance: Importance
    passed: bool
    measured: float
    at_least: float | None
    at_most: float | None
    unit: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a marketplace's rules say of a finished file.

    Attributes:
        preset: The preset's name.
        complies: Whether every requirement is met; advice does not count.
        checks: Every rule, in the preset's order.
    """

    preset: str
    complies: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is judged: the file, read again, and what only the pipeline can know.

    Attributes:
        pixels: (H, W, 3) or (H, W, 4) uint8, decoded from the file.
        declared: The format that the file was made as.
        found: The format that its bytes are.
        figures: What the rules with bounds are about, measured.
        product: The product's box, from the cut.
        cut_off: The sides of the photo that cut the product off.
    """

    pixels: Pixels
    declared: PictureFormat
    found: PhotoFormat
    figures: Mapping[RuleName, float]
    product: Box
    cut_off: Sides


def judge(
    preset: Preset,
    picture: bytes,
    picture_format: PictureFormat,
    product: Box,
    magnification: float,
    cut_off: Sides,
) -> Verdict:
    """Judge a finished file by a preset's rules.

    Format, size, bytes and background are measured on the file alone: it is decoded again. The
    background is the ring of one pixel along the border, measured by the largest deviation of any
    channel from the rule's colour, so a product that touches the border breaks it.

    The product's share of the frame is its box's, along the tighter side: the larger one of width
    by width and height by height. The box is the cut's, since a white product on white cannot be
    told from the background in the file. What differs from the background in the file by more than
    8 levels is the cross-check: if its box's share is another one by more than 1 percent, the
    explanation says so, but the cut's counts.

    Args:
        preset: The marketplace's rules.
        picture: The file.
        picture_format: The format that it was made as.
        product: The product's box in the picture, from the cut.
        magnification: Factor from the photo's pixels to the picture's, judged to a thousandth.
        cut_off: The sides of the photo that cut the product off.

    Returns:
        The verdict, one check for each rule.

    Raises:
        ValueError: The bytes are no picture of a known format.
        OSError: The file is broken.
    """
    found = format_of(picture)
    if found is None:
        raise ValueError("the finished file is of no known format")
    pixels = _decode(picture, found)
    subject = _Subject(
        pixels,
        picture_format,
        found,
        _figures(pixels, len(picture), product, magnification),
        product,
        cut_off,
    )
    checks = tuple(_check(rule, subject) for rule in preset.rules)
    complies = all(check.passed for check in checks if check.importance is Importance.REQUIRED)
    return Verdict(preset.name, complies, checks)


def _decode(picture: bytes, found: PhotoFormat) -> Pixels:
    with open_header(picture, found) as image:
        if isinstance(image, JpegImageFile) and image.mode == "RGB":
            quick = decode_quickly(image, picture, 1, new_room)
            if quick is not None:
                return quick
        mode = "RGBA" if image.has_transparency_data else "RGB"
        return np.asarray(image if image.mode == mode else image.convert(mode))


def _figures(
    pixels: Pixels, size_bytes: int, product: Box, magnification: float
) -> dict[RuleName, float]:
    height_px, width_px = pixels.shape[:2]
    return {
        RuleName.FILL: _share_percent(product, width_px, height_px),
        RuleName.WIDTH: width_px,
        RuleName.HEIGHT: height_px,
        RuleName.SHORTEST_SIDE: min(width_px, height_px),
        RuleName.LONGEST_SIDE: max(width_px, height_px),
        RuleName.PIXELS: width_px * height_px,
        RuleName.BYTES: size_bytes,
        RuleName.UPSCALING: round(magnification, 3),
    }


def _check(rule: Rule, subject: _Subject) -> Check:
    match rule:
        case FormatRule():
            return _check_format(rule, subject)
        case BackgroundRule():
            return _check_background(rule, subject)
        case WholeProductRule():
            return _check_whole_product(rule, subject)
        case BoundsRule():
            return _check_bounds(rule, subject)


def _check_format(rule: FormatRule, subject: _Subject) -> Check:
    # The two enumerations give the formats that they share the same names.
    honest = subject.found.name == subject.declared.name
    passed = honest and subject.declared in rule.formats
    lie = "" if honest else f", declared as {PhotoFormat[subject.declared.name].value}"
    explanation = f"the file's format is {subject.found.value}{lie}; {_demand(rule)}"
    return _finding(rule, float(passed), explanation, passed=passed)


def _check_background(rule: BackgroundRule, subject: _Subject) -> Check:
    levels = _deviation(_border(subject.pixels), rule)
    explanation = (
        f"the border differs from {hex_color(rule.color)} "
        f"by {'up to ' if levels else ''}{levels} of {_MAX_LEVEL} levels; {_demand(rule)}"
    )
    passed = levels <= rule.at_most
    return _finding(rule, levels, explanation, passed=passed, at_most=rule.at_most)


def _check_whole_product(rule: WholeProductRule, subject: _Subject) -> Check:
    names = [name for name, cut in zip(Sides._fields, subject.cut_off, strict=True) if cut]
    where = f"on {len(names)} of 4 sides: {', '.join(names)}" if names else "on no side"
    verb = "must" if rule.importance is Importance.REQUIRED else "should"
    explanation = f"the photo cuts the product off {where}; it {verb} show all of it"
    return _finding(rule, len(names), explanation, passed=not names, at_most=0)


def _check_bounds(rule: BoundsRule, subject: _Subject) -> Check:
    measured = subject.figures[rule.name]
    note = f" {rule.note}" if rule.note else ""
    explanation = (
        f"{rule.name.subject} is {amount(measured, rule.name.unit)}"
        f"{_doubt(measured, subject) if rule.name is RuleName.FILL else ''}; {_demand(rule)}{note}"
    )
    return _finding(
        rule,
        measured,
        explanation,
        passed=rule.holds(measured),
        at_least=rule.at_least,
        at_most=rule.at_most,
    )


def _finding(
    rule: Rule,
    measured: float,
    explanation: str,
    *,
    passed: bool,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Check:
    name = rule.name
    return Check(
        name.value, rule.importance, passed, measured, at_least, at_most, name.unit, explanation
    )


def _demand(rule: Rule) -> str:
    """Return such as "at least 1000 px are required" or "at most 5000 px are allowed"."""
    verb = "is" if rule.name.unit in {"", "levels", "%", "x"} else "are"
    required = rule.importance is Importance.REQUIRED
    only_most = isinstance(rule, BoundsRule) and rule.at_least is None
    return f"{rule.limits} {verb} {'allowed' if required and only_most else rule.importance.value}"


def _border(pixels: Pixels) -> Pixels:
    """Return the ring of one pixel along the border as (N, C), corners twice."""
    sides = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    return np.concatenate(sides)


def _deviation(border: Pixels, rule: BackgroundRule) -> int:
    levels = np.abs(border[:, :_COLORS].astype(np.int32) - np.array(rule.color, np.int32)).max(
        axis=1
    )
    if border.shape[1] > _COLORS:
        alpha = border[:, _COLORS].astype(np.int32)
        # Where transparency is allowed, what counts is the pixel as it looks on the rule's colour.
        levels = (
            -(-levels * alpha // _MAX_LEVEL)
            if rule.transparent
            else np.maximum(levels, _MAX_LEVEL - alpha)
        )
    return int(levels.max())


def _doubt(measured: float, subject: _Subject) -> str:
    """Return what the file shows of the product, if that is another share of the frame."""
    height_px, width_px = subject.pixels.shape[:2]
    seen = _share_percent(_visible(subject.pixels), width_px, height_px)
    if abs(seen - measured) <= _DISAGREEMENT_PERCENT:
        return ""
    return f" by the cut, while {amount(round(seen, 1), '%')} stands out from the background"


def _visible(pixels: Pixels) -> Box:
    """Return the box of what stands out from the border's usual colour or transparency."""
    background = np.median(_border(pixels), axis=0)
    if len(background) > _COLORS and background[_COLORS] < _MAX_LEVEL:
        alpha = cv2.extractChannel(pixels, _COLORS)
        return _box(cv2.threshold(alpha, _NOISE_LEVELS, _MAX_LEVEL, cv2.THRESH_BINARY)[1])
    least, most = background[:_COLORS] - _NOISE_LEVELS, background[:_COLORS] + _NOISE_LEVELS
    rgb = np.ascontiguousarray(pixels[..., :_COLORS])
    return _box(cv2.bitwise_not(cv2.inRange(rgb, least, most)))


def _box(mask: MatLike) -> Box:
    left, top, width, height = cv2.boundingRect(mask)
    return Box(left, top, left + width, top + height)


def _share_percent(box: Box, width_px: int, height_px: int) -> float:
    return max(100 * box.width / width_px, 100 * box.height / height_px)
