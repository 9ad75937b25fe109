"""Shortens every duration in Prometheus's files, so that a test of hours takes a minute."""

import re
from typing import Any, Final

import yaml

_UNITS_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# A duration within an expression: in brackets, after `offset`. None is composed of two units.
_IN_EXPRESSION: Final = re.compile(r"(?<=\[)\d+(?:ms|s|m|h|d)(?=\])|(?<=offset )\d+(?:ms|s|m|h|d)")
_DURATION: Final = re.compile(r"(\d+)(ms|s|m|h|d)")
# With a scrape every second, a window must hold at least two samples.
_SHORTEST_RANGE_S: Final = 3.0


def rules_at(text: str, speed: float) -> str:
    """Shorten a file of rules.

    Args:
        text: The file, YAML.
        speed: How much faster than real time; 60 turns a minute into a second.

    Returns:
        The file with ranges, offsets, `for` and `interval` divided; a range stays long enough for
        two scrapes.
    """
    rules: dict[str, Any] = yaml.safe_load(text)
    for group in rules["groups"]:
        if "interval" in group:
            group["interval"] = shortened(group["interval"], speed)
        for rule in group["rules"]:
            rule["expr"] = _IN_EXPRESSION.sub(
                lambda match: shortened(match[0], speed, _SHORTEST_RANGE_S), rule["expr"]
            )
            if "for" in rule:
                rule["for"] = shortened(rule["for"], speed)
    return yaml.safe_dump(rules, sort_keys=False)


def shortened(duration: str, speed: float, at_least_s: float = 0.001) -> str:
    """Divide a duration such as `5m`.

    Raises:
        ValueError: It is not one number and one unit.
    """
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration!r} is no duration of one number and one unit")
    seconds = max(int(match[1]) * _UNITS_S[match[2]] / speed, at_least_s)
    return f"{round(seconds * 1000)}ms"
