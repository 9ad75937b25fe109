"""Charts of the service: beside others, under load, by its settings, and what it costs."""

from collections.abc import Sequence
from itertools import groupby
from statistics import median
from typing import Any

from matplotlib.axes import Axes

from benchmarks.pareto import pareto_front
from benchmarks.report.style import (
    ACCENT,
    INK,
    QUIET,
    Figures,
    bars,
    colour,
    decades,
    label,
    line,
    panels,
    plain,
    stacked,
)
from benchmarks.results_folder import ASKED, Row

_OURS = "packshot"
_PERCENTILES = {"p50_ms": QUIET, "p95_ms": ACCENT, "p99_ms": INK}
# What is no work, but waiting for it, is grey.
_GREYS = {"queue": "#c3cad1", "waiting": "#e4e7eb", "outside": "#7b8794"}
_HEADROOM = 1.5  # above the fronts, for other settings and labels
_BAR_IN = 0.36


def peers(rows: Sequence[Row]) -> Figures:
    """Draw images a second and the 95th percentile of every server in every case."""
    rows = [row for row in rows if row.get("images_per_s")]
    keys = ("model", "photo_megapixels", "output", "concurrency")
    cases = list(dict.fromkeys(tuple(row[key] for key in keys) for row in rows))
    figure, made = panels(2 * len(cases), height_in=2.9)
    for case, throughput, latency in zip(cases, made[::2], made[1::2], strict=True):
        own = [row for row in rows if tuple(row[key] for key in keys) == case]
        _peer_bars(throughput, own, "images_per_s")
        _peer_bars(latency, own, "p95_ms")
        title = "{}, {:g} MP, {}, {} at once\nimages per second (more is better)"
        throughput.set_title(title.format(*case))
        latency.set_title("\n95th percentile, ms (less is better)")
    yield "", figure


def _peer_bars(axes: Axes, rows: Sequence[Row], key: str) -> None:
    best_first = key == "images_per_s"
    rows = sorted((row for row in rows if row.get(key)), key=lambda row: row[key])
    rows = rows[::-1] if best_first else rows
    ours = next((row[key] for row in rows if row["peer"] == _OURS), None)
    texts = [
        plain(row[key])
        + (f"  ({row[key] / ours:.2f} times)" if ours and row["peer"] != _OURS else "")
        for row in rows
    ]
    names = [row["peer"] for row in rows]
    bars(axes, names, [row[key] for row in rows], texts, [name == _OURS for name in names])


def load(rows: Sequence[Row]) -> Figures:
    """Draw latency and throughput against what is asked, open loop and closed."""
    opened = [row for row in rows if _has(row, ASKED, *_PERCENTILES)]
    opened.sort(key=lambda row: str(row["mode"]))
    modes = {mode: list(own) for mode, own in groupby(opened, key=lambda row: str(row["mode"]))}
    closed = [row for row in rows if _has(row, "concurrency") and row.get(ASKED) is None]
    figure, made = panels(len(modes) + bool(closed))
    for axes, (mode, own) in zip(made, modes.items(), strict=False):
        _percentiles(axes, own, ASKED)
        axes.set_title(f"open loop, {mode} arrivals")
        axes.set_xlabel("requests sent per second")
        most = max(row["images_per_s"] for row in own)
        axes.axvline(most, color=QUIET, linestyle="--", linewidth=1)
        foot: dict[str, Any] = {
            "xycoords": ("data", "axes fraction"),
            "xytext": (-5, 6),
            "ha": "right",
        }
        label(axes, (most, 0), f"{most:.1f} images/s", **foot)
    if closed:
        _percentiles(made[-1], closed, "concurrency")
        made[-1].set_title("closed loop")
        made[-1].set_xlabel("requests in flight")
    yield "", figure


def _percentiles(axes: Axes, rows: Sequence[Row], against: str) -> None:
    xs = sorted({row[against] for row in rows})
    for name, shade in _PERCENTILES.items():
        ys = [median(row[name] for row in rows if row[against] == x) for x in xs]
        line(axes, xs, ys, name.removesuffix("_ms"), shade)
    axes.set_ylabel("latency, ms")
    decades(axes, "y", steps=(1, 2, 5))


