"""Whether two runs agree: `python -m benchmarks compare-runs FOLDER FOLDER`.

Absolute figures of a machine that is shared move from run to run; what must hold are ratios. Of
every benchmark that both folders have, compared are the ratios that its rows name (`times_…`,
`share_of_…`, `…_ratio_…`) and each row's images/s against the median of its group in its own run.
"""

import argparse
import logging
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.record import Record
from benchmarks.results_folder import read_folder
from benchmarks.table import as_table
from serving.errors import ServingError

log = logging.getLogger("benchmarks")

# What a run measured or judged, though it is text.
_FOUND = frozenset({"bound_by", "latency_us_hdr", "statuses"})
# What a run was told, though it is a number.
_TOLD = frozenset(
    {
        "batch",
        "concurrency",
        "instances",
        "load_share",
        "max_batch_size",
        "megapixels",
        "photo_megapixels",
        "queue_delay_us",
        "side",
        "threads",
    }
)
# Rows with different words here are of different kinds, whose images/s have no common measure.
_GROUP = ("kind", "statement", "path", "device")
_RATE = "images_per_s"

_Name = tuple[tuple[str, Any], ...]


class RunsDifferError(ServingError):
    """Two runs disagree, or cannot be compared; the message says in what."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One ratio in two runs."""

    what: str  # its benchmark, row and column
    first: float  # in the first run
    second: float  # in the second

    @property
    def apart_share(self) -> float:
        """By how much the greater exceeds the lesser; infinite if one of them alone is 0."""
        low, high = sorted((abs(self.first), abs(self.second)))
        if self.first * self.second < 0 or (low == 0) != (high == 0):
            return float("inf")
        return high / low - 1 if low else 0.0


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("first", type=Path, help="a run's folder")
    parser.add_argument("second", type=Path, help="the other's")
    parser.add_argument("--percent", type=float, default=10, help="allowed (default: %(default)s)")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Compare, and print what is apart.

    Raises:
        RunsDifferError: A ratio is too far apart, or there is none to compare.
    """
    try:
        first, second = read_folder(arguments.first), read_folder(arguments.second)
    except ValueError as exc:
        raise RunsDifferError(str(exc)) from exc
    pairs: list[Pair] = []
    for name in sorted(first.records.keys() | second.records.keys()):
        if name not in first.records or name not in second.records:
            log.warning("%s is in one of the folders alone: not compared", name)
            continue
        ours, theirs = first.records[name], second.records[name]
        if ours.machine != theirs.machine:
            log.warning("%s: the runs were made on different machines", name)
        found, unmatched = compare(ours, theirs)
        pairs += found
        if unmatched:
            log.warning("%s: %d ratios are in one of the runs alone", name, unmatched)
    if not pairs:
        raise RunsDifferError("the two runs have no ratio in common")
    apart = [pair for pair in pairs if pair.apart_share > arguments.percent / 100]
    print(f"{len(pairs)} ratios in both runs, {len(pairs) - len(apart)} agree")
    if apart:
        print(as_table([_row(pair) for pair in sorted(apart, key=lambda each: -each.apart_share)]))
        raise RunsDifferError(f"{len(apart)} ratios are over {arguments.percent:g} % apart")


def compare(first: Record, second: Record) -> tuple[list[Pair], int]:
    """Pair the ratios of two records of one benchmark.

    Returns:
        The pairs, and how many ratios are in one of the records alone.
    """
    ours, theirs = ratios_of(first.rows), ratios_of(second.rows)
    # A median of other rows would be another measure, so rates are compared over common rows.
    common = {name for name, _ in ours.keys() & theirs.keys()}
    ours = ratios_of([row for row in first.rows if _name(row) in common])
    theirs = ratios_of([row for row in second.rows if _name(row) in common])
    pairs = [
        Pair(f"{first.benchmark}: {_words(name)}: {column}", value, theirs[name, column])
        for (name, column), value in ours.items()
        if (name, column) in theirs
    ]
    everything = len(ratios_of(first.rows).keys() ^ ratios_of(second.rows).keys())
    return pairs, everything


def ratios_of(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[_Name, str], float]:
    """Return the ratios of one run by row and column; of rows measured again, the median."""
    groups: dict[_Name, list[float]] = defaultdict(list)
    for row in rows:
        if _is_number(row.get(_RATE)):
            groups[_group(row)].append(row[_RATE])
    middles = {group: statistics.median(rates) for group, rates in groups.items()}
    found: dict[tuple[_Name, str], list[float]] = defaultdict(list)
    for row in rows:
        for column, value in _ratios(row, middles):
            found[_name(row), column].append(value)
    return {key: statistics.median(values) for key, values in found.items()}


def _ratios(row: Mapping[str, Any], middles: Mapping[_Name, float]) -> Iterator[tuple[str, float]]:
    for column, value in row.items():
        is_ratio = column.startswith(("times_", "share_of_")) or "ratio" in column.split("_")
        if is_ratio and _is_number(value):
            yield column, value
    if _is_number(row.get(_RATE)) and (middle := middles[_group(row)]):
        yield f"{_RATE} against the median", row[_RATE] / middle


def _name(row: Mapping[str, Any]) -> _Name:
    """Return the columns that say which row it is."""
    return tuple(
        (key, value)
        for key, value in sorted(row.items())
        if key in _TOLD or (isinstance(value, str) and key not in _FOUND)
    )


def _group(row: Mapping[str, Any]) -> _Name:
    return tuple((key, row[key]) for key in _GROUP if key in row)


def _words(name: _Name) -> str:
    return ", ".join(value if isinstance(value, str) else f"{key} {value}" for key, value in name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _row(pair: Pair) -> dict[str, Any]:
    return {
        "ratio": pair.what,
        "first": pair.first,
        "second": pair.second,
        "apart": f"{pair.apart_share:.0%}",
    }
