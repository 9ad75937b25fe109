"""Throughput and latency: the sweep with its Pareto front, and the service under load."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from statistics import median
from typing import Any

from matplotlib.axes import Axes

from benchmarks.pareto import pareto_front
from benchmarks.report.style import ACCENT, INK, QUIET, Chart, colour, decades, label_end, panels
from benchmarks.results_folder import ASKED, Row, Saved, machine_name

_PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")
_HEADROOM = 1.5  # above the fronts, for other settings and labels


def sweep_charts(saved: Saved) -> Iterator[Chart]:
    """Draw a panel for each way to Triton, one front for each model."""
    for number, record in enumerate(saved.of("sweep"), start=1):
        rows = [row for row in record.rows if _has(row, "images_per_s", "p95_ms")]
        paths = sorted({str(row["path"]) for row in rows}, reverse=True)
        if not paths:
            continue
        figure, made = panels(len(paths))
        models = sorted({str(row["model"]) for row in rows})
        for axes, path in zip(made, paths, strict=True):
            for index, model in enumerate(models):
                own = [row for row in rows if row["path"] == path and row["model"] == model]
                if own:
                    _front(axes, own, model, colour(index))
            axes.set_title("Triton, driven directly" if path == "triton" else f"through the {path}")
            axes.set_xlabel("images per second")
            axes.set_ylabel("95th percentile of latency, ms")
            axes.margins(x=0.25)
            axes.set_xlim(left=0)
            shown = [row for row in rows if row["path"] == path]
            # Settings that are slow beyond all use would press the fronts flat.
            axes.set_ylim(0, _HEADROOM * max(row["p95_ms"] for row in _fronts(shown)))
        yield Chart(
            f"sweep-{number}" if number > 1 else "sweep",
            "Which setting to choose",
            "Each dot is a setting of batch size, queue delay, instances and concurrency. On the "
            "line lie those that no other beats in both throughput and latency (the Pareto front); "
            "lower and further right is better.",
            machine_name(record),
            figure,
        )


def _fronts(rows: Sequence[Row]) -> list[Row]:
    models = {str(row["model"]) for row in rows}
    return [
        row
        for model in models
        for row in pareto_front([one for one in rows if one["model"] == model])
    ]


def _front(axes: Axes, rows: Sequence[Row], model: str, shade: str) -> None:
    axes.scatter(*_xy(rows), s=14, color=shade, alpha=0.28, linewidths=0)
    front = pareto_front(rows)
    xs, ys = _xy(front)
    axes.plot(xs, ys, "o-", color=shade)
    label_end(axes, xs, ys, model, shade)
    for row, side in ((front[0], -14), (front[-1], 9))[-len(front) :]:
        axes.annotate(
            f"batch {row['max_batch_size']}, {row['concurrency']} at once",
            (row["images_per_s"], row["p95_ms"]),
            xytext=(0, side),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=INK,
        )


def _xy(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    return [row["images_per_s"] for row in rows], [row["p95_ms"] for row in rows]


def load_charts(saved: Saved) -> Iterator[Chart]:
    """Draw latency and throughput against what is asked, open loop and closed."""
    for number, record in enumerate(saved.of("load"), start=1):
        opened = _open_loops(record.rows)
        closed = [row for row in record.rows if _has(row, "concurrency") and row.get(ASKED) is None]
        count = len(opened) + bool(closed)
        if not count:
            continue
        figure, made = panels(count)
        for axes, (mode, rows) in zip(made, opened.items(), strict=False):
            _percentiles(axes, rows, ASKED)
            axes.set_title(f"open loop, {mode} arrivals")
            axes.set_xlabel("requests sent per second")
            _mark_saturation(axes, rows)
        if closed:
            _percentiles(made[-1], closed, "concurrency")
            made[-1].set_title("closed loop")
            made[-1].set_xlabel("requests in flight")
        yield Chart(
            f"load-{number}" if number > 1 else "load",
            "The service under load",
            "Latency as callers see it, waiting for a late start included. In the open loop "
            "requests come whether or not earlier ones are answered; the dashed line is the most "
            "photos that were answered in a second.",
            machine_name(record),
            figure,
        )


def _open_loops(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    found = [row for row in rows if _has(row, ASKED, *_PERCENTILES)]
    ordered = sorted(found, key=lambda row: str(row["mode"]))
    return {mode: list(group) for mode, group in groupby(ordered, key=lambda row: str(row["mode"]))}


def _percentiles(axes: Axes, rows: Sequence[Row], against: str) -> None:
    xs = sorted({row[against] for row in rows})
    shades = (QUIET, ACCENT, INK)
    for name, shade in zip(_PERCENTILES, shades, strict=True):
        ys = [median(row[name] for row in rows if row[against] == x) for x in xs]
        axes.plot(xs, ys, "o-", color=shade)
        label_end(axes, xs, ys, name.removesuffix("_ms"), shade)
    axes.set_ylabel("latency, ms")
    axes.set_yscale("log")
    decades(axes.yaxis, (1, 2, 5))


def _mark_saturation(axes: Axes, rows: Sequence[Row]) -> None:
    most = max(row["images_per_s"] for row in rows)
    axes.axvline(most, color=QUIET, linestyle="--", linewidth=1)
    axes.annotate(
        f"{most:.1f} images/s",
        (most, 0),
        xycoords=("data", "axes fraction"),
        xytext=(-5, 6),
        textcoords="offset points",
        ha="right",
        fontsize=8.5,
        color=INK,
    )


def _has(row: Mapping[str, Any], *names: str) -> bool:
    return all(row.get(name) is not None for name in names)