def stages(rows: Sequence[Row]) -> Figures:
    """Draw a bar for every load, its stages one after the other; medians over repeats."""
    found: dict[str, list[dict[str, float]]] = {}
    for row in rows:
        if parts := stages_of(row):
            asked = row.get(ASKED)
            told = f"{row.get('concurrency')} at once" if asked is None else f"{asked:.3g}/s"
            found.setdefault(f"{row['mode']}, {told}", []).append(parts)
    if not found:
        return
    parts_of = {
        load: {name: median(one.get(name, 0.0) for one in same) for name in same[0]}
        for load, same in found.items()
    }
    work = [name for parts in parts_of.values() for name in parts if name not in _GREYS]
    shades = {name: colour(index) for index, name in enumerate(dict.fromkeys(work))} | _GREYS
    figure, (axes,) = panels(1, height_in=max(2.4, 1.2 + _BAR_IN * len(parts_of)))
    stacked(axes, parts_of, shades)
    axes.set_xlabel("ms of a photo, mean")
    figure.legend(loc="outside upper left", ncols=6)
    yield "", figure


def stages_of(row: Row) -> dict[str, float]:
    """Return the stages of a row of load, ms by name."""
    return {
        key.removeprefix("stage_").removesuffix("_ms"): value
        for key, value in row.items()
        if key.startswith("stage_") and key.endswith("_ms") and value is not None
    }


def sweep(rows: Sequence[Row]) -> Figures:
    """Draw a panel for each way to Triton, one front for each model."""
    rows = [row for row in rows if _has(row, "images_per_s", "p95_ms")]
    paths = sorted({str(row["path"]) for row in rows}, reverse=True)
    models = sorted({str(row["model"]) for row in rows})
    figure, made = panels(len(paths))
    for axes, path in zip(made, paths, strict=True):
        highest_ms = 0.0
        for index, model in enumerate(models):
            own = [row for row in rows if (row["path"], row["model"]) == (path, model)]
            if front := pareto_front(own):
                axes.scatter(*_xy(own), s=14, color=colour(index), alpha=0.28, linewidths=0)
                line(axes, *_xy(front), model, colour(index))
                for row, side in ((front[0], -14), (front[-1], 9))[-len(front) :]:
                    text = f"batch {row['max_batch_size']}, {row['concurrency']} at once"
                    at = (row["images_per_s"], row["p95_ms"])
                    label(axes, at, text, xytext=(0, side), ha="center", fontsize=7.5)
                highest_ms = max(highest_ms, *(row["p95_ms"] for row in front))
        axes.set_title("Triton, driven directly" if path == "triton" else f"through the {path}")
        axes.set_xlabel("images per second")
        axes.set_ylabel("95th percentile of latency, ms")
        axes.margins(x=0.25)
        axes.set_xlim(left=0)
        # Settings that are slow beyond all use would press the fronts flat.
        axes.set_ylim(0, _HEADROOM * highest_ms)
    yield "", figure


def cost(rows: Sequence[Row]) -> Figures:
    """Draw a dot for each price of everything that was measured, cheapest first."""
    prices = sorted(
        (
            row["price_per_1000_images"],
            row["what"] + ", GPU" * (row["device"] == "gpu"),
            row["price"],
        )
        for row in rows
        if row["kind"] == "price"
    )
    if not prices:
        return
    names = list(dict.fromkeys(name for _, name, _ in prices))
    figure, (axes,) = panels(1, height_in=1.4 + _BAR_IN * len(names))
    for index, price in enumerate(dict.fromkeys(price for *_, price in prices)):
        own = [(each, names.index(name)) for each, name, its in prices if its == price]
        xs, ys = zip(*own, strict=True)
        axes.scatter(xs, ys, s=42, color=colour(index), label=price)
    axes.set_yticks(range(len(names)), labels=names, fontsize=8.5)
    axes.invert_yaxis()
    decades(axes, "x")
    currency = next(row["currency"] for row in rows if row["kind"] == "price")
    axes.set_xlabel(f"{currency} for 1000 images, on a machine that is always busy")
    figure.legend(loc="outside upper left", ncols=3)
    yield "", figure


def _xy(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    return [row["images_per_s"] for row in rows], [row["p95_ms"] for row in rows]


def _has(row: Row, *names: str) -> bool:
    return all(row.get(name) is not None for name in names)
