"""The roofline: what the machine allows, and where the networks stand below it."""

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes

from benchmarks.record import Record
from benchmarks.report.style import INK, QUIET, Chart, colour, decades, label_end, panels
from benchmarks.results_folder import Row, Saved, machine_name

_GIGA = 1e9
_LEFT = 0.1  # operations for a byte, where the picture begins


def roofline_charts(saved: Saved) -> Iterator[Chart]:
    """Draw the roofs of every machine and device, and a point for each network."""
    count = 0
    for record in saved.of("limits"):
        # A run cut short may know a device's memory alone, which makes no roof.
        peaks = [
            row for row in record.rows if row["kind"] == "peak" and row["precision"] != "bytes"
        ]
        for device in sorted({str(row["device"]) for row in peaks}):
            count += 1
            yield _chart(record, device, count)


def _chart(record: Record, device: str, number: int) -> Chart:
    rows = [row for row in record.rows if row.get("device") == device]
    peaks = {row["precision"]: row for row in rows if row["kind"] == "peak"}
    bytes_per_s = peaks.pop("bytes")["bytes_per_s"]
    networks = [row for row in rows if row["kind"] == "network"]
    figure, (axes,) = panels(1, height_in=4.6)
    right = 4 * max(row["intensity_operations_per_byte"] for row in networks) if networks else 1e4
    highest = max(row["operations_per_s"] for row in peaks.values())
    slope = [_LEFT, highest / bytes_per_s]
    axes.plot(slope, [x * bytes_per_s / _GIGA for x in slope], color=QUIET)
    for index, (precision, row) in enumerate(
        sorted(peaks.items(), key=lambda item: item[1]["operations_per_s"])
    ):
        peak = row["operations_per_s"]
        xs, ys = [peak / bytes_per_s, right], [peak / _GIGA] * 2
        axes.plot(xs, ys, color=colour(index))
        label_end(axes, xs, ys, f"{precision}\n{peak / _GIGA:,.0f} GFLOP/s", colour(index))
    axes.annotate(
        f"memory: {bytes_per_s / _GIGA:,.0f} GB/s",
        (_LEFT, _LEFT * bytes_per_s / _GIGA),
        xytext=(10, 0),
        textcoords="offset points",
        color=QUIET,
        fontsize=9,
    )
    _points(axes, networks)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("operations for each byte that must be moved")
    axes.set_ylabel("GFLOP/s")
    decades(axes.yaxis)
    decades(axes.xaxis)
    sentence = (
        "The lines are what the hardware allows, measured: memory on the slope, arithmetic on the "
        "flat. Each point is a network at its best setting; the height below its line is what is "
        "not used, and the percentage what is."
    )
    name = f"roofline-{number}" if number > 1 else "roofline"
    where = "GPU" if device == "gpu" else "CPU"
    return Chart(name, f"How near the limit: the {where}", sentence, machine_name(record), figure)


def _points(axes: Axes, networks: Sequence[Row]) -> None:
    for row in networks:
        x = row["intensity_operations_per_byte"]
        y = row["images_per_s"] * row["operations_per_image"] / _GIGA
        precision = f" {row['precision']}" if "precision" in row else ""
        axes.plot(x, y, "o", color=INK, markersize=7)
        axes.annotate(
            f"{row['model']}{precision}\n{row['share_of_limit']:.0%} of its limit",
            (x, y),
            xytext=(-8, -4),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=8.5,
            color=INK,
            bbox={"color": "white", "pad": 1.5},
            zorder=3,
        )
