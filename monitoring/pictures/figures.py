"""Figures as people read them: a number in its unit, a series by its legend."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from monitoring.dashboards.panels import Unit

_LABEL: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_PREFIXES: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_BINARY: Final = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_DAY_S: Final = 86400.0


def legend_of(template: str, labels: Mapping[str, str]) -> str:
    """Fill a legend's {{labels}} in."""
    return _LABEL.sub(lambda match: labels.get(match[1], ""), template)


def in_words(value: float, unit: Unit) -> str:
    """Return a value with its unit, short."""
    if math.isnan(value):
        return "no data"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"  # noqa: RUF001  the sign
    return _WORDS.get(unit, _plain)(value)


def _seconds(value: float) -> str:
    if value > _DAY_S:
        return f"{value / _DAY_S:.3g} d"
    return f"{value:.3g} s" if value >= 1 or value == 0 else f"{value * 1e3:.3g} ms"


def _plain(value: float) -> str:
    for factor, name in _PREFIXES:
        if abs(value) >= factor:
            return f"{value / factor:.3g}{name}"
    return f"{value:.3g}"


def _scaled(value: float, steps: tuple[tuple[int, str], ...], smallest: str) -> str:
    for factor, name in steps:
        if abs(value) >= factor:
            return f"{value / factor:.3g} {name}"
    return f"{value:.3g} {smallest}"


_WORDS: Final[Mapping[Unit, Callable[[float], str]]] = {
    Unit.SHARE: lambda value: f"{value * 100:.4g} %",
    Unit.SECONDS: _seconds,
    Unit.BYTES: lambda value: _scaled(value, _BINARY, "B"),
    Unit.BYTES_PER_S: lambda value: _scaled(value, _BINARY, "B") + "/s",
    Unit.MONEY: lambda value: f"${value:.3g}",
    Unit.YES_NO: lambda value: "yes" if value else "no",
    Unit.PER_S: lambda value: f"{_plain(value)}/s",
    Unit.WATTS: lambda value: f"{value:.3g} W",
    Unit.JOULES: lambda value: f"{value:.3g} J",
}
