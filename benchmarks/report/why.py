"""The four statements about GPUs, a panel each."""

from collections.abc import Callable, Iterator, Sequence

from matplotlib.axes import Axes

from benchmarks.report.style import (
    ACCENT,
    INK,
    QUIET,
    Chart,
    colour,
    decades,
    label_end,
    panels,
    plain,
    plain_log,
)
from benchmarks.results_folder import Row, Saved, machine_name


def why_charts(saved: Saved) -> Iterator[Chart]:
    """Draw one figure for each machine, and device of it."""
    count = 0
    for record in saved.of("why-gpu"):
        for device in sorted({str(row["device"]) for row in record.rows}):
            rows = [row for row in record.rows if row["device"] == device]
            parts = [
                (draw, found)
                for statement, draw in _PANELS.items()
                if (found := [row for row in rows if row["statement"] == statement])
            ]
            figure, made = panels(len(parts))
            for axes, (draw, found) in zip(made, parts, strict=True):
                draw(axes, found)
            count += 1
            yield Chart(
                f"why-gpu-{count}" if count > 1 else "why-gpu",
                f"Four statements, measured: the {'GPU' if device == 'gpu' else 'CPU'}",
                "Rings mark the knee: the smallest batch that reaches nine tenths of the best "
                "throughput. Differences are of mattes, in steps of 255, from those in fp32.",
                machine_name(record),
                figure,
            )


def _batches(axes: Axes, rows: Sequence[Row]) -> None:
    """Throughput against batch size, as a multiple of one photo's."""
    # Of a network that was run in many ways the fastest is drawn here.
    best: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: -float(row["images_per_s"])):
        best.setdefault((row["network"], row["engine"].partition(",")[0]), row)
    names = [_series(row) for row in best.values()]
    batches = sorted({row["batch"] for row in rows})
    for index, name in enumerate(names):
        own = sorted((row for row in rows if _series(row) == name), key=lambda row: row["batch"])
        ratio = [row["images_per_s"] / own[0]["images_per_s"] for row in own]
        xs = [row["batch"] for row in own]
        axes.plot(xs, ratio, "o-", color=colour(index), label=name, markersize=3.5)
        for row, y in zip(own, ratio, strict=True):
            if row["is_knee"]:
                axes.plot(row["batch"], y, "o", mfc="none", mec=colour(index), markersize=11)
    plain_log(axes, "x", batches)
    axes.set_ylim(bottom=0)
    axes.set_title("A batch amortises")
    axes.set_xlabel("photos in a pass")
    axes.set_ylabel("times the throughput of one")
    axes.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(-0.12, -0.2), ncols=2)


def _series(row: Row) -> str:
    return f"{row['network']} {row['precision']}, {row['engine']}"


def _sizes(axes: Axes, rows: Sequence[Row]) -> None:
    """Arithmetic against the side of a matrix product."""
    sides = sorted({row["side"] for row in rows})
    for index, precision in enumerate(dict.fromkeys(str(row["precision"]) for row in rows)):
        own = sorted(
            (row for row in rows if row["precision"] == precision), key=lambda row: row["side"]
        )
        xs = [row["side"] for row in own]
        ys = [row["operations_per_s"] / 1e9 for row in own]
        axes.plot(xs, ys, "o-", color=colour(index))
        label_end(axes, xs, ys, precision, colour(index))
    plain_log(axes, "x", sides)
    axes.set_yscale("log")
    decades(axes.yaxis, (1, 2, 5))
    axes.set_title("Big work suits parallel hardware")
    axes.set_xlabel("side of a matrix product")
    axes.set_ylabel("GFLOP/s")


def _precisions(axes: Axes, rows: Sequence[Row]) -> None:
    """Speed of each precision, with what it costs."""
    values = [row["times_fp32"] for row in rows]
    axes.barh(range(len(rows)), values, color=[_shade(row) for row in rows], height=0.66)
    for at, row in enumerate(rows):
        lost = row.get("mean_difference")
        text = f" {row['times_fp32']:.2f} times" + (f", differs by {lost:.2f}" if lost else "")
        axes.text(row["times_fp32"], at, text, va="center", fontsize=8.5)
    labels = [f"{row['precision']}, {row['engine']}" for row in rows]
    _as_bars(axes, labels, "Lower precision buys speed at a small loss")
    axes.set_xlabel(f"times fp32's throughput ({rows[0]['network']}, batch {rows[0]['batch']})")


def _training(axes: Axes, rows: Sequence[Row]) -> None:
    """A step against a forward pass."""
    row = rows[0]
    axes.barh([0, 1], [row["forward_ms"], row["step_ms"]], color=[QUIET, ACCENT], height=0.5)
    axes.text(row["forward_ms"], 0, f" {plain(row['forward_ms'])} ms", va="center", color=INK)
    text = f" {plain(row['step_ms'])} ms, {row['times_forward']:.1f} times"
    axes.text(row["step_ms"], 1, text, va="center", color=INK)
    _as_bars(axes, ["a forward pass", "a training step"], "Training costs more than inference")
    axes.set_xlabel(f"ms ({row['network']}, {row['precision']}, batch {row['batch']})")


def _shade(row: Row) -> str:
    return QUIET if row["precision"] == "fp32" else ACCENT


def _as_bars(axes: Axes, labels: Sequence[str], title: str) -> None:
    axes.set_yticks(range(len(labels)), labels=labels)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.margins(x=0.45)
    axes.set_title(title)


_PANELS: dict[str, Callable[[Axes, Sequence[Row]], None]] = {
    "batch": _batches,
    "size": _sizes,
    "precision": _precisions,
    "training": _training,
}
