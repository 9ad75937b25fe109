"""`python -m benchmarks report FOLDER`: a page and PNG charts from saved records only."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tqdm import tqdm

from benchmarks.report.batches import batch_charts
from benchmarks.report.latency import load_charts, sweep_charts
from benchmarks.report.money import cost_charts
from benchmarks.report.packshots import packshot_charts
from benchmarks.report.page import page_of, png_of
from benchmarks.report.peers import peer_charts
from benchmarks.report.roofline import roofline_charts
from benchmarks.report.stages import stage_charts
from benchmarks.report.style import Chart, styled
from benchmarks.report.why import why_charts
from benchmarks.results_folder import Saved, read_folder

_PAGE = "report.html"
# In the order of the page, each with the benchmark that it draws.
_DRAWERS: tuple[tuple[str, Callable[[Saved], Iterator[Chart]]], ...] = (
    ("peers", peer_charts),
    ("load", load_charts),
    ("load", stage_charts),
    ("sweep", sweep_charts),
    ("limits", roofline_charts),
    ("why-gpu", why_charts),
    ("why-gpu", batch_charts),
    ("why-gpu", packshot_charts),  # of the same command
    ("cost", cost_charts),
)


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("folder", type=Path, nargs="?", default=Path("out/bench"))
    parser.add_argument("--out", type=Path, help="folder of page and charts (default: FOLDER)")
    parser.add_argument("--quick", action="store_true", help="changes nothing: it takes seconds")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Draw whatever there are records of, and name what is missing."""
    try:
        saved = read_folder(arguments.folder)
    except ValueError as exc:
        raise SystemExit(f"error: {exc}") from exc
    out = arguments.out or arguments.folder
    out.mkdir(parents=True, exist_ok=True)
    missing = missing_from(saved)
    pictures = {}
    with styled():
        charts = [chart for _, draw in _DRAWERS for chart in draw(saved)]
        for chart in tqdm(charts, unit="chart"):
            pictures[chart.name] = png_of(chart)
            (out / f"{chart.name}.png").write_bytes(pictures[chart.name])
    (out / _PAGE).write_text(page_of(saved, charts, pictures, missing), encoding="utf-8")
    print(f"{out / _PAGE}: {len(charts)} charts from {len(saved.records)} records")
    for one in missing:
        print(f"missing: {one}")


def missing_from(saved: Saved) -> list[str]:
    """Name the benchmarks without a record, GPU figures, and files that are no records."""
    names = dict.fromkeys(name for name, _ in _DRAWERS)
    missing = [
        f"no record of {name} (python -m benchmarks {name})" for name in names if not saved.of(name)
    ]
    if not any(row.get("device") == "gpu" for _, row in saved.rows("why-gpu")):
        missing.append("no figures of a GPU (python -m benchmarks.gpu_run, on a machine with one)")
    return [*missing, *saved.unreadable]
