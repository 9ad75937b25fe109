"""The style of every chart: one palette, no frames, labels at the data."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

# Of one record: each with a word for its title, where there are several.
Figures = Iterator[tuple[str, Figure]]

INK = "#1f2933"
QUIET = "#9aa5b1"
ACCENT = "#0b6e99"
# Readable with a red-green colour deficiency: after Okabe and Ito.
_PALETTE = (ACCENT, "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b4c9a")
_PANEL_IN = (5.2, 3.7)
_PAD_IN = 0.14
_WHOLE = 100  # from here on decimals say nothing
_SMALL = 1e-3

STYLE: dict[Any, Any] = {
    "figure.dpi": 150,
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
    "grid.color": "#e4e7eb",
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


def panels(count: int, height_in: float = _PANEL_IN[1]) -> tuple[Figure, list[Axes]]:
    """Make a figure of so many panels, two in a row."""
    columns = min(2, count)
    rows = -(-count // columns)
    size = _PANEL_IN[0] * max(columns, 1.5), height_in * rows
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=_PAD_IN, w_pad=_PAD_IN))
    made = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for spare in made[count:]:
        spare.set_visible(False)
    return figure, made[:count]


def colour(index: int) -> str:
    """Return the colour of a series by its number."""
    return _PALETTE[index % len(_PALETTE)]


def label(axes: Axes, at: tuple[float, float], text: str, shade: str = INK, **how: Any) -> None:
    """Write a text beside a point, to the right unless told otherwise."""
    right = {"xytext": (6, 0), "va": "center", "fontsize": 9}
    told: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False, **right}
    axes.annotate(text, at, color=shade, **(told | how))


def line(
    axes: Axes,
    xs: Sequence[float],
    ys: Sequence[float],
    name: str,
    shade: str,
    rings: Sequence[bool] = (),
    *,
    is_named: bool = True,
) -> None:
    """Draw a series with its name at its last point, and rings around some of its points."""
    axes.plot(xs, ys, "o-", color=shade, markersize=3.5, label=name)
    if is_named:
        label(axes, (xs[-1], ys[-1]), name, shade)
    for x, y, is_ringed in zip(xs, ys, rings, strict=False):
        if is_ringed:
            axes.plot(x, y, "o", mfc="none", mec=shade, markersize=11)


def bars(
    axes: Axes, names: Sequence[str], values: Sequence[float], texts: Sequence[str], ours: Any
) -> None:
    """Draw a bar with its text for each value, downwards.

    Args:
        axes: The panel.
        names: Of the bars.
        values: Their lengths.
        texts: What is written at each end.
        ours: Whether each is drawn in the accent's colour.
    """
    shades = [ACCENT if one else QUIET for one in ours]
    axes.barh(range(len(names)), values, color=shades, height=0.66)
    for at, (value, text) in enumerate(zip(values, texts, strict=True)):
        axes.text(value, at, f" {text}", va="center", fontsize=8.5)
    axes.set_yticks(range(len(names)), labels=names, fontsize=9)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.margins(x=0.4)


def stacked(axes: Axes, rows: Mapping[str, Mapping[str, float]], shades: Mapping[str, str]) -> None:
    """Draw a bar for each row, its parts one after the other; large parts have their number."""
    longest = max(sum(parts.values()) for parts in rows.values())
    seen: set[str] = set()
    for at, parts in enumerate(rows.values()):
        left = 0.0
        for name, width in parts.items():
            told = None if name in seen else name
            axes.barh(at, width, left=left, height=0.66, color=shades[name], label=told)
            seen.add(name)
            if width > 0.06 * longest:
                axes.text(left + width / 2, at, plain(width), ha="center", va="center", fontsize=8)
            left += width
    axes.set_yticks(range(len(rows)), labels=list(rows))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")


def batch_axis(axes: Axes, ticks: Sequence[float]) -> None:
    """Give the x axis, in powers of two, the ticks that were measured, as plain numbers."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_ticks(list(ticks), labels=[f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())


def decades(axes: Axes, *which: str, steps: Sequence[float] = (1,)) -> None:
    """Make axes, `x` or `y`, logarithmic by tens, with plain numbers."""
    for name in which:
        axis = {"x": axes.xaxis, "y": axes.yaxis}[name]
        getattr(axes, f"set_{name}scale")("log")
        axis.set_major_locator(LogLocator(subs=steps))
        axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
        axis.set_minor_locator(NullLocator())


def plain(value: float) -> str:
    """Write a number with three figures and no power of ten."""
    if value == 0 or abs(value) >= _WHOLE:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= _SMALL else f"{value:.6f}".rstrip("0")
