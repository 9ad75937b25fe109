"""How busy the GPU and the CPU cores are, and which processes hold the GPU's memory."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

import psutil

from benchmarks.machine import ask

_QUERY = "utilization.gpu,memory.used,power.draw,clocks.sm"
_EVERY_MS = 200


@dataclass
class Load:
    """How busy the machine was; None: it could not be seen."""

    gpu_busy_share: float | None = None  # share of the time in which a kernel ran
    gpu_memory_bytes: float | None = None  # at its highest
    gpu_power_w: float | None = None  # mean
    gpu_clock_mhz: float | None = None  # mean of the multiprocessors' clock
    cpu_busy_share: float | None = None  # of all cores' time
    # That this process may use
    cores: int = field(default_factory=lambda: len(psutil.Process().cpu_affinity() or ()))


@contextmanager
def watching() -> Iterator[Load]:
    """Watch the machine for the time of a block; the figures are there when it ends."""
    load = Load()
    before = psutil.cpu_times()
    start_s = time.monotonic()
    with tempfile.TemporaryFile("w+") as told:
        process = None
        if smi := shutil.which("nvidia-smi"):
            process = subprocess.Popen(
                [
                    smi,
                    f"--query-gpu={_QUERY}",
                    "--format=csv,noheader,nounits",
                    f"-lms={_EVERY_MS}",
                ],
                stdout=told,
                stderr=subprocess.DEVNULL,
            )
        try:
            yield load
        finally:
            if process:
                process.terminate()
                process.wait()
        after = psutil.cpu_times()
        idle_s = (after.idle - before.idle) + (after.iowait - before.iowait)
        wall_s = (time.monotonic() - start_s) * (psutil.cpu_count() or 1)
        load.cpu_busy_share = max(0.0, 1 - idle_s / wall_s)
        told.seek(0)
        _read(told.read(), load)


def processes_on_gpu() -> list[dict[str, Any]]:
    """List the processes that hold memory of a GPU, by `nvidia-smi`: pid, name, bytes."""
    query = "--query-compute-apps=pid,process_name,used_memory"
    said = ask(["nvidia-smi", query, "--format=csv,noheader,nounits"])
    found = []
    for line in said.splitlines():
        pid, name, used = (part.strip() for part in line.split(",", 2))
        used_bytes = float(used) * 2**20 if used.replace(".", "").isdecimal() else None
        found.append({"pid": int(pid), "process": name, "gpu_memory_bytes": used_bytes})
    return found


def _read(text: str, load: Load) -> None:
    rows = []
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == len(_QUERY.split(",")):
            try:
                rows.append([float(part) for part in parts])
            except ValueError:
                continue  # "[N/A]", or a line that was cut off
    if rows:
        busy, memory, power, clock = zip(*rows, strict=True)
        load.gpu_busy_share = mean(busy) / 100
        load.gpu_memory_bytes = max(memory) * 2**20
        load.gpu_power_w, load.gpu_clock_mhz = mean(power), mean(clock)
