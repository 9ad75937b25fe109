"""What a benchmark measured, as a file that says on what machine and from which commit.

Reports, costs and the comparison of runs read these files alone, so that figures can be looked at
again, and elsewhere, without measuring again.
"""

import argparse
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.machine import describe_machine, find_commit, list_versions


@dataclass(frozen=True, slots=True)
class Record:
    """One benchmark's measurements."""

    benchmark: str  # its name
    settings: Mapping[str, Any]  # what it was told to do
    rows: Sequence[Mapping[str, Any]]  # flat; the unit is in the key. None: there is no such figure
    seed: int | None  # of whatever was random; None: nothing was
    notes: Sequence[str]  # what a reader must know of the figures
    # Processor, cores, memory, GPU and system, as `describe_machine` names them
    machine: Mapping[str, Any]
    versions: Mapping[str, str]  # of Python, Triton and the packages that were measured
    commit: str  # of this repository; empty outside of one
    dirty: bool  # whether files differed from it
    started: str  # when, ISO 8601 in UTC
    wall_s: float  # how long it took, s


def write_record(
    path: Path,
    benchmark: str,
    settings: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    *,
    seed: int | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Write what was measured, and on what; the time is that since this process began.

    Args:
        path: Of the JSON file; its folder is made.
        benchmark: The benchmark's name.
        settings: What it was told to do; paths become text.
        rows: Flat mappings to numbers and strings, NumPy's too; what is not finite becomes null,
            since JSON has no other value for a missing figure.
        seed: Of whatever was random.
        notes: What a reader must know of the figures.

    Raises:
        TypeError: A value is none that JSON can have.
    """
    started_s = psutil.Process().create_time()
    commit, dirty = find_commit()
    record = Record(
        *(benchmark, settings, rows, seed, notes, describe_machine(), list_versions()),
        *(commit, dirty),
        started=datetime.fromtimestamp(started_s, UTC).isoformat(timespec="seconds"),
        wall_s=round(time.time() - started_s, 1),
    )
    told = {field.name: getattr(record, field.name) for field in fields(Record)}
    text = json.dumps(_plain(told), indent=1, allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def settings_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return a command's flags as a record's settings; where the record goes is none."""
    return {key: value for key, value in vars(arguments).items() if key not in {"command", "out"}}


def read_record(path: Path) -> Record:
    """Read what `write_record` wrote.

    Raises:
        ValueError: The file is no such record, or cannot be read.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:  # neither text nor JSON is a ValueError
        raise ValueError(f"{path} cannot be read as a benchmark's record: {exc}") from exc
    if fault := _fault_of(values):
        raise ValueError(f"{path} is no benchmark's record: {fault}")
    return Record(**{field.name: values[field.name] for field in fields(Record)})


def _fault_of(values: Any) -> str:
    """Return why a file's content is no record; empty if it is one."""
    if not isinstance(values, dict):
        return "it is no JSON object"
    if missing := [field.name for field in fields(Record) if field.name not in values]:
        return f"it lacks {', '.join(missing)}"
    rows = values["rows"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return "its rows are no list of objects"
    return ""


def _plain(value: Any) -> Any:
    """Return the value as JSON can have it."""
    match value:
        case np.generic():
            return _plain(value.item())
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case Path():
            return str(value)
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
    raise TypeError(f"a record cannot hold a {type(value).__name__}: {value!r}")
