"""Manifests: Parquet, CSV or JSON lines with a photo each, and options of its own.

A row needs `id` and `input` (or `path`, or `uri`); a relative one starts at the manifest's folder.
Columns named as render options are the photo's own options. Everything else is for `--where`.
"""

import csv
import io
import json
import posixpath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from catalogue.errors import InputError
from catalogue.places import open_filesystem

SUFFIXES = (".parquet", ".csv", ".jsonl", ".ndjson")
_INPUT_NAMES = ("input", "path", "uri")
# What a table of photos says of a row by itself.
_RESERVED = {"problem", "result"}


def read_manifest(uri: str) -> pa.Table:
    """Read a manifest; a row that cannot be read has a `problem`.

    Args:
        uri: Its absolute path or URI.

    Raises:
        InputError: It is none: a column is missing, or the file is broken as a whole.
        OSError: It cannot be read.
    """
    filesystem, path = open_filesystem(uri)
    data = filesystem.cat_file(path)
    suffix = posixpath.splitext(path)[1].lower()
    try:
        table = {".parquet": _read_parquet, ".csv": _read_csv}.get(suffix, _read_lines)(data)
    except (pa.ArrowException, UnicodeDecodeError, csv.Error) as exc:
        raise InputError(f"the manifest {uri!r} is broken: {exc}") from exc
    table = _with_known_names(table, uri)
    folder = posixpath.dirname(path)
    prefix = (
        folder if isinstance(filesystem, LocalFileSystem) else filesystem.unstrip_protocol(folder)
    )
    inputs = [_resolved(text, str(prefix)) for text in table["input"].to_pylist()]
    at = table.schema.get_field_index("input")
    return table.set_column(at, "input", pa.array(inputs, pa.string()))


def _read_parquet(data: bytes) -> pa.Table:
    table = pq.read_table(io.BytesIO(data))
    return table.append_column("problem", pa.nulls(table.num_rows, pa.string()))


def _read_csv(data: bytes) -> pa.Table:
    """Read CSV; every column is text, so that an id of 007 stays one."""
    lines = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    header = next(lines, [])
    rows: list[dict[str, Any]] = []
    for line in lines:
        if not line:
            continue
        row: dict[str, Any] = dict(zip(header, (text or None for text in line), strict=False))
        if len(line) != len(header):
            row["problem"] = (
                f"line {lines.line_num} has {len(line)} fields, the header {len(header)}"
            )
        rows.append(row)
    return _from_rows(rows, header)


def _read_lines(data: bytes) -> pa.Table:
    """Read JSON lines; values other than texts become JSON text, since columns have one type."""
    rows: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    for number, line in enumerate(data.decode().splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as exc:
            rows.append({"problem": f"line {number} is no JSON: {exc}"})
            continue
        if not isinstance(found, dict):
            rows.append({"problem": f"line {number} is no JSON object"})
            continue
        names.update(dict.fromkeys(found))
        rows.append({name: _as_text(value) for name, value in found.items()})
    return _from_rows(rows, list(names))


def _from_rows(rows: list[dict[str, Any]], names: list[str]) -> pa.Table:
    if taken := _RESERVED.intersection(names):
        raise InputError(f"a manifest has a column {', '.join(sorted(taken))}: rename it")
    schema = pa.schema([(name, pa.string()) for name in (*dict.fromkeys(names), "problem")])
    return pa.Table.from_pylist(rows, schema=schema)


def _with_known_names(table: pa.Table, uri: str) -> pa.Table:
    inputs = [name for name in _INPUT_NAMES if name in table.column_names]
    if "id" not in table.column_names or len(inputs) != 1:
        raise InputError(
            f"the manifest {uri!r} has the columns {', '.join(table.column_names[:-1]) or 'none'}; "
            f"it needs id and one of {', '.join(_INPUT_NAMES)}"
        )
    names = ["input" if name == inputs[0] else name for name in table.column_names]
    table = table.rename_columns(names)
    for name in ("id", "input"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table[name].cast(pa.string()))
    return table


def _resolved(text: str | None, folder: str) -> str | None:
    if not text or "://" in text or text.startswith("/"):
        return text
    return f"{folder}/{text}"


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)
