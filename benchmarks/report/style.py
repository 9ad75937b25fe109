"""The style of every chart: one palette, no frames, labels at the data."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

INK = "#1f2933"
QUIET = "#9aa5b1"
FAINT = "#e4e7eb"
ACCENT = "#0b6e99"
# Readable with a red-green colour deficiency: after Okabe and Ito.
PALETTE = ("#0b6e99", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b4c9a")
_DPI = 150
_PANEL_IN = (5.2, 3.7)
_PAD_IN = 0.14
_WHOLE = 100  # from here on decimals say nothing
_SMALL = 1e-3

STYLE: dict[Any, Any] = {
    "figure.dpi": _DPI,
    "figure.facecolor": "white",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 2,
    "lines.markersize": 5,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Chart:
    """A chart of the report."""

    name: str  # of the PNG file
    title: str  # of its section
    sentence: str  # what it shows
    machine: str  # what was measured
    figure: Figure  # the drawing


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the report's style for the time of a block."""
    with mpl.rc_context(STYLE):
        yield


def panels(
    count: int, columns: int = 2, height_in: float | None = None
) -> tuple[Figure, list[Axes]]:
    """Make a figure of so many panels, two in a row unless told otherwise."""
    columns = min(columns, count)
    rows = -(-count // columns)
    size = _PANEL_IN[0] * max(columns, 1.5), (height_in or _PANEL_IN[1]) * rows
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=_PAD_IN, w_pad=_PAD_IN))
    made = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for spare in made[count:]:
        spare.set_visible(False)
    return figure, made[:count]


def colour(index: int) -> str:
    """Return the colour of a series by its number."""
    return PALETTE[index % len(PALETTE)]


def label_end(axes: Axes, xs: Sequence[float], ys: Sequence[float], text: str, shade: str) -> None:
    """Write a series' name at its last point, in its colour."""
    axes.annotate(
        text,
        (xs[-1], ys[-1]),
        xytext=(6, 0),
        textcoords="offset points",
        color=shade,
        va="center",
        fontsize=9,
        annotation_clip=False,
    )


def plain_log(axes: Axes, which: str, ticks: Sequence[float]) -> None:
    """Return a logarithmic axis the ticks that were measured, as plain numbers."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log", base=2)
    axis.set_ticks(list(ticks), labels=[f"{tick:g}" for tick in ticks])
    axis.set_minor_locator(NullLocator())


def decades(axis: Axis, steps: Sequence[float] = (1,)) -> None:
    """Return a logarithmic axis of tens its ticks, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    axis.set_minor_locator(NullLocator())


def plain(value: float) -> str:
    """Write a number with three figures and no power of ten."""
    if value == 0 or abs(value) >= _WHOLE:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= _SMALL else f"{value:.6f}".rstrip("0")
