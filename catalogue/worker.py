"""What a Ray actor does: photos of a batch through the gateways, their rows into one part.

An actor has one event loop on a thread of its own, with one stream to each gateway. Ray calls it
from two threads, a batch each, so that the streams have photos while a batch comes to its end.
"""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psutil
import pyarrow as pa

from catalogue.gateways import Gateways
from catalogue.orders import Connection
from catalogue.photo import PhotoRenderer
from catalogue.places import Place
from catalogue.plan import items_of
from catalogue.results import Results, part_name
from catalogue.rows import FAILED, OK, as_table
from packshot import RenderOptions

# Batches that one actor works on at once.
CALLS = 2
_THREADS = 16
# A killed worker loses the rows of photos that finished since its part was written.
_WRITE_EVERY_S = 0.5

# What a batch tells the driver; rows never travel there.
TALLY = pa.schema(
    [
        (OK, pa.int64()),
        (FAILED, pa.int64()),
        ("repeats", pa.list_(pa.string())),  # why photos were sent again, once for each time
        ("output_bytes", pa.int64()),
        ("stopped", pa.string()),  # why the job cannot go on; null while it can
        ("resident_bytes", pa.int64()),  # memory of the actor's process
    ]
)


@dataclass(frozen=True, slots=True)
class Work:
    """What an actor is told; it travels to other machines.

    Attributes:
        connection: How the gateways are reached.
        options: Of all photos.
        output: Where packshots and results go.
        job: Name of the job.
        run: Name of this run of it.
    """

    connection: Connection
    options: RenderOptions
    output: Place
    job: str
    run: str


class Worker:
    """Renders batches of photos.

    Args:
        work: What to do.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._results = Results(work.output)
        self._threads = ThreadPoolExecutor(_THREADS)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._gateways, self._photos = self._wait_for(self._begin())

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Render a batch, columns as `Item` has them; return its tally, one row."""
        table = self._wait_for(self._render(batch))
        return _tally(table, str(self._gateways.stopped) if self._gateways.stopped else None)

    def close(self) -> None:
        """End the streams and the thread."""
        self._wait_for(self._gateways.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._threads.shutdown()

    async def _begin(self) -> tuple[Gateways, PhotoRenderer]:
        work = self._work
        gateways = Gateways(work.connection, work.options)
        # As many more as are sent: photos that are read ahead, or whose packshot is written.
        room = 2 * work.connection.window * len(work.connection.targets)
        photos = PhotoRenderer(gateways, work.options, work.output, work.job, self._threads, room)
        return gateways, photos

    async def _render(self, batch: pa.Table) -> pa.Table:
        items = items_of(batch)
        part = part_name(self._work.run, (item.work for item in items))
        # Ray gives a batch out again when it has lost a worker; the part has what that had done.
        table = await self._aside(self._results.read, part)
        done = set(table["work"].to_pylist())
        waiting = {
            asyncio.create_task(self._photos.render(item))
            for item in items
            if item.work not in done
        }
        try:
            while waiting:
                finished, waiting = await asyncio.wait(waiting, timeout=_WRITE_EVERY_S)
                rows = [row for task in finished if (row := task.result()) is not None]
                if rows:
                    table = pa.concat_tables([table, as_table(rows)])
                    await self._aside(self._results.write, part, table)
        finally:
            for task in waiting:
                task.cancel()
        return table

    async def _aside(self, work: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _wait_for(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _tally(table: pa.Table, stopped: str | None) -> pa.Table:
    statuses = table["status"].to_pylist()
    told = {
        OK: statuses.count(OK),
        FAILED: statuses.count(FAILED),
        "repeats": [cause for causes in table["sent_again_for"].to_pylist() for cause in causes],
        "output_bytes": sum(each or 0 for each in table["output_bytes"].to_pylist()),
        "stopped": stopped,
        "resident_bytes": psutil.Process().memory_info().rss,
    }
    return pa.Table.from_pylist([told], schema=TALLY)
