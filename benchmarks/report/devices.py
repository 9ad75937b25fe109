"""Charts of devices: rooflines, the four statements, networks by batch size, whole packshots."""

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.report.style import (
    INK,
    QUIET,
    Figures,
    bars,
    batch_axis,
    colour,
    decades,
    label,
    line,
    panels,
    plain,
    stacked,
)
from benchmarks.results_folder import Row

_GIGA = 1e9
_LEFT = 0.1  # operations for a byte, where the roofline's picture begins
_DEVICES = {"cpu": "CPU", "gpu": "GPU"}


def roofline(rows: Sequence[Row]) -> Figures:
    """Draw the roofs of every device, and a point for each network."""
    # A run cut short may know a device's memory alone, which makes no roof.
    peaks = [row for row in rows if row["kind"] == "peak" and row["precision"] != "bytes"]
    for device in sorted({str(row["device"]) for row in peaks}):
        own = [row for row in rows if row.get("device") == device]
        yield _DEVICES[device], _roofline(own)


def _roofline(rows: Sequence[Row]) -> Figure:
    peaks = {row["precision"]: row for row in rows if row["kind"] == "peak"}
    bytes_per_s = peaks.pop("bytes")["bytes_per_s"]
    networks = [row for row in rows if row["kind"] == "network"]
    intensities = [row["intensity_operations_per_byte"] for row in networks]
    figure, (axes,) = panels(1, height_in=4.6)
    roofs = sorted((row["operations_per_s"], precision) for precision, row in peaks.items())
    corner = roofs[-1][0] / bytes_per_s
    slope = [_LEFT * bytes_per_s / _GIGA, corner * bytes_per_s / _GIGA]
    axes.plot([_LEFT, corner], slope, color=QUIET)
    label(axes, (_LEFT, slope[0]), f"memory: {bytes_per_s / _GIGA:,.0f} GB/s", QUIET)
    right = 4 * max(intensities, default=2.5e3)
    for index, (peak, precision) in enumerate(roofs):
        axes.plot([peak / bytes_per_s, right], [peak / _GIGA] * 2, color=colour(index))
        text = f"{precision}\n{peak / _GIGA:,.0f} GFLOP/s"
        label(axes, (right, peak / _GIGA), text, colour(index))
    for row, x in zip(networks, intensities, strict=True):
        y = row["images_per_s"] * row["operations_per_image"] / _GIGA
        precision = f" {row['precision']}" if "precision" in row else ""
        text = f"{row['model']}{precision}\n{row['share_of_limit']:.0%} of its limit"
        axes.plot(x, y, "o", color=INK, markersize=7)
        below: dict[str, Any] = {"xytext": (-8, -4), "ha": "right", "va": "top", "fontsize": 8.5}
        label(axes, (x, y), text, bbox={"color": "white", "pad": 1.5}, zorder=3, **below)
    decades(axes, "x", "y")
    axes.set_xlabel("operations for each byte that must be moved")
    axes.set_ylabel("GFLOP/s")
    return figure


def statements(rows: Sequence[Row]) -> Figures:
    """Draw a figure for each device, a panel for each statement."""
    for device in sorted({str(row["device"]) for row in rows}):
        own = [row for row in rows if row["device"] == device]
        parts = [
            (draw, found)
            for statement, draw in _PANELS.items()
            if (found := [row for row in own if row["statement"] == statement])
        ]
        figure, made = panels(len(parts))
        for axes, (draw, found) in zip(made, parts, strict=True):
            draw(axes, found)
        yield _DEVICES[device], figure


def _amortised(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw throughput against batch size, as a multiple of one photo's."""
    # Of a network that was run in many ways the fastest is drawn here.
    best: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: -float(row["images_per_s"])):
        best.setdefault((row["network"], row["engine"].partition(",")[0]), row)
    keys = ("network", "precision", "engine")
    for index, top in enumerate(best.values()):
        own = [row for row in rows if all(row[key] == top[key] for key in keys)]
        own.sort(key=lambda row: int(row["batch"]))
        times = [row["images_per_s"] / own[0]["images_per_s"] for row in own]
        name = f"{top['network']} {top['precision']}, {top['engine']}"
        xs, rings = [row["batch"] for row in own], [row["is_knee"] for row in own]
        line(axes, xs, times, name, colour(index), rings, is_named=False)
    batch_axis(axes, sorted({row["batch"] for row in rows}))
    axes.set_ylim(bottom=0)
    axes.set_title("A batch amortises")
    axes.set_xlabel("photos in a pass")
    axes.set_ylabel("times the throughput of one")
    axes.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(-0.12, -0.2), ncols=2)


