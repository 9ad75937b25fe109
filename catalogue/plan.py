"""What is to do: the photos that are selected and have no result yet, decided by DuckDB.

The result table is listed and read once. Nothing is rendered, and no photo is read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from catalogue.errors import InputError
from catalogue.options import PARAMETERS, as_json, digest, merged, parse_own, suffix
from catalogue.results import LATEST, Results
from catalogue.rows import Item
from packshot import RenderOptions

_SHOWN = 10
# Object stores allow 1024 bytes of a whole name, file systems 255 of each part.
_MOST_ID_BYTES = 700
_BAD_ID = r"^/|//|/$|\\|[\x00-\x1f\x7f]|(^|/)\.{1,2}(/|$)|^_(results|sample)(/|$)|[^/]{200}"
_RESULT = "result"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does.

    Attributes:
        todo: Photos to render, columns as `Item` has them.
        bad: Rows that are no photos and have no result yet, as `Item`, with `problem`.
        selected: Photos that were selected.
        done: Of them, those that have their result.
        renewed: Of those to do, those with a result of other options or another job.
        options: Columns of the manifest that are options.
        others: Columns of the manifest that are for `--where` alone.
    """

    todo: pa.Table
    bad: pa.Table
    selected: int
    done: int
    renewed: int
    options: tuple[str, ...]
    others: tuple[str, ...]

    def items(self) -> Iterator[Item]:
        """Yield what is to do, photo by photo."""
        for batch in self.todo.to_batches(max_chunksize=10_000):
            yield from items_of(batch)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which photos are rendered, and how.

    Attributes:
        options: Of all photos.
        job: Name of the job; the same photo with the same options is rendered once in a job.
        where: SQL that picks photos by the manifest's columns and `result`, the photo's latest
            row; empty: all.
        sample: Render so many, picked evenly by their ids; None: all.
    """

    options: RenderOptions
    job: str
    where: str = ""
    sample: int | None = None


def make_plan(photos: pa.Table, results: Results, selection: Selection) -> Plan:
    """Decide what is to do.

    Args:
        photos: As `catalogue.inputs` reads them.
        results: What has been done.
        selection: Which photos.

    Raises:
        InputError: Two photos have one id or one output, `--where` is no SQL, or nothing is
            selected.
    """
    own_names = tuple(name for name in photos.column_names if name in PARAMETERS)
    others = tuple(
        name for name in photos.column_names if name not in {*PARAMETERS, "id", "input", "problem"}
    )
    with duckdb.connect() as connection:
        # A condition reads the two tables, and neither files nor addresses.
        connection.execute("SET enable_external_access = false")
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("given", _with_own(photos, own_names))
        connection.register("rows", results.reader())
        connection.execute(f"CREATE TEMP TABLE latest AS {LATEST}")
        _enter_options(connection, selection.options)
        connection.execute(_PHOTOS, {"job": selection.job, "base": digest_of(selection.options)})
        _refuse_duplicates(connection)
        _select(connection, selection)
        todo = _table(connection, _TODO + " ORDER BY id")
        bad = _table(connection, _BAD)
        return Plan(
            todo,
            bad,
            _count(connection, "SELECT count(*) FROM selected"),
            _count(connection, f"SELECT count(*) FROM selected s WHERE {_DONE}"),
            _count(connection, f"SELECT count(*) FROM ({_TODO}) WHERE id IN ({_OLDER})"),
            own_names,
            others,
        )


def digest_of(options: RenderOptions) -> str:
    """Return a name for the options of all photos."""
    return digest(merged(options, RenderOptions()))


def items_of(batch: pa.RecordBatch | pa.Table) -> list[Item]:
    """Return a table's photos."""
    columns = [batch[name].to_pylist() for name in ("id", "input", "output", "own", "work")]
    return [Item(*values) for values in zip(*columns, strict=True)]


