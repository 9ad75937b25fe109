"""Whole packshots on one device against all cores."""

from collections.abc import Iterator

from benchmarks.report.style import ACCENT, QUIET, Chart, colour, panels, plain
from benchmarks.results_folder import Saved, machine_name


def packshot_charts(saved: Saved) -> Iterator[Chart]:
    """Draw images a second by both ways, and what each stage takes on the device."""
    for number, record in enumerate(saved.of("device-pipeline"), start=1):
        sizes = list(dict.fromkeys(row["photo_megapixels"] for row in record.rows))
        figure, (speed, stages) = panels(2)
        labels: list[str] = []
        for size in sizes:
            for path in ("device", "cpu"):
                rows = [
                    row
                    for row in record.rows
                    if (row["path"], row["photo_megapixels"]) == (path, size)
                ]
                if not rows:
                    continue
                best = max(rows, key=lambda row: float(row["images_per_s"]))
                at = len(labels)
                where = "all cores" if path == "cpu" else f"torch, {best['device'].upper()}"
                labels.append(f"{size:g} MP, {where}")
                value = best["images_per_s"]
                speed.barh(at, value, color=ACCENT if path == "device" else QUIET, height=0.66)
                speed.text(value, at, f" {plain(value)}", va="center", fontsize=8.5)
            left = 0.0
            told = [
                row
                for row in record.rows
                if row["path"] == "stage" and row["photo_megapixels"] == size
            ]
            for index, row in enumerate(told):
                label = row["stage"] if size == sizes[0] else None
                ms = row["ms_per_image"]
                stages.barh(f"{size:g} MP", ms, left=left, color=colour(index), label=label)
                left += ms
        speed.set_yticks(range(len(labels)), labels=labels, fontsize=8.5)
        speed.invert_yaxis()
        speed.margins(x=0.3)
        speed.set_title("Packshots a second")
        stages.set_title("Stages on the device, ms a photo")
        figure.legend(loc="outside lower center", ncols=4, fontsize=8)
        yield Chart(
            f"device-pipeline-{number}" if number > 1 else "device-pipeline",
            "Whole packshots on one device",
            "JPEG in, JPEG on white out: the gateway's steps as batches of torch operations, "
            "against the gateway's own on all cores in the same run. Stages are timed one by one.",
            machine_name(record),
            figure,
        )
