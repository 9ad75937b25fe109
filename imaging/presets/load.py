"""Reads the presets from their file and refuses data that contradict themselves."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from math import inf, isfinite
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from imaging.encode import PictureFormat
from imaging.presets.preset import Preset, Rendering
from imaging.presets.rules import (
    BackgroundRule,
    BoundsRule,
    FormatRule,
    Importance,
    Rule,
    RuleName,
    WholeProductRule,
)
from imaging.types import Color

MARKETPLACES: Final = Path(__file__).with_name("marketplaces.toml")

T = TypeVar("T", str, bool)
_Table: TypeAlias = Mapping[str, Any]

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COLOR: Final = re.compile(r"#[0-9A-F]{6}")
_MAX_LEVEL: Final = 255
_MAX_QUALITY: Final = 100
_SIDES: Final = (RuleName.WIDTH, RuleName.HEIGHT, RuleName.SHORTEST_SIDE, RuleName.LONGEST_SIDE)


class PresetDataError(ValueError):
    """The presets' data cannot be used; the message names preset, place and value."""


def load_presets(path: Path = MARKETPLACES) -> dict[str, Preset]:
    """Read the presets.

    Args:
        path: A file in the form of `marketplaces.toml`.

    Returns:
        The presets by name, sorted.

    Raises:
        PresetDataError: The data are incomplete, unknown or contradict themselves.
    """
    return parse_presets(path.read_text(encoding="utf-8"))


