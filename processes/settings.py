"""Settings of a process as one frozen dataclass, read once from the environment and the flags.

A process declares its settings as fields made by `setting`; `load` builds the dataclass from a
mapping such as `os.environ` and from command-line flags (flags win), and `as_table` prints the
same fields for docs/settings.md, so that code, flags and documentation cannot disagree.
"""

import argparse
import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class SettingError(ValueError):
    """A setting has a value that cannot be used; the message names the setting and the value."""


def setting(env: str, default: Any, note: str) -> Any:
    """Declare one setting as a dataclass field.

    Args:
        env: Name of its environment variable, `PACKSHOT_…`.
        default: Its value when neither flag nor environment gives one.
        note: One line for `--help` and docs/settings.md: meaning, unit and range.
    """
    return dataclasses.field(default=default, metadata={"env": env, "note": note})


def load(cls: type[T], environ: Mapping[str, str], argv: Sequence[str], prog: str) -> T:
    """Build the settings of a process from its environment and its flags.

    Args:
        cls: A frozen dataclass whose fields are made by `setting`; its `__post_init__` raises
            `SettingError` on values out of range.
        environ: The environment; an empty value counts as unset.
        argv: The flags, each the field's name in kebab case; a flag wins over the environment.
        prog: The command's name in `--help`.

    Returns:
        The settings, validated.

    Raises:
        SettingError: A value does not fit its field.
        SystemExit: `--help` was asked for, or a flag is unknown.
    """
    parser = argparse.ArgumentParser(prog=prog, description=cls.__doc__)
    hints = typing.get_type_hints(cls)
    fields = _fields(cls)
    for field in fields:
        parser.add_argument(
            _flag(field.name),
            dest=field.name,
            metavar=_type_name(hints[field.name]).upper(),
            help=f"{field.metadata['note']} (default: {_shown(field.default)}; "
            f"environment: {field.metadata['env']})".replace("%", "%%"),
        )
    given = {name: text for name, text in vars(parser.parse_args(argv)).items() if text is not None}
    values = {}
    for field in fields:
        env = field.metadata["env"]
        if field.name in given:
            source, text = _flag(field.name), given[field.name]
        elif environ.get(env):
            source, text = env, environ[env]
        else:
            continue
        values[field.name] = _parse(text, hints[field.name], source)
    return cls(**values)


def as_table(cls: type[Any]) -> str:
    """Return the settings of a process as a Markdown table."""
    hints = typing.get_type_hints(cls)
    rows = ["| variable | flag | default | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{field.metadata['env']}` | `{_flag(field.name)} {_type_name(hints[field.name])}` "
        f"| {_shown(field.default)} | {field.metadata['note']} |"
        for field in _fields(cls)
    ]
    return "\n".join(rows)


def require(cls: Any, name: str, *, at_least: float, at_most: float = float("inf")) -> None:
    """Check the range of one numeric setting.

    Args:
        cls: The settings, an instance of the dataclass.
        name: The field's name.
        at_least: The smallest value allowed.
        at_most: The largest value allowed.

    Raises:
        SettingError: The value is outside; the message names variable, value and range.
    """
    value = getattr(cls, name)
    if not at_least <= value <= at_most:
        env = next(field.metadata["env"] for field in _fields(type(cls)) if field.name == name)
        upper = "" if at_most == float("inf") else f" and at most {at_most:g}"
        raise SettingError(f"{env} is {value:g}; it must be at least {at_least:g}{upper}")


def _fields(cls: type[Any]) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(cls) if "env" in field.metadata]


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _shown(default: Any) -> str:
    if default is None or default in ("", ()):
        return "none"
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return f"{default:g}" if isinstance(default, float) else str(default)


def _type_name(hint: Any) -> str:
    if issubclass(kind := _class(hint), StrEnum):
        return "|".join(kind)
    name = {str: "text", Path: "path", tuple[str, ...]: "list", bool: "yes|no"}.get(_bare(hint))
    return name or str(_bare(hint).__name__)


def _class(hint: Any) -> type[Any]:
    """Return the class of a hint's values."""
    bare = _bare(hint)
    return bare if isinstance(bare, type) else tuple


def _bare(hint: Any) -> Any:
    """Return `X` of the type `X | None`, and any other type as it is."""
    if isinstance(hint, types.UnionType):
        return next(arg for arg in typing.get_args(hint) if arg is not type(None))
    return hint


def _parse(text: str, hint: Any, source: str) -> Any:
    kind = _bare(hint)
    if kind == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is bool:
        known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
        if text.lower() not in known:
            raise SettingError(f"{source} is {text!r}; it must be yes or no")
        return known[text.lower()]
    if issubclass(_class(hint), StrEnum) and text not in set(kind):
        raise SettingError(f"{source} is {text!r}; it must be one of {', '.join(kind)}")
    try:
        return kind(text)
    except ValueError as exc:
        raise SettingError(f"{source} is {text!r}; it must be of type {kind.__name__}") from exc


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
