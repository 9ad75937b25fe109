"""`python -m benchmarks cost FOLDER`: prices per thousand images, and a capacity plan.

Everything comes from saved records; nothing is measured here.
"""

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks.cost.planner import TRITON_SHARE, Demand, plan
from benchmarks.cost.prices import Prices
from benchmarks.cost.thousand import price_rows
from benchmarks.record import write_record
from benchmarks.results_folder import read_folder
from benchmarks.table import as_table

_EXAMPLE = Path(__file__).resolve().parents[1] / "prices.example.toml"


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("folder", type=Path, nargs="?", default=Path("out/bench"))
    parser.add_argument("--prices", type=Path, default=_EXAMPLE, help="a table as the example's")
    parser.add_argument("--photos-per-day", type=_positive, default=1_000_000.0)
    parser.add_argument(
        "--peak-factor",
        type=_positive,
        default=3.0,
        help="busiest hour / average (%(default)s)",
    )
    parser.add_argument("--p95-ms", type=_positive, default=500.0, help="objective (%(default)s)")
    parser.add_argument(
        "--utilisation", type=_share, default=0.7, help="share of capacity to use (%(default)s)"
    )


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Print both tables and write the record."""
    demand = Demand(
        arguments.photos_per_day, arguments.peak_factor, arguments.p95_ms, arguments.utilisation
    )
    try:
        saved = read_folder(arguments.folder)
        prices = Prices.read(arguments.prices)
    except ValueError as exc:
        raise SystemExit(f"error: {exc}") from exc
    notes = list(saved.unreadable)
    if arguments.prices == _EXAMPLE:
        notes.append("the prices are the example's, which are made up: --prices names your own")
    thousands, about_prices = price_rows(saved, prices)
    plans, about_plans = plan(saved, demand, prices)
    notes += [
        *about_prices,
        "a thousand images cost this on a machine that is always busy; else divide by its share",
        f"Triton alone may take {TRITON_SHARE:.0%} of the latency objective, the gateway the rest",
        *about_plans,
    ]
    for title, rows in (("a thousand images", thousands), ("a day's photos", plans)):
        if rows:
            columns = [name for name in rows[0] if name != "kind"]
            print(f"\n{title}\n{as_table(rows, columns)}")
    print("\n" + "\n".join(notes))
    told = {"prices": arguments.prices.name, **asdict(demand)}
    rows = [*thousands, *plans]
    write_record(arguments.folder / "cost.json", "cost", told, rows, notes=notes)


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _share(text: str) -> float:
    value = _positive(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text} is above 1")
    return value
