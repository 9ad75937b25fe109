"""`python -m benchmarks report FOLDER`: a page and PNG charts from saved records only."""

import argparse
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import jinja2
import matplotlib as mpl
from tqdm import tqdm

from benchmarks.report import devices, serving
from benchmarks.report.style import STYLE, Figures
from benchmarks.results_folder import Row, Saved, machine_name, read_folder
from benchmarks.table import as_text, columns

_PAGE = "report.html"
_TEMPLATE = Path(__file__).with_name("page.html")


@dataclass(frozen=True, slots=True)
class _Drawer:
    """A section of the page."""

    name: str  # of the PNG file
    benchmark: str  # of the records that it draws
    draw: Callable[[Sequence[Row]], Figures]  # a record's figures, each with a word for its title
    title: str
    sentence: str  # what it shows


_DRAWERS = (
    _Drawer(
        "peers",
        "peers",
        serving.peers,
        "Beside other servers",
        "The same photos, network and concurrency in one run, every server at its best. The factor "
        "is the server's throughput, or latency, as a multiple of Packshot's.",
    ),
    _Drawer(
        "load",
        "load",
        serving.load,
        "The service under load",
        "Latency as callers see it, waiting for a late start included. In the open loop requests "
        "come whether or not earlier ones are answered; the dashed line is the most photos that "
        "were answered in a second.",
    ),
    _Drawer(
        "stages",
        "load",
        serving.stages,
        "Where a photo's time goes",
        "Each bar is a photo's way through the service under one load, stage by stage, as the "
        "replies report it. Only waiting grows with the load.",
    ),
    _Drawer(
        "sweep",
        "sweep",
        serving.sweep,
        "Which setting to choose",
        "Each dot is a setting of batch size, queue delay, instances and concurrency. On the line "
        "lie those that no other beats in both throughput and latency (the Pareto front); lower "
        "and further right is better.",
    ),
    _Drawer(
        "roofline",
        "limits",
        devices.roofline,
        "How near the limit",
        "The lines are what the hardware allows, measured: memory on the slope, arithmetic on the "
        "flat. Each point is a network at its best setting; the height below its line is what is "
        "not used, and the percentage what is.",
    ),
    _Drawer(
        "why-gpu",
        "why-gpu",
        devices.statements,
        "Four statements, measured",
        "Rings mark the knee: the smallest batch that reaches nine tenths of the best throughput. "
        "Differences are of mattes, in steps of 255, from those in fp32.",
    ),
    _Drawer(
        "batches",
        "why-gpu",
        devices.batches,
        "By batch size",
        "Each line is a precision at its fastest (eager, CUDA graph or compiled); rings mark the "
        "knee. The roofline here is the longer of operations by the measured peak and bytes by the "
        "measured bandwidth, where each layer reads and writes once. IS-Net has random weights: of "
        "it speed alone is told.",
    ),
    _Drawer(
        "device-pipeline",
        "device-pipeline",
        devices.packshots,
        "Whole packshots on one device",
        "JPEG in, JPEG on white out: the gateway's steps as batches of torch operations, against "
        "the gateway's own on all cores in the same run. Stages are timed one by one.",
    ),
    _Drawer(
        "cost",
        "cost",
        serving.cost,
        "What a thousand images cost",
        "Measured throughput, priced by the hour; further left is cheaper, each step of the grid "
        "ten times. Prices are those of the user's table and no offer of anybody; passes alone "
        "lack decoding and encoding.",
    ),
)


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("folder", type=Path, nargs="?", default=Path("out/bench"))
    parser.add_argument("--out", type=Path, help="folder of page and charts (default: FOLDER)")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Draw whatever there are records of, and name what is missing."""
    try:
        saved = read_folder(arguments.folder)
    except ValueError as exc:
        raise SystemExit(f"error: {exc}") from exc
    out = arguments.out or arguments.folder
    out.mkdir(parents=True, exist_ok=True)
    missing = missing_from(saved)
    with mpl.rc_context(STYLE):
        charts = [chart for one in tqdm(_DRAWERS, unit="section") for chart in _drawn(one, saved)]
    for chart in charts:
        (out / f"{chart['name']}.png").write_bytes(b64decode(chart["png_base64"]))
    environment = jinja2.Environment(autoescape=True, trim_blocks=True)
    page = environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        missing=missing,
        charts=charts,
        records=saved.records,
        columns=columns,
        as_text=as_text,
        machine_name=machine_name,
    )
    (out / _PAGE).write_text(page + "\n", encoding="utf-8")
    print(f"{out / _PAGE}: {len(charts)} charts from {len(saved.records)} records")
    for one in missing:
        print(f"missing: {one}")


def missing_from(saved: Saved) -> list[str]:
    """Name the benchmarks without a record, GPU figures, and files that are no records."""
    # The whole packshots are a table of why-gpu.
    names = dict.fromkeys(one.benchmark for one in _DRAWERS if one.benchmark != "device-pipeline")
    missing = [
        f"no record of {name} (python -m benchmarks {name})" for name in names if not saved.of(name)
    ]
    if not any(row.get("device") == "gpu" for _, row in saved.rows("why-gpu")):
        missing.append("no figures of a GPU (python -m benchmarks.gpu_run, on a machine with one)")
    return [*missing, *saved.unreadable]


def _drawn(drawer: _Drawer, saved: Saved) -> Iterator[dict[str, str]]:
    """Draw a section's figures of every record; from the second on their names are numbered.

    Yields:
        For the page, of each: `name`, `title`, `sentence`, `machine`, `png_base64`.
    """
    found = [
        (record, what, figure)
        for record in saved.of(drawer.benchmark)
        for what, figure in drawer.draw(record.rows)
    ]
    for number, (record, what, figure) in enumerate(found, start=1):
        buffer = BytesIO()
        figure.savefig(buffer, format="png", metadata={"Title": drawer.title})
        yield {
            "name": f"{drawer.name}-{number}" if number > 1 else drawer.name,
            "title": f"{drawer.title}: {what}" if what else drawer.title,
            "sentence": drawer.sentence,
            "machine": machine_name(record),
            "png_base64": b64encode(buffer.getvalue()).decode("ascii"),
        }