def parse_presets(text: str) -> dict[str, Preset]:
    """Read the presets from a file's text; see `load_presets`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PresetDataError(f"the presets are no TOML: {error}") from error
    return {name: _preset(name, _table(tables, name, "presets")) for name in sorted(tables)}


def _preset(name: str, table: _Table) -> Preset:
    if not _NAME.fullmatch(name):
        raise PresetDataError(f"{name!r} is no preset's name: lower case and hyphens only")
    _known(table, name, {"summary", "source", "checked_on", "rendering", "rules"})
    source = _value(table, "source", name, str)
    if not source.startswith("https://"):
        raise PresetDataError(f"{name}: source is {source!r}, not an https address")
    preset = Preset(
        name=name,
        summary=_value(table, "summary", name, str),
        source=source,
        checked_on=_date(table, name),
        rendering=_rendering(_table(table, "rendering", name), f"{name}.rendering"),
        rules=_rules(table, name),
    )
    _check_advice(preset)
    _check_rendering(preset)
    return preset


def _rendering(table: _Table, place: str) -> Rendering:
    keys = ("background", "aspect_ratio", "scale", "side_px", "max_upscale", "format", "quality")
    _known(table, place, set(keys))
    return Rendering(
        background=_color(table, "background", place),
        aspect_ratio=_number(table, "aspect_ratio", place, 0.1, 10),
        scale=_number(table, "scale", place, 0.05, 1),
        side_px=int(_number(table, "side_px", place, 16, inf)),
        max_upscale=_number(table, "max_upscale", place, 1, 8),
        picture_format=_format(_value(table, "format", place, str), place),
        quality=int(_number(table, "quality", place, 1, _MAX_QUALITY)),
    )


def _rules(table: _Table, name: str) -> tuple[Rule, ...]:
    tables = table.get("rules")
    if not isinstance(tables, list) or not tables:
        raise PresetDataError(f"{name}: rules are missing")
    rules = tuple(_rule(each, f"{name}.rules[{at}]") for at, each in enumerate(tables))
    if len({(rule.name, rule.importance) for rule in rules}) < len(rules):
        raise PresetDataError(f"{name}: two rules have the same name and importance")
    return rules


def _rule(table: _Table, place: str) -> Rule:
    try:
        name = RuleName(_value(table, "rule", place, str))
        importance = Importance(_value(table, "importance", place, str))
    except ValueError as error:
        raise PresetDataError(f"{place}: {error}") from error
    common = {"rule", "importance"}
    match name:
        case RuleName.FORMAT:
            _known(table, place, common | {"formats"})
            formats = table.get("formats")
            if not isinstance(formats, list) or not formats:
                raise PresetDataError(f"{place}: formats are missing")
            return FormatRule(importance, tuple(_format(each, place) for each in formats))
        case RuleName.BACKGROUND:
            _known(table, place, common | {"color", "transparent", "at_most"})
            return BackgroundRule(
                importance,
                _color(table, "color", place),
                transparent=_value(table, "transparent", place, bool),
                at_most=int(_number(table, "at_most", place, 0, _MAX_LEVEL)),
            )
        case RuleName.WHOLE_PRODUCT:
            _known(table, place, common)
            return WholeProductRule(importance)
        case _:
            _known(table, place, common | {"at_least", "at_most", "note"})
            return _bounds_rule(table, name, importance, place)


def _bounds_rule(table: _Table, name: RuleName, importance: Importance, place: str) -> BoundsRule:
    bounds = {
        key: _number(table, key, place, 0, inf) for key in ("at_least", "at_most") if key in table
    }
    if not bounds:
        raise PresetDataError(f"{place}: at_least or at_most is missing")
    rule = BoundsRule(name, importance, **bounds, note=str(table.get("note", "")))
    if rule.at_least is not None and not rule.holds(rule.at_least):
        raise PresetDataError(f"{place}: at_least {rule.at_least} is above at_most {rule.at_most}")
    return rule


def _check_advice(preset: Preset) -> None:
    """Refuse advice that breaks a requirement."""
    bounds = [rule for rule in preset.rules if isinstance(rule, BoundsRule)]
    required = {rule.name: rule for rule in bounds if rule.importance is Importance.REQUIRED}
    for rule in bounds:
        outer = required.get(rule.name, rule)
        if not all(outer.holds(b) for b in (rule.at_least, rule.at_most) if b is not None):
            raise PresetDataError(
                f"{preset.name}: {rule.name.value} is advised to be {rule.limits} "
                f"but required to be {outer.limits}"
            )


def _check_rendering(preset: Preset) -> None:
    """Refuse defaults that break a rule of their own preset, if only advice."""
    how = preset.rendering
    sides = (how.side_px * min(1, how.aspect_ratio), how.side_px / max(1, how.aspect_ratio))
    figures = {
        RuleName.FILL: 100 * how.scale,
        RuleName.PIXELS: sides[0] * sides[1],
        RuleName.UPSCALING: how.max_upscale,
        **dict(zip(_SIDES, (*sides, min(sides), max(sides)), strict=True)),
    }
    for rule in preset.rules:
        match rule:
            case FormatRule():
                holds = how.picture_format in rule.formats
            case BackgroundRule():
                holds = how.background == rule.color
            case BoundsRule():
                holds = rule.name not in figures or rule.holds(figures[rule.name])
            case WholeProductRule():
                holds = True
        if not holds:
            raise PresetDataError(
                f"{preset.name}: the rendering breaks the preset's own rule that "
                f"{rule.name.subject} be {rule.limits}"
            )


def _known(table: _Table, place: str, keys: set[str]) -> None:
    if unknown := sorted(set(table) - keys):
        raise PresetDataError(f"{place}: {', '.join(unknown)} is not known")


def _table(table: _Table, key: str, place: str) -> _Table:
    value = table.get(key)
    if not isinstance(value, dict):
        raise PresetDataError(f"{place}: {key} is no table")
    return value


def _value(table: _Table, key: str, place: str, kind: type[T]) -> T:
    value = table.get(key)
    if not isinstance(value, kind) or value == "":
        raise PresetDataError(f"{place}: {key} is {value!r}, not a {kind.__name__}")
    return value


def _number(table: _Table, key: str, place: str, least: float, most: float) -> float:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise PresetDataError(f"{place}: {key} is {value!r}, not a number")
    if not least <= value <= most:
        raise PresetDataError(f"{place}: {key} is {value}, outside {least} to {most}")
    return value


def _date(table: _Table, name: str) -> date | None:
    value = table.get("checked_on")
    if value is not None and (isinstance(value, datetime) or not isinstance(value, date)):
        raise PresetDataError(f"{name}: checked_on is {value!r}, not a date")
    return value


def _color(table: _Table, key: str, place: str) -> Color:
    text = _value(table, key, place, str)
    if not _COLOR.fullmatch(text):
        raise PresetDataError(f"{place}: {key} is {text!r}, not #RRGGBB in upper case")
    return Color(*bytes.fromhex(text[1:]))


def _format(name: object, place: str) -> PictureFormat:
    try:
        return PictureFormat(name)
    except ValueError as error:
        raise PresetDataError(f"{place}: {name!r} is no format of the service") from error
