"""What a job brings beside a closed loop of the client, and what it costs interactive callers."""

import asyncio
import statistics
import time
from pathlib import Path

from catalogue.places import Place
from catalogue.results import Results
from packshot import AsyncClient
from tests.catalogue_drill.drill import WORKERS, arguments_of, hold
from tests.catalogue_drill.run import JobProcess, count_files
from tests.catalogue_drill.stack import Stack

_WINDOW = 16
_PAUSE_S = 0.25
_ROUNDS = 3


async def efficiency(stack: Stack, photos: Path, count: int, folder: Path, batch: int) -> None:
    """Compare a job's pace with that of `render_many`, which writes its packshots as well.

    Args:
        stack: The service.
        photos: The input.
        count: Photos in it.
        folder: For the outputs.
        batch: Photos of a batch.
    """
    ratios = []
    for number in range(_ROUNDS):
        loop = await _closed_loop(stack, photos, folder / f"loop-{number}")
        output = folder / f"job-{number}"
        await asyncio.to_thread(hold, stack, photos, count, output, [], batch)
        job = _pace(output)
        ratios.append(job / loop)
        print(f"round {number}: job {job:.1f}, render_many {loop:.1f} photos a second", flush=True)
    print(
        f"job over render_many: {', '.join(f'{each:.2f}' for each in ratios)}; "
        f"median {statistics.median(ratios):.2f}",
        flush=True,
    )


async def beside(stack: Stack, photos: Path, output: Path, seconds: float) -> None:
    """Measure what an interactive caller waits, without a job and beside one."""
    photo = next(path for path in sorted(photos.rglob("photo*.jpg"))).read_bytes()
    key = stack.books.issue(1_000_000)
    async with AsyncClient(stack.target, api_key=key, timeout_s=60) as client:
        await _waits(client, photo, 5.0)
        alone = await _waits(client, photo, seconds)
        arguments = arguments_of(stack, photos, output, 32)
        job = JobProcess(arguments, output.with_suffix(".log"), {"PACKSHOT_API_KEY": key})
        try:
            while count_files(output) < 2 * _WINDOW:
                assert job.status is None, output.with_suffix(".log").read_text()
                await asyncio.sleep(0.2)
            before = count_files(output)
            with_job = await _waits(client, photo, seconds)
            pace = (count_files(output) - before) / seconds
            assert job.status is None, "the job ended before the measurement"
        finally:
            job.end()
    print(
        f"interactive alone: {_told(alone)}; beside a job at {pace:.1f} photos a second: "
        f"{_told(with_job)}; p99 {_p99(with_job) / _p99(alone):.2f} times",
        flush=True,
    )


async def _closed_loop(stack: Stack, photos: Path, output: Path) -> float:
    """Render photos by one client, and return the pace of those between the first and the last."""
    output.mkdir(parents=True)
    paths = sorted(photos.rglob("photo*.jpg"))
    key = stack.books.issue(2 * len(paths))
    times = []
    async with AsyncClient(stack.target, api_key=key) as client:
        async for each in client.render_many(
            paths, window=WORKERS * _WINDOW, preset="amazon-main", size=512, priority="bulk"
        ):
            assert each.packshot, each.error
            (output / f"{each.index}.jpg").write_bytes(each.packshot.picture)
            times.append(time.monotonic())
    return (len(times) - 1) / (times[-1] - times[0])


def _pace(output: Path) -> float:
    """Return a job's photos a second between its first and its last packshot."""
    rows = Results(Place(str(output))).rows().to_table(columns=["status", "finished_at"])
    times = sorted(row["finished_at"] for row in rows.to_pylist() if row["status"] == "ok")
    return float((len(times) - 1) / (times[-1] - times[0]).total_seconds())


async def _waits(client: AsyncClient, photo: bytes, seconds: float) -> list[float]:
    """Ask again and again with a pause, and return how long each answer took, s."""
    waits = []
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        start_s = time.monotonic()
        await client.render(photo, preset="amazon-main", size=512)
        waits.append(time.monotonic() - start_s)
        await asyncio.sleep(_PAUSE_S)
    return waits


def _p99(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=100)[98]


def _told(waits: list[float]) -> str:
    return (
        f"{len(waits)} answers, median {statistics.median(waits) * 1000:.0f} ms, "
        f"p99 {_p99(waits) * 1000:.0f} ms"
    )