def _sizes(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw arithmetic against the side of a matrix product."""
    ordered = sorted(rows, key=lambda row: int(row["side"]))
    for index, precision in enumerate(dict.fromkeys(str(row["precision"]) for row in rows)):
        own = [row for row in ordered if row["precision"] == precision]
        rates = [row["operations_per_s"] / _GIGA for row in own]
        line(axes, [row["side"] for row in own], rates, precision, colour(index))
    batch_axis(axes, sorted({row["side"] for row in rows}))
    decades(axes, "y", steps=(1, 2, 5))
    axes.set_title("Big work suits parallel hardware")
    axes.set_xlabel("side of a matrix product")
    axes.set_ylabel("GFLOP/s")


def _precisions(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw the speed of each precision, with what it costs."""
    names = [f"{row['precision']}, {row['engine']}" for row in rows]
    times = [row["times_fp32"] for row in rows]
    texts = [
        f"{row['times_fp32']:.2f} times"
        + (f", differs by {row['mean_difference']:.2f}" if row.get("mean_difference") else "")
        for row in rows
    ]
    bars(axes, names, times, texts, [row["precision"] != "fp32" for row in rows])
    axes.set_title("Lower precision buys speed at a small loss")
    axes.set_xlabel(f"times fp32's throughput ({rows[0]['network']}, batch {rows[0]['batch']})")


def _training(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw a step against a forward pass."""
    row = rows[0]
    texts = [
        f"{plain(row['forward_ms'])} ms",
        f"{plain(row['step_ms'])} ms, {row['times_forward']:.1f} times",
    ]
    names = ("a forward pass", "a training step")
    bars(axes, names, [row["forward_ms"], row["step_ms"]], texts, (False, True))
    axes.set_title("Training costs more than inference")
    axes.set_xlabel(f"ms ({row['network']}, {row['precision']}, batch {row['batch']})")


_PANELS: dict[str, Callable[[Axes, Sequence[Row]], None]] = {
    "batch": _amortised,
    "size": _sizes,
    "precision": _precisions,
    "training": _training,
}


def batches(rows: Sequence[Row]) -> Figures:
    """Draw throughput and share of the roofline of each network that torch ran on each device."""
    rows = [row for row in rows if row.get("share_of_limit_by_layers")]
    for device, network in dict.fromkeys((row["device"], row["network"]) for row in rows):
        own = [row for row in rows if (row["device"], row["network"]) == (device, network)]
        figure, (speed, share) = panels(2)
        for index, precision in enumerate(dict.fromkeys(row["precision"] for row in own)):
            fastest: dict[int, Row] = {}  # eager, CUDA graph or compiled
            for row in own:
                best = fastest.get(row["batch"], row)
                if row["precision"] == precision and row["images_per_s"] >= best["images_per_s"]:
                    fastest[row["batch"]] = row
            shown = [fastest[batch] for batch in sorted(fastest)]
            xs, rings = [row["batch"] for row in shown], [row["is_knee"] for row in shown]
            rates = [row["images_per_s"] for row in shown]
            percents = [100 * row["share_of_limit_by_layers"] for row in shown]
            line(speed, xs, rates, precision, colour(index), rings)
            line(share, xs, percents, precision, colour(index), rings)
        decades(speed, "y", steps=(1, 2, 5))
        share.set_ylim(bottom=0)
        speed.set_title(f"{network}: photos a second")
        share.set_title("% of the roofline, layer by layer")
        for axes in (speed, share):
            batch_axis(axes, sorted({row["batch"] for row in own}))
            axes.set_xlabel("photos in a pass")
        yield f"{network}, {_DEVICES[device]}", figure


def packshots(rows: Sequence[Row]) -> Figures:
    """Draw images a second by both ways, and what each stage takes on the device."""
    figure, (speed, parts) = panels(2)
    best: dict[tuple[float, str], Row] = {}
    stages: dict[str, dict[str, float]] = {}
    for row in sorted(rows, key=lambda row: float(row.get("images_per_s") or 0)):
        if row["path"] in {"device", "cpu"}:
            best[row["photo_megapixels"], row["path"]] = row
        elif row["path"] == "stage":
            own = stages.setdefault(f"{row['photo_megapixels']:g} MP", {})
            own[row["stage"]] = row["ms_per_image"]
    keys = sorted(best, key=lambda key: (key[0], key[1] == "cpu"))
    names = [
        f"{size:g} MP, "
        + ("all cores" if path == "cpu" else f"torch, {best[size, path]['device'].upper()}")
        for size, path in keys
    ]
    rates = [best[key]["images_per_s"] for key in keys]
    bars(speed, names, rates, [plain(rate) for rate in rates], [key[1] != "cpu" for key in keys])
    speed.set_title("Packshots a second")
    if stages:
        told = dict.fromkeys(name for own in stages.values() for name in own)
        stacked(parts, stages, {name: colour(index) for index, name in enumerate(told)})
        figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    parts.set_visible(bool(stages))
    parts.set_title("Stages on the device, ms a photo")
    yield "", figure
