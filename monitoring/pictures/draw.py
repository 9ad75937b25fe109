"""A dashboard on paper: every panel at its place, drawn from the data of the last minutes."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from monitoring.dashboards.evaluate import filled_in
from monitoring.dashboards.panels import (
    COLUMNS,
    Dashboard,
    Kind,
    Panel,
    Place,
    Row,
)
from monitoring.pictures.figures import in_words, legend_of
from monitoring.queries import Sample, Series, query, query_range

_PAPER, _CARD, _INK, _FAINT = "#f4f5f7", "#ffffff", "#24292e", "#8a919a"
_PALETTE: Final = (
    *("#3274d9", "#e0812a", "#2f9e62", "#8f5bb5", "#d64b5a", "#1fa3a8", "#a58a1b", "#6b7480"),
    *("#7fb0f0", "#f2b57c", "#87cfa6", "#c4a3de"),
)
_COLORS: Final = {"green": "#2f9e62", "orange": "#d9822b", "red": "#d13f4f"}
_COLUMN_PX, _ROW_PX, _DPI = 66, 30, 100
_GAP_PX = 4
_LEFT_PX: Final = 52
_POINTS: Final = 120
_MOST_LEGENDS: Final = 10


def draw(
    dashboard: Dashboard,
    prometheus_url: str,
    path: Path,
    *,
    minutes: float,
    rate_interval: str = "15s",
) -> None:
    """Draw a dashboard as a PNG file, 1600 pixels wide.

    Args:
        dashboard: Which.
        prometheus_url: Where its data come from, http://HOST:PORT.
        path: Where the picture goes.
        minutes: How much of the past it shows.
        rate_interval: What `$__rate_interval` stands for.

    Raises:
        QueryError: Prometheus is away or refuses an expression.
    """
    places = list(dashboard.places())
    width_px = COLUMNS * _COLUMN_PX
    height_px = max(place.y + place.height for _, place in places) * _ROW_PX + 2 * _ROW_PX
    mpl.rcParams.update({"font.size": 7.5, "font.family": "DejaVu Sans"})
    figure = Figure(figsize=(width_px / _DPI, height_px / _DPI), dpi=_DPI, facecolor=_PAPER)
    figure.text(
        8 / width_px, 1 - _ROW_PX / height_px, dashboard.title, size=13, color=_INK, weight="bold"
    )
    sheet = _Sheet(figure, width_px, height_px)
    end_s = time.time()
    span = end_s - minutes * 60, end_s, minutes * 60 / _POINTS

    def fill(expr: str) -> str:
        return filled_in(expr, rate_interval, f"{round(minutes * 60)}s")

    for what, place in places:
        if isinstance(what, Row):
            sheet.heading(what.question, place)
        elif what.kind in (Kind.STAT, Kind.TABLE):
            sheet.figures(what, place, query(prometheus_url, fill(what.queries[0].expr)))
        else:
            found = [query_range(prometheus_url, fill(each.expr), *span) for each in what.queries]
            sheet.curves(what, place, found)
    figure.savefig(path, pil_kwargs={"optimize": True})


class _Sheet:
    """The paper, measured in a dashboard's columns and rows."""

    def __init__(self, figure: Figure, width_px: int, height_px: int) -> None:
        self._figure = figure
        self._width_px = width_px
        self._height_px = height_px

    def heading(self, text: str, place: Place) -> None:
        """Write a row's question."""
        x, y, _, height = self._box(place)
        self._figure.text(x, y + height * 0.25, text, size=10, color=_INK)

    def figures(self, panel: Panel, place: Place, samples: Sequence[Sample]) -> None:
        """Draw a panel of single figures, or a table."""
        axes = self._card(panel, place)
        axes.axis("off")
        if not samples:
            _say_why(axes, panel)
        elif panel.kind is Kind.TABLE:
            _table(axes, samples)
        else:
            for index, sample in enumerate(samples[:3]):
                name = legend_of(panel.queries[0].legend, sample.labels)
                y = 0.5 - (index - (min(len(samples), 3) - 1) / 2) * 0.4
                text = in_words(sample.value, panel.unit) + (f"  {name}" if name.strip() else "")
                size = 17 if len(samples) == 1 and len(text) < 12 else 10  # noqa: PLR2004
                color = _color(panel, sample.value)
                axes.text(0.5, y, text, size=size, color=color, ha="center", va="center")

    def curves(self, panel: Panel, place: Place, found: Sequence[Sequence[Series]]) -> None:
        """Draw a panel of lines, of areas or of a heat map."""
        axes = self._card(panel, place)
        named = [
            (legend_of(asked.legend, series.labels) or "value", series)
            for asked, several in zip(panel.queries, found, strict=True)
            for series in several
        ]
        if not named:
            axes.axis("off")
            _say_why(axes, panel)
            return
        if panel.kind is Kind.HEATMAP:
            _heatmap(axes, [series for _, series in named])
        elif panel.kind is Kind.STACK:
            _stack(axes, named, _colors(panel, named))
        else:
            for (name, series), color in zip(named, _colors(panel, named), strict=True):
                values = np.array(series.values)
                axes.plot(_minutes(series), values, color=color, linewidth=1.3, label=name)
        _finish(axes, panel, len(named))

    def _card(self, panel: Panel, place: Place) -> Any:
        x, y, width, height = self._box(place)
        background = self._figure.add_axes((x, y, width, height))
        background.set_facecolor(_CARD)
        background.set_xticks([])
        background.set_yticks([])
        for spine in background.spines.values():
            spine.set_color("#dde1e6")
        title_y = 1 - 11 / (height * self._height_px)
        background.text(6 / (width * self._width_px), title_y, panel.title, va="center", color=_INK)
        if panel.kind in (Kind.STAT, Kind.TABLE):
            return self._figure.add_axes((x, y, width, height * 0.8))
        left, below, above = _LEFT_PX / self._width_px, 62 / self._height_px, 24 / self._height_px
        right = 8 / self._width_px
        box = (x + left, y + below, width - left - right, height - below - above)
        return self._figure.add_axes(box)

    def _box(self, place: Place) -> tuple[float, float, float, float]:
        """Return left, bottom, width and height as shares of the paper."""
        left = place.x * _COLUMN_PX + _GAP_PX
        top = (place.y + 2) * _ROW_PX + _GAP_PX
        width = place.width * _COLUMN_PX - 2 * _GAP_PX
        height = place.height * _ROW_PX - 2 * _GAP_PX
        return (
            left / self._width_px,
            1 - (top + height) / self._height_px,
            width / self._width_px,
            height / self._height_px,
        )


