"""The gateway before Triton on a GPU: images/s by size and processes, and the bottleneck."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.budget import Row
from benchmarks.configuration import Configuration
from benchmarks.errors import BenchmarkError
from benchmarks.gpu_serving.gauges import Load, watching
from benchmarks.load.generator import Plan
from benchmarks.load.phase import carry_out
from benchmarks.load.photos import Photo, Size, make_photos
from benchmarks.load.summary import summarise
from benchmarks.triton import Triton
from deploy.local.stack import free_addresses, part
from processes.ready import is_serving
from processes.server import ServerProcess

_READY_TIMEOUT_S = 40.0
_BUSY_SHARE = 0.85  # a side that is busier than this is said to be the bottleneck
_PROCESSES = (1, 2, 4)
_CASES = ((1.0, "jpeg"), (4.0, "jpeg"), (1.0, "png"))


def gateway_rows(triton: Triton, scratch: Path, seconds: float, *, quick: bool) -> Iterator[Row]:
    """Load 1, 2 and 4 gateways that share the cores, in closed loops.

    Args:
        triton: Serves.
        scratch: For photos and logs.
        seconds: Length of a phase, a third of which is warm-up.
        quick: Whether to leave out most.

    Yields:
        A row for each number of processes and each kind of photo.
    """
    photos = {}
    for megapixels in {size for size, _ in _CASES}:
        folder = scratch / f"photos-{megapixels:g}"
        photos[megapixels] = tuple(make_photos(Path("samples"), [Size(megapixels)], folder))
    with triton.serving(Configuration("matte-fp16", "cut", instances=2)) as served:
        for count in _PROCESSES[:2] if quick else _PROCESSES:
            with ExitStack() as stack:
                folders = [scratch / f"{count}-{number}" for number in range(count)]
                gateways = [_start(stack, triton, "cut", folder, count) for folder in folders]
                for target, gateway in gateways:
                    gateway.wait_until(partial(is_serving, target), _READY_TIMEOUT_S)
                for megapixels, output in _CASES[:1] if quick else _CASES:
                    row = {
                        "gateways": count,
                        "photo_megapixels": megapixels,
                        "output": output,
                        **{key: served[key] for key in ("variant", "model", "instances")},
                    }
                    try:
                        yield row | _ask(gateways, photos[megapixels], output, seconds)
                    except BenchmarkError as exc:
                        yield row | {"error": str(exc)[-600:]}


def _start(
    stack: ExitStack, triton: Triton, model: str, folder: Path, count: int
) -> tuple[str, ServerProcess]:
    folder.mkdir()
    cores = len(os.sched_getaffinity(0))
    environ = {
        **os.environ,
        **free_addresses(),
        "PACKSHOT_TRITON": triton.address,
        "PACKSHOT_DEFAULT_MODEL": model,
        "PACKSHOT_CPU_THREADS": str(max(1, cores // count)),
        "PACKSHOT_MAX_WAIT_S": "60",
        "PACKSHOT_MAX_IN_FLIGHT": "256",
        "PACKSHOT_MAX_PIXELS_IN_FLIGHT": "2000000000",
        "PACKSHOT_MAX_BYTES_IN_FLIGHT": str(2**30),
        "PACKSHOT_MAX_RECEIVING": "64",
    }
    return f"127.0.0.1:{environ['PACKSHOT_PORT']}", stack.enter_context(
        part("gateway", environ, folder)
    )


def _ask(
    gateways: list[tuple[str, ServerProcess]],
    photos: tuple[Photo, ...],
    output: str,
    seconds: float,
) -> Row:
    cores = len(os.sched_getaffinity(0))
    options = {"format": output} | ({"background": "white"} if output == "jpeg" else {})
    concurrency = max(2, 2 * cores // len(gateways))

    def phase(each: tuple[str, ServerProcess]) -> Any:
        plan = Plan(
            target=each[0],
            photos=photos,
            duration_s=seconds,
            concurrency=concurrency,
            timeout_s=20.0,
            options=options,
        )
        return carry_out(plan, [each[1].process.pid])

    with watching() as load, ThreadPoolExecutor(len(gateways)) as pool:
        phases = list(pool.map(phase, gateways))
    rows = [summarise({}, [one], seconds / 3) for one in phases]
    images_per_s = sum(row["images_per_s"] or 0.0 for row in rows)
    stages = {key: rows[0][key] for key in rows[0] if key.startswith("stage_")}
    return {
        "concurrency": concurrency * len(gateways),
        "images_per_s": images_per_s,
        "p50_ms": _worst(rows, "p50_ms"),
        "p95_ms": _worst(rows, "p95_ms"),
        "gateway_cpu_s_per_image": _worst(rows, "cpu_s_per_image"),
        "generator_cpu_s_per_image": _worst(rows, "generator_cpu_s_per_image"),
        "statuses": str([row["statuses"] for row in rows]),
        "bottleneck": bottleneck(load),
        **asdict(load),
        **stages,
    }


def bottleneck(load: Load) -> str:
    """Return what held a phase back: the CPU's cores, the GPU, or neither (waiting)."""
    if (load.cpu_busy_share or 0) >= _BUSY_SHARE:
        return "cpu cores"
    if (load.gpu_busy_share or 0) >= _BUSY_SHARE:
        return "gpu"
    return "neither: one process or the waiting between steps"


def _worst(rows: list[Row], key: str) -> float | None:
    return max((row[key] for row in rows if row.get(key) is not None), default=None)
