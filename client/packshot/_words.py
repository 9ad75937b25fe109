"""The callers' words for the values of the interface's enums, and back."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from packshot.v1 import packshot_pb2 as pb

_Value = TypeVar("_Value")
_Value_co = TypeVar("_Value_co", covariant=True)


class _Enum(Protocol[_Value_co]):
    def items(self) -> Iterable[tuple[str, _Value_co]]: ...


def _words(enum: _Enum[_Value]) -> dict[str, _Value]:
    """Name an enum's values, the unspecified one aside: "drop" for SHADOW_KIND_DROP."""
    (unspecified, _), *values = enum.items()
    prefix = unspecified.removesuffix("UNSPECIFIED")
    return {name.removeprefix(prefix).lower(): value for name, value in values}


CUTS = _words(pb.Cut)
FORMATS = _words(pb.ImageFormat)
CONTENTS = _words(pb.Content)
FITS = _words(pb.Fit)
PRIORITIES = _words(pb.Priority)
SCENES = _words(pb.SceneKind)
SHADOWS = _words(pb.ShadowKind)


def value_of(name: str, word: str, words: dict[str, _Value]) -> _Value:
    """Look a word up.

    Args:
        name: The option's name, for the error.
        word: What the caller wrote.
        words: Every word and its value.

    Raises:
        ValueError: There is no such word.
    """
    if word not in words:
        raise ValueError(f"{name} is {word!r}; known: {', '.join(words)}")
    return words[word]
