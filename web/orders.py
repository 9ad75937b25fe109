"""What a caller orders: filled in by the parameters of its contract, told to the gateway."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from packshot import RenderOptions
from web.errors import invalid, invalid_parameter


class Support(StrEnum):
    """What becomes of a parameter here."""

    HONOURED = "honoured"
    APPROXIMATED = "approximated"
    REFUSED = "refused"


@dataclass(slots=True)
class Order:
    """A render as it is being read.

    Attributes:
        options: What the gateway is told.
        asked: What the contract decides by once all is read, such as its size's name.
        approximated: Names of parameters that could be followed in part only.
        notes: What became of them, a sentence each.
    """

    options: RenderOptions = field(default_factory=RenderOptions)
    asked: dict[str, Any] = field(default_factory=dict)
    approximated: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def approximate(self, name: str, note: str) -> None:
        """Tell that a parameter is followed in part only."""
        self.approximated.append(name)
        self.notes.append(f"{name}: {note}")


Apply = Callable[[str, Order], None]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a contract: its check, its mapping, and what documents say of it.

    Attributes:
        name: Its name.
        schema: Its values as JSON Schema, as a form's text has them.
        support: What becomes of it.
        how: How, for the documents; Markdown.
        apply: Reads a text and puts it into the order; its ValueError says what is allowed. None
            for a file or what the contract reads by itself.
        is_file: Whether it comes as a file of a multipart form.
    """

    name: str
    schema: Mapping[str, Any]
    support: Support
    how: str
    apply: Apply | None = None
    is_file: bool = False


def read_order(parameters: Iterable[Parameter], fields: Mapping[str, str]) -> Order:
    """Read the fields of a form.

    An empty value counts as left out, as do "undefined" and "null", which JavaScript's clients
    write into a form for what they were not given.

    Raises:
        WebError: A value is not allowed.
    """
    order = Order()
    known = {parameter.name: parameter for parameter in parameters}
    for name, text in fields.items():
        if text.strip() in {"", "undefined", "null"}:
            continue
        parameter = known.get(name)
        if parameter is None:
            order.approximate(_printable(name), "there is no such parameter; it was ignored")
        elif parameter.apply:
            try:
                parameter.apply(text.strip(), order)
            except ValueError as exc:
                raise invalid_parameter(name, f"{name} is {text[:100]!r}; {exc}") from exc
    return order


def given(fields: Mapping[str, str], name: str) -> str:
    """Return a field's text; empty if it was left out."""
    text = fields.get(name, "").strip()
    return "" if text in {"undefined", "null"} else text


def only_one(names: Iterable[str], code: str, title: str) -> None:
    """Refuse a request that gives more than one of several.

    Raises:
        WebError: It does.
    """
    found = sorted(names)
    if len(found) > 1:
        raise invalid(code, f"given are {', '.join(found)}", title=title)


def _printable(name: str) -> str:
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in name[:40])
