"""How values are read that several contracts write alike; a ValueError says what is allowed."""

import re
from collections.abc import Iterable
from typing import Final

import webcolors

_HEX: Final = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_PERCENT: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)%", re.ASCII)
_PIXELS: Final = re.compile(r"(\d{1,6})px", re.ASCII)
_OPAQUE: Final = 255


def boolean(text: str) -> bool:
    """Read a truth value."""
    match text.lower():
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off":
            return False
    raise ValueError("allowed: true and false")


def word(text: str, words: Iterable[str]) -> str:
    """Read one of several words, whatever their case."""
    for known in words:
        if text.lower() == known.lower():
            return known
    raise ValueError(f"allowed: {', '.join(words)}")


def percent(text: str, least: float, most: float) -> float:
    """Read a percentage."""
    if (found := _PERCENT.fullmatch(text)) and least <= float(found[1]) <= most:
        return float(found[1])
    raise ValueError(f"allowed: {least:g}% to {most:g}%")


def number(text: str, least: float, most: float) -> float:
    """Read a number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise ValueError(f"allowed: {least:g} to {most:g}")
    return value


def whole(text: str, least: int, most: int) -> int:
    """Read a whole number."""
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and least <= int(text) <= most):  # noqa: PLR2004
        raise ValueError(f"allowed: whole numbers from {least} to {most}")
    return int(text)


def color(text: str) -> tuple[str, int]:
    """Read a colour: 3, 4, 6 or 8 hexadecimal digits, "#" or none before them, or a CSS name.

    Returns:
        The colour as "#RRGGBB", and its opacity, 0 to 255.
    """
    if found := _HEX.fullmatch(text):
        digits = found[1]
        if len(digits) < 6:  # noqa: PLR2004
            digits = "".join(digit * 2 for digit in digits)
        return f"#{digits[:6].upper()}", int(digits[6:] or "ff", 16)
    if text.lower() == "transparent":
        return "#FFFFFF", 0
    try:
        return webcolors.name_to_hex(text).upper(), _OPAQUE
    except ValueError:
        raise ValueError(
            "allowed: 3, 4, 6 or 8 hexadecimal digits, or a colour's name in CSS"
        ) from None


def lengths(text: str, most_percent: float, most_px: int) -> str:
    """Read 1, 2 or 4 lengths in percent or px; returns them as the client takes them."""
    words = text.replace(",", " ").split()
    if len(words) not in {1, 2, 4}:
        raise ValueError("allowed: 1, 2 or 4 lengths such as 10% or 30px")
    return " ".join(_length(each, most_percent, most_px) for each in words)


def _length(text: str, most_percent: float, most_px: int) -> str:
    if (found := _PERCENT.fullmatch(text)) and float(found[1]) <= most_percent:
        return text
    # A number by itself is pixels, in the contract's own examples as well.
    if (found := _PIXELS.fullmatch(text if text.endswith("px") else f"{text}px")) and int(
        found[1]
    ) <= most_px:
        return f"{int(found[1])}px"
    raise ValueError(f"allowed: lengths of 0% to {most_percent:g}% or of 0px to {most_px}px")
