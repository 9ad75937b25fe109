"""The result table: Parquet files below the output, written by workers, read by the next run.

A batch has one part, under a name that follows from its photos. It is replaced, whole, by a larger
one as they finish, so a worker that is killed loses little, and whoever is given the batch next
goes on from there. A photo that is rendered again has a later row in another part; the latest
counts, and `compact` leaves that alone.
"""

import hashlib
import io
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import FSSpecHandler, PyFileSystem

from catalogue.places import Place
from catalogue.rows import SCHEMA

FOLDER = "_results"
_SUFFIX = ".parquet"
# Parts with fewer rows are merged at a job's end, into parts of so many.
_MERGED_ROWS = 50_000
_ENOUGH_PARTS = 16
_SMALL_ROWS = 1000

# The one row of each photo that counts.
LATEST = (
    "SELECT * FROM rows QUALIFY row_number() OVER "
    "(PARTITION BY id ORDER BY finished_at DESC, attempts DESC) = 1"
)


class Results:
    """The result table of one output. It may be pickled.

    Args:
        output: The output's folder.
    """

    def __init__(self, output: Place) -> None:
        self._output = output

    def parts(self) -> list[str]:
        """List the names of the parts."""
        return self._output.files(FOLDER, _SUFFIX)

    def rows(self) -> ds.Dataset:
        """Return all rows, superseded ones as well; only what is asked for is read."""
        return self._dataset(self.parts())

    def reader(self) -> pa.RecordBatchReader:
        """Return all rows for one query of DuckDB."""
        return _reader(self.rows())

    def read(self, part: str) -> pa.Table:
        """Read one part; without rows if there is none."""
        if not self._output.exists(f"{FOLDER}/{part}"):
            return SCHEMA.empty_table()
        data = self._output.read(f"{FOLDER}/{part}", 2**31)
        return pq.read_table(io.BytesIO(data)).cast(SCHEMA)

    def write(self, part: str, table: pa.Table) -> None:
        """Write one part, whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        sink = io.BytesIO()
        # Parts that are written often are small, and zstd takes them three times the time.
        compression = "zstd" if table.num_rows > _SMALL_ROWS else "snappy"
        pq.write_table(table, sink, compression=compression)
        self._output.write(f"{FOLDER}/{part}", sink.getvalue())

    def compact(self) -> int:
        """Merge small parts and drop superseded rows; safe to be broken off at any moment.

        Returns:
            How many rows there are.
        """
        parts = self.parts()
        counts = {part: self._count(part) for part in parts}
        total = sum(counts.values())
        unique = self._count_ids(parts)
        small = [part for part in parts if counts[part] < _MERGED_ROWS // 2]
        superseded = total > unique
        if superseded or len(small) > _ENOUGH_PARTS:
            old = parts if superseded else small
            for table in self._merged(old):
                self.write(f"part-{uuid.uuid4().hex}{_SUFFIX}", table)
            for part in old:
                self._output.delete(f"{FOLDER}/{part}")
        return unique

    def _count(self, part: str) -> int:
        return int(self._dataset([part]).count_rows())

    def _count_ids(self, parts: list[str]) -> int:
        with duckdb.connect() as connection:
            connection.register("ids", _reader(self._dataset(parts), ["id"]))
            return int(_one(connection.execute("SELECT count(DISTINCT id) FROM ids")))

    def _merged(self, parts: list[str]) -> Iterator[pa.Table]:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("rows", _reader(self._dataset(parts)))
            reader = connection.sql(f"{LATEST} ORDER BY id").to_arrow_reader(_MERGED_ROWS)
            waiting: list[pa.RecordBatch] = []
            for batch in reader:
                waiting.append(batch)
                if sum(each.num_rows for each in waiting) >= _MERGED_ROWS:
                    yield pa.Table.from_batches(waiting).cast(SCHEMA)
                    waiting = []
            if waiting:
                yield pa.Table.from_batches(waiting).cast(SCHEMA)

    def _dataset(self, parts: Iterable[str]) -> ds.Dataset:
        filesystem = PyFileSystem(FSSpecHandler(self._output.filesystem))
        paths = [self._output.inside(f"{FOLDER}/{part}") for part in parts]
        if not paths:
            return ds.dataset(SCHEMA.empty_table())
        return ds.dataset(paths, schema=SCHEMA, format="parquet", filesystem=filesystem)


def _reader(rows: ds.Dataset, columns: list[str] | None = None) -> pa.RecordBatchReader:
    """Read rows for one query of DuckDB.

    DuckDB's own reading of a dataset can stand still for ever: it waits for Arrow's threads, and
    these wait for Python, in which the file system is written.
    """
    return rows.scanner(columns=columns, use_threads=False).to_reader()


def part_name(run: str, works: Iterable[str]) -> str:
    """Return the name of a batch's part: the same where one run gives the batch out twice.

    Args:
        run: Name of the run.
        works: What names the batch's renders.
    """
    names = hashlib.sha256("\n".join((run, *works)).encode())
    return f"part-{names.hexdigest()[:32]}{_SUFFIX}"


def _one(relation: Any) -> Any:
    return relation.fetchall()[0][0]
