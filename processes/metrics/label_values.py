"""The values of a metric's labels, as the type of each label says."""

import typing
from collections.abc import Callable
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final

# The text for a label that says nothing of this series.
NONE: Final = "none"


def text_of(value: str | Enum | None) -> str:
    """Return a label's value as Prometheus shows it.

    A string stays as it is. A member of an enum is shown by its `label` if it has one, else by its
    name. None is "none".
    """
    if value is None:
        return NONE
    if isinstance(value, str):
        return str(value)
    return str(getattr(value, "label", value.name))


def closed_values(labels: Callable[..., Any]) -> dict[str, tuple[str, ...]]:
    """Return the values of each label; empty where any string may occur.

    Args:
        labels: A NamedTuple. Each field is an enum, a `Literal`, either of them or None, or `str`.
    """
    return {label: _values(hint) for label, hint in typing.get_type_hints(labels).items()}


def _values(hint: Any) -> tuple[str, ...]:
    if hint is NoneType:
        return (NONE,)
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)
    if typing.get_origin(hint) in {typing.Union, UnionType}:
        return tuple(text for each in typing.get_args(hint) for text in _values(each))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return tuple(map(text_of, hint))
    return ()
