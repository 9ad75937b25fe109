"""Compare the ratios of two runs: `python -m benchmarks compare-runs FOLDER FOLDER`.

Absolute figures of a shared machine move from run to run; ratios must hold. Compared are the ratios
that rows name (`times_…`, `share_of_…`, `…_ratio_…`), and each row's images/s against the median of
its group in its own run, over the rows that both runs have.
"""

import argparse
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.results_folder import read_folder
from benchmarks.table import as_table
from serving.errors import ServingError

log = logging.getLogger("benchmarks")

# Text columns that were measured; the other text columns name a row.
_MEASURED = frozenset({"bound_by", "latency_us_hdr", "statuses"})
# Numeric columns that name a row.
_SETTINGS = frozenset(
    {
        *("batch", "concurrency", "instances", "load_share", "max_batch_size", "megapixels"),
        *("photo_megapixels", "queue_delay_us", "side", "threads"),
    }
)
# Rows that differ in these columns are of different kinds; their images/s are not compared.
_GROUP = ("kind", "statement", "path", "device")
_RATE = "images_per_s"

Row = Mapping[str, Any]
_Name = tuple[tuple[str, Any], ...]


class RunsDifferError(ServingError):
    """Two runs disagree, or cannot be compared; the message names the reason."""


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("first", type=Path, help="a run's folder")
    parser.add_argument("second", type=Path, help="the other run's folder")
    parser.add_argument("--percent", type=float, default=10, help="allowed (default: %(default)s)")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Compare, and print the ratios that are apart.

    Raises:
        RunsDifferError: A ratio is too far apart, or there is none to compare.
    """
    try:
        first, second = (read_folder(each).records for each in (arguments.first, arguments.second))
    except ValueError as exc:
        raise RunsDifferError(str(exc)) from exc
    pairs: list[dict[str, Any]] = []
    for name in sorted(first.keys() ^ second.keys()):
        log.warning("%s is in only one of the folders: not compared", name)
    for name in sorted(first.keys() & second.keys()):
        if first[name].machine != second[name].machine:
            log.warning("%s: the runs were made on different machines", name)
        found, unmatched = compare(first[name].rows, second[name].rows)
        pairs += [{"benchmark": first[name].benchmark, **pair} for pair in found]
        if unmatched:
            log.warning("%s: %d ratios are in only one of the runs", name, unmatched)
    if not pairs:
        raise RunsDifferError("the two runs have no ratio in common")
    apart = [pair for pair in pairs if pair["apart"] > arguments.percent / 100]
    print(f"{len(pairs)} ratios in both runs, {len(pairs) - len(apart)} agree")
    if apart:
        apart.sort(key=lambda pair: -pair["apart"])
        print(as_table([pair | {"apart": f"{pair['apart']:.0%}"} for pair in apart]))
        raise RunsDifferError(f"{len(apart)} ratios are over {arguments.percent:g} % apart")


def compare(first: Sequence[Row], second: Sequence[Row]) -> tuple[list[dict[str, Any]], int]:
    """Pair the ratios of two runs of one benchmark.

    Returns:
        The pairs (ratio, first, second, apart), and how many ratios are in only one of the runs.
    """
    ours, theirs = ratios_of(first), ratios_of(second)
    unmatched = len(ours.keys() ^ theirs.keys())
    # A median over other rows would be another measure, so rates are compared over common rows.
    common = {name for name, _ in ours.keys() & theirs.keys()}
    ours, theirs = (
        ratios_of([row for row in rows if _name(row) in common]) for rows in (first, second)
    )
    pairs = [
        {
            "ratio": f"{_words(name)}: {column}",
            "first": value,
            "second": theirs[name, column],
            "apart": apart_share(value, theirs[name, column]),
        }
        for (name, column), value in ours.items()
        if (name, column) in theirs
    ]
    return pairs, unmatched


def apart_share(first: float, second: float) -> float:
    """Return by how much the greater exceeds the lesser; infinite if only one of them is 0."""
    low, high = sorted((abs(first), abs(second)))
    if first * second < 0 or (low == 0) != (high == 0):
        return float("inf")
    return high / low - 1 if low else 0.0


def ratios_of(rows: Sequence[Row]) -> dict[tuple[_Name, str], float]:
    """Return the ratios of one run by row and column; of repeated rows, the median."""
    groups: dict[_Name, list[float]] = defaultdict(list)
    for row in rows:
        if _is_number(row.get(_RATE)):
            groups[_group(row)].append(row[_RATE])
    middles = {group: median(rates) for group, rates in groups.items()}
    found: dict[tuple[_Name, str], list[float]] = defaultdict(list)
    for row in rows:
        for column, value in _ratios(row, middles):
            found[_name(row), column].append(value)
    return {key: median(values) for key, values in found.items()}


def _ratios(row: Row, middles: Mapping[_Name, float]) -> Iterator[tuple[str, float]]:
    for column, value in row.items():
        is_ratio = column.startswith(("times_", "share_of_")) or "ratio" in column.split("_")
        if is_ratio and _is_number(value):
            yield column, value
    if _is_number(row.get(_RATE)) and (middle := middles[_group(row)]):
        yield f"{_RATE} against the median", row[_RATE] / middle


def _name(row: Row) -> _Name:
    """Return the columns that name a row."""
    return tuple(
        (key, value)
        for key, value in sorted(row.items())
        if key in _SETTINGS or (isinstance(value, str) and key not in _MEASURED)
    )


def _group(row: Row) -> _Name:
    return tuple((key, row[key]) for key in _GROUP if key in row)


def _words(name: _Name) -> str:
    return ", ".join(value if isinstance(value, str) else f"{key} {value}" for key, value in name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
