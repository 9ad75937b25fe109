"""Networks by batch size in every precision: throughput, and how much of the roofline it is."""

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes

from benchmarks.record import Record
from benchmarks.report.style import Chart, colour, decades, label_end, panels, plain_log
from benchmarks.results_folder import Row, Saved, machine_name

_PERCENT = 100


def batch_charts(saved: Saved) -> Iterator[Chart]:
    """Draw a figure for each network that torch ran on each machine's devices."""
    count = 0
    for record in saved.of("why-gpu"):
        rows = [row for row in record.rows if row.get("share_of_limit_by_layers")]
        for device, network in dict.fromkeys((row["device"], row["network"]) for row in rows):
            own = [row for row in rows if (row["device"], row["network"]) == (device, network)]
            figure, (speed, share) = panels(2)
            _lines(speed, own, "images_per_s", 1)
            speed.set_yscale("log")
            decades(speed.yaxis, (1, 2, 5))
            speed.set_title(f"{network}: photos a second")
            _lines(share, own, "share_of_limit_by_layers", _PERCENT)
            share.set_ylim(bottom=0)
            share.set_title("% of the roofline, layer by layer")
            count += 1
            yield Chart(
                f"batches-{count}",
                f"{network} by batch size: the {'GPU' if device == 'gpu' else 'CPU'}",
                "Each line is a precision at its fastest (eager, CUDA graph or compiled); rings "
                "mark the knee. The roofline here is the longer of operations by the measured peak "
                "and bytes by the measured bandwidth, where each layer reads and writes once. "
                + ("IS-Net has random weights: speed alone is told." if network == "isnet" else ""),
                machine_name(record),
                figure,
            )


def fastest(rows: Sequence[Row]) -> list[Row]:
    """Keep the fastest way of each network, precision and batch size, by batch size."""
    best: dict[tuple[object, ...], Row] = {}
    for row in rows:
        key = tuple(row[name] for name in ("device", "network", "precision", "batch"))
        if key not in best or row["images_per_s"] > best[key]["images_per_s"]:
            best[key] = row
    return sorted(best.values(), key=lambda row: int(row["batch"]))


def _lines(axes: Axes, rows: Sequence[Row], key: str, times: float) -> None:
    for index, precision in enumerate(dict.fromkeys(row["precision"] for row in rows)):
        own = fastest([row for row in rows if row["precision"] == precision])
        xs, ys = [row["batch"] for row in own], [times * row[key] for row in own]
        axes.plot(xs, ys, "o-", color=colour(index), markersize=3.5)
        label_end(axes, xs, ys, precision, colour(index))
        for row, y in zip(own, ys, strict=True):
            if row["is_knee"]:
                axes.plot(row["batch"], y, "o", mfc="none", mec=colour(index), markersize=11)
    plain_log(axes, "x", sorted({row["batch"] for row in rows}))
    axes.set_xlabel("photos in a pass")


def summary(record: Record) -> list[Row]:
    """Return each network in each precision at its knee: what a table in a document tells.

    Args:
        record: Of `why-gpu`.

    Returns:
        Rows of network, device, engine, precision, images_per_s_one, images_per_s, knee, ms, gain,
        share, share_by_layers and memory_bytes; the last four may be None.
    """
    series: dict[tuple[str, ...], list[Row]] = {}
    for row in record.rows:
        if row["statement"] == "batch":
            key = tuple(row[name] for name in ("network", "device", "engine", "precision"))
            series.setdefault(key, []).append(row)
    made: list[Row] = []
    for key, rows in series.items():
        names = zip(("network", "device", "engine", "precision"), key, strict=True)
        at_knee = next(row for row in rows if row["is_knee"])
        one = next((row["images_per_s"] for row in rows if row["batch"] == 1), None)
        made.append(
            dict(names)
            | {
                "images_per_s_one": one,
                "images_per_s": at_knee["images_per_s"],
                "knee": at_knee["batch"],
                "ms": at_knee["ms_per_pass"],
                "gain": at_knee["images_per_s"] / one if one else None,
                "share": at_knee.get("share_of_limit"),
                "share_by_layers": at_knee.get("share_of_limit_by_layers"),
                "memory_bytes": at_knee.get("peak_memory_bytes"),
            }
        )
    return made