# A row's number stands for an id that is missing, so that it has a row in the results all the same.
_PHOTOS = rf"""
CREATE TEMP TABLE photos AS
WITH named AS (
  SELECT *, coalesce(nullif(id, ''), 'row-' || row) AS name FROM given
), judged AS (
  SELECT n.* EXCLUDE (id, name, problem), n.name AS id, coalesce(n.problem, CASE
    WHEN n.id IS NULL OR n.id = '' THEN 'row ' || row || ' of the manifest has no id'
    WHEN strlen(n.id) > {_MOST_ID_BYTES} THEN
      'the id has ' || strlen(n.id) || ' bytes; allowed: {_MOST_ID_BYTES}'
    WHEN regexp_matches(n.id, '{_BAD_ID}') THEN 'the id ' || n.id || ' cannot name a file'
    WHEN input IS NULL OR input = '' THEN 'row ' || row || ' of the manifest has no input'
    END, o.problem) AS problem, o.suffix
  FROM named n JOIN own_options o USING (own)
)
SELECT *,
  id || CASE WHEN ends_with(lower(id), suffix) THEN '' ELSE suffix END AS output,
  sha256(concat_ws(chr(10), $job, $base, id, coalesce(input, ''), own)) AS work
FROM judged
"""
_COLUMNS = "id, input, output, own, work"
# What may pass is tried again; anything else is done, whatever came of it.
_DONE = "EXISTS (SELECT 1 FROM latest l WHERE l.id = s.id AND l.work = s.work AND NOT l.may_pass)"
_TODO = f"SELECT {_COLUMNS} FROM selected s WHERE problem IS NULL AND NOT {_DONE}"
_BAD = f"SELECT {_COLUMNS}, problem FROM selected s WHERE problem IS NOT NULL AND NOT {_DONE}"
_OLDER = "SELECT id FROM latest"


def _with_own(photos: pa.Table, names: tuple[str, ...]) -> pa.Table:
    """Add each photo's own options as JSON text, and its row's number from 1."""
    columns = {name: photos[name].to_pylist() for name in names}
    own = [
        as_json({name: _text(columns[name][at]) for name in names if columns[name][at] is not None})
        for at in range(photos.num_rows)
    ]
    numbers = pa.array(range(1, photos.num_rows + 1), pa.int64())
    return photos.append_column("own", pa.array(own, pa.string())).append_column("row", numbers)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _enter_options(connection: duckdb.DuckDBPyConnection, options: RenderOptions) -> None:
    """Read each combination of own options once, and tell what is wrong with it."""
    texts = [row[0] for row in connection.sql("SELECT DISTINCT own FROM given").fetchall()]
    found = [_judge(options, text) for text in texts]
    table = pa.table(
        {
            "own": pa.array(texts, pa.string()),
            "suffix": pa.array([each[0] for each in found], pa.string()),
            "problem": pa.array([each[1] for each in found], pa.string()),
        }
    )
    connection.register("own_options", table)


def _judge(options: RenderOptions, text: str) -> tuple[str, str | None]:
    try:
        both = merged(options, parse_own(text))
        digest(both)
    except (InputError, ValueError, TypeError, OSError) as exc:
        return ".jpg", f"its options cannot be: {exc}"
    return suffix(both), None


def _refuse_duplicates(connection: duckdb.DuckDBPyConnection) -> None:
    for column, what in (("id", "ids"), ("output", "outputs")):
        found = connection.sql(
            f"SELECT {column}, count(*) FROM photos WHERE problem IS NULL OR {column} = id"
            f" GROUP BY 1 HAVING count(*) > 1 ORDER BY 1"
        ).fetchall()
        if found:
            shown = ", ".join(f"{name} ({times} times)" for name, times in found[:_SHOWN])
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            raise InputError(f"{len(found)} {what} are not unique: {shown}{more}")


def _select(connection: duckdb.DuckDBPyConnection, selection: Selection) -> None:
    hidden = "own, row, suffix, output, work, problem"
    condition = f"WHERE ({selection.where})" if selection.where.strip() else ""
    sql = f"""
    CREATE TEMP TABLE selected AS
    SELECT photos.* FROM photos WHERE id IN (
      SELECT id FROM (
        SELECT p.*, l AS {_RESULT} FROM (SELECT * EXCLUDE ({hidden}) FROM photos) p
        LEFT JOIN latest l ON l.id = p.id
      ) {condition} {_sampled(selection.sample)}
    )"""
    try:
        connection.execute(sql)
    except duckdb.Error as exc:
        first = str(exc).splitlines()[0]
        raise InputError(f"--where {selection.where!r} cannot be followed: {first}") from exc
    if not _count(connection, "SELECT count(*) FROM selected"):
        raise InputError(f"--where {selection.where!r} picks no photo")


def _sampled(count: int | None) -> str:
    """Order photos by chance, though always the same way, and take so many."""
    return "" if count is None else f" ORDER BY sha256(id) LIMIT {int(count)}"


def _table(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    return connection.sql(sql).to_arrow_table()


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row: Any = connection.execute(sql).fetchall()[0]
    return int(row[0])


def short(names: tuple[str, ...], show: Callable[[str], str] = str) -> str:
    """Return names in a line, the first of many."""
    shown = ", ".join(show(name) for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