def _say_why(axes: Any, panel: Panel) -> None:
    needs = {query.need for query in panel.queries if query.need}
    text = f"needs {min(needs).partition(':')[0]}" if needs else "no data"
    axes.text(0.5, 0.5, text, ha="center", va="center", color=_FAINT, transform=axes.transAxes)


def _finish(axes: Any, panel: Panel, count: int) -> None:
    axes.set_facecolor(_CARD)
    axes.grid(visible=True, color="#edf0f3", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=_FAINT, labelsize=6.5)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g} min"))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.margins(x=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if panel.kind is Kind.HEATMAP:
        return
    axes.set_ylim(bottom=0, top=panel.most)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: in_words(value, panel.unit)))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    handles, names = axes.get_legend_handles_labels()
    axes.legend(
        handles[:_MOST_LEGENDS],
        names[:_MOST_LEGENDS],
        loc="upper left",
        bbox_to_anchor=(-_LEFT_PX / axes.get_window_extent().width, -0.1),
        ncols=min(4, count),
        frameon=False,
        fontsize=6.5,
        labelcolor=_INK,
        handlelength=1.2,
        columnspacing=1.0,
    )


def _stack(axes: Any, named: Sequence[tuple[str, Series]], colors: Sequence[str]) -> None:
    # Series begin at different times; each is put on the times of all.
    moments = np.unique(np.concatenate([np.array(series.times_s) for _, series in named]))
    values = np.zeros((len(named), len(moments)))
    for row, (_, series) in enumerate(named):
        values[row, np.searchsorted(moments, series.times_s)] = np.nan_to_num(series.values)
    axes.stackplot(
        (moments - time.time()) / 60,
        values,
        labels=[name for name, _ in named],
        colors=colors,
        alpha=0.75,
    )


def _heatmap(axes: Any, several: Sequence[Series]) -> None:
    ordered = sorted(several, key=lambda series: float(series.labels["le"]))
    below = np.array([np.nan_to_num(series.values) for series in ordered])
    # Prometheus's buckets are cumulative; the picture shows each bucket's own count.
    own = np.diff(below, axis=0, prepend=0).clip(min=0)
    axes.imshow(
        # Rates are differences of floating-point numbers; a value close to zero is zero.
        np.where(own > own.max() * 1e-6, own, np.nan),
        aspect="auto",
        origin="lower",
        cmap="YlGnBu",
        extent=(_minutes(ordered[0])[0], _minutes(ordered[0])[-1], -0.5, len(ordered) - 0.5),
        interpolation="nearest",
    )
    names = [f"{float(series.labels['le']):g}" for series in ordered]
    axes.set_yticks(range(len(ordered)), names)


def _table(axes: Any, samples: Sequence[Sample]) -> None:
    columns = sorted({name for sample in samples for name in sample.labels})
    columns.sort(key=lambda name: name != "model")
    cells = [[sample.labels.get(name, "") for name in columns] for sample in samples]
    table = axes.table(cells, colLabels=columns, loc="center", cellLoc="left", edges="horizontal")
    table.auto_set_font_size(value=False)
    table.set_fontsize(7)
    for cell in table.get_celld().values():
        cell.set_edgecolor("#dde1e6")


def _color(panel: Panel, value: float) -> str:
    color = _INK
    for threshold in panel.thresholds:
        if threshold.value is None or value >= threshold.value:
            color = _COLORS[threshold.color]
    return color


def _colors(panel: Panel, named: Sequence[tuple[str, Series]]) -> list[str]:
    return [
        _COLORS[panel.colors[name]] if name in panel.colors else _PALETTE[index % len(_PALETTE)]
        for index, (name, _) in enumerate(named)
    ]


def _minutes(series: Series) -> Any:
    return (np.array(series.times_s) - time.time()) / 60
