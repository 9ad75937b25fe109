"""What a dashboard consists of: rows, each a question, of panels, each an answer.

Expressions may hold Grafana's variables: `$__rate_interval`, `$__range`, and those of `VARIABLES`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

# Variables that a reader may set on each dashboard, with what they are at first.
INSTANCE: Final = "instance"
TEXT_VARIABLES: Final[Mapping[str, tuple[str, str]]] = {
    "gpu_hour_price": ("price of a GPU-hour", "2.5"),
    "core_hour_price": ("price of a core-hour", "0.04"),
    "cores": ("cores paid for, gateways and Tritons", "2"),
}
# Selects the gateways that are looked at.
G: Final = 'job="gateway", instance=~"$instance"'

COLUMNS: Final = 24
_ROW_HEADER: Final = 1


class Kind(StrEnum):
    """How a panel shows its figures."""

    STAT = "stat"
    LINES = "lines"
    STACK = "stack"
    HEATMAP = "heatmap"
    TABLE = "table"


class Unit(StrEnum):
    """Grafana's names of units."""

    BYTES = "bytes"
    BYTES_PER_S = "Bps"
    COUNT = "short"
    JOULES = "joule"
    MONEY = "currencyUSD"
    PER_S = "ops"
    SECONDS = "s"
    SHARE = "percentunit"
    STATE = "none"
    WATTS = "watt"
    YES_NO = "bool_yes_no"


class Need(StrEnum):
    """What has to be there for a query to have data; the text says why it may have none."""

    GPU = "a GPU: Triton shows nv_gpu_* only where there is one"
    JOB = "a catalogue's job: its metrics are there while it runs"


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of a panel.

    Attributes:
        expr: PromQL, with Grafana's variables.
        legend: The name of each series, Grafana's {{label}} included.
        need: What it needs to have data; None: a running stack under load.
        exemplars: Whether traces are marked on it.
    """

    expr: str
    legend: str = ""
    need: Need | None = None
    exemplars: bool = False


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which value on a figure has a colour."""

    value: float | None
    color: str


GOOD: Final = "green"
WARNING: Final = "orange"
BAD: Final = "red"


def bad_above(warning: float, bad: float) -> tuple[Threshold, ...]:
    """Return thresholds of a figure that should be low."""
    return Threshold(None, GOOD), Threshold(warning, WARNING), Threshold(bad, BAD)


def bad_below(bad: float, warning: float) -> tuple[Threshold, ...]:
    """Return thresholds of a figure that should be high."""
    return Threshold(None, BAD), Threshold(bad, WARNING), Threshold(warning, GOOD)


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        title: What it shows.
        about: What it tells, and what is bad.
        kind: How it shows it.
        unit: Of its figures.
        queries: Where they come from.
        width: Of 24 columns.
        height: Of Grafana's rows of 30 pixels.
        thresholds: Colours by value.
        most: The axis' end; None: by the data.
        colors: Colours of series by their legend, where they mean something.
    """

    title: str
    about: str
    kind: Kind
    unit: Unit
    queries: tuple[Query, ...]
    width: int = 8
    height: int = 8
    thresholds: tuple[Threshold, ...] = ()
    most: float | None = None
    colors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels that answer one question."""

    question: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands on a dashboard, in columns and rows from its top left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard.

    Attributes:
        uid: Its name in addresses.
        title: Its name for people.
        about: What it is for.
        rows: What it shows.
    """

    uid: str
    title: str
    about: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> Iterator[Panel]:
        """All panels, in order."""
        for row in self.rows:
            yield from row.panels

    def places(self) -> Iterator[tuple[Row | Panel, Place]]:
        """Lay rows and panels out, left to right and top to bottom."""
        y = 0
        for row in self.rows:
            yield row, Place(0, y, COLUMNS, _ROW_HEADER)
            y += _ROW_HEADER
            x = line_height = 0
            for panel in row.panels:
                if x + panel.width > COLUMNS:
                    x, y, line_height = 0, y + line_height, 0
                yield panel, Place(x, y, panel.width, panel.height)
                x += panel.width
                line_height = max(line_height, panel.height)
            y += line_height


def stat(title: str, about: str, unit: Unit, query: str | Query, *thresholds: Threshold) -> Panel:
    """Return a panel of one figure, or one for each series."""
    queries = (query if isinstance(query, Query) else Query(query),)
    return Panel(title, about, Kind.STAT, unit, queries, 4, 4, thresholds)


def lines(
    title: str, about: str, unit: Unit, *queries: Query, width: int = 8, most: float | None = None
) -> Panel:
    """Return a panel of lines over time."""
    return Panel(title, about, Kind.LINES, unit, queries, width, most=most)


def stack(
    title: str,
    about: str,
    unit: Unit,
    *queries: Query,
    width: int = 8,
    colors: Mapping[str, str] | None = None,
) -> Panel:
    """Return a panel of areas that add up."""
    return Panel(title, about, Kind.STACK, unit, queries, width, colors=colors or {})
