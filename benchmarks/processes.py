"""One gateway process against several: `python -m benchmarks processes`.

Both gateways stand before one Triton and take turns. The callers have a connection each, which the
kernel deals out to the processes; they run in this process, on the same cores.

What a number of cores needs follows from two figures of the gateway of one process. Its event loop
is one thread: the processor time that the thread takes for an image bounds the images of a process.
So does the time for which any thread holds the interpreter's lock, which py-spy samples where it is
installed (`pip install py-spy`; it may have to be root).
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc.aio
import psutil

from benchmarks.rounds import over_rounds
from benchmarks.table import as_table
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceStub
from processes.ready import free_ports, is_serving
from processes.server import ServerProcess
from processes.tree import family

if TYPE_CHECKING:
    from packshot.v1.packshot_pb2_grpc import PackshotServiceAsyncStub

_OPTIONS: Final = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1))
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_SAMPLES_PER_S: Final = 500
_READY_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class _Gateway:
    processes: int
    server: ServerProcess
    target: str

    def cpu_s(self) -> float:
        """Return the processor time of all its processes so far."""
        times = [process.cpu_times() for process in family([self.server.pid])]
        return sum(each.user + each.system for each in times)

    def loops_s(self) -> float:
        """Return the processor time of its event loops so far: their processes' first threads."""
        own = psutil.Process(self.server.pid)
        members = [own] if self.processes == 1 else own.children()
        return sum(_thread_s(member.pid) for member in members)

    def memory_mib(self) -> float:
        """Return its memory, what processes share counted once."""
        return sum(each.memory_full_info().pss for each in family([self.server.pid])) / 2**20


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=9, help="length of each turn")
    parser.add_argument("--connections", type=int, default=8, help="callers, a call each at a time")
    parser.add_argument("--photo", type=Path, default=Path("samples/mug.jpg"))


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure both by turns, and print medians over the rounds."""
    photo = arguments.photo.read_bytes()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        gateways = _started(stack, scratch, (1, arguments.processes))
        turns: dict[int, list[dict[str, float]]] = {each.processes: [] for each in gateways}
        for round_ in range(arguments.rounds + 1):
            for gateway in gateways if round_ % 2 else reversed(gateways):
                turn = _turn(gateway, photo, arguments.connections, arguments.seconds)
                if round_:  # the first one warms up
                    turns[gateway.processes].append(turn)
        rows: list[dict[str, Any]] = [
            {"processes": gateway.processes}
            | {name: over_rounds([turn[name] for turn in done]).middle for name in done[0]}
            | {"memory MiB": gateway.memory_mib()}
            for gateway in gateways
            for done in (turns[gateway.processes],)
        ]
        print(as_table(rows))
        lock_ms = _lock_ms(gateways[0], photo, arguments)
        if lock_ms is not None:
            print(f"\nof one process: {lock_ms:.2f} ms an image with the interpreter's lock")


def _started(stack: ExitStack, scratch: Path, numbers: tuple[int, ...]) -> list[_Gateway]:
    ports = free_ports(3 + 2 * len(numbers))
    http, triton, metrics = map(str, ports[:3])
    command = [sys.executable, "-m", "serving", "--http-port", http, "--grpc-port", triton]
    command += ["--metrics-port", metrics, "--models", "matte-int8"]
    stack.enter_context(ServerProcess("Triton", command, scratch / "triton.log"))
    gateways = []
    for place, processes in enumerate(numbers):
        port, metrics = map(str, ports[3 + 2 * place : 5 + 2 * place])
        command = [sys.executable, "-m", "gateway", "--processes", str(processes), "--port", port]
        command += ["--metrics-port", metrics, "--triton", f"127.0.0.1:{triton}"]
        # Waiting is no fault here.
        command += ["--default-model", "matte-int8", "--max-wait-s", "60"]
        server = ServerProcess("gateway", command, scratch / f"gateway-{place}.log")
        gateways.append(_Gateway(processes, stack.enter_context(server), f"127.0.0.1:{port}"))
    for gateway in gateways:
        gateway.server.wait_until(partial(is_serving, gateway.target), _READY_S)
    return gateways


def _turn(gateway: _Gateway, photo: bytes, connections: int, seconds: float) -> dict[str, float]:
    cpu_s, loops_s, start_s = gateway.cpu_s(), gateway.loops_s(), time.monotonic()
    images = asyncio.run(_render(gateway.target, photo, connections, seconds))
    taken_s = time.monotonic() - start_s
    return {
        "images/s": images / taken_s,
        "processor ms an image": (gateway.cpu_s() - cpu_s) / images * 1e3,
        "event loop ms an image": (gateway.loops_s() - loops_s) / images * 1e3,
    }


async def _render(target: str, photo: bytes, connections: int, seconds: float) -> int:
    """Render in a closed loop on each of some connections; return how many were rendered."""
    request, end_s = pb.RenderRequest(photo=photo), time.monotonic() + seconds

    async def ask() -> int:
        rendered = 0
        async with grpc.aio.insecure_channel(target, options=_OPTIONS) as channel:
            stub: PackshotServiceAsyncStub = PackshotServiceStub(channel)
            while time.monotonic() < end_s:
                await stub.Render(request, timeout=60)
                rendered += 1
        return rendered

    return sum(await asyncio.gather(*(ask() for _ in range(connections))))


def _lock_ms(gateway: _Gateway, photo: bytes, arguments: argparse.Namespace) -> float | None:
    """Return for how long an image takes the interpreter's lock; None without py-spy."""
    tool = shutil.which("py-spy")
    if tool is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        stacks = Path(scratch) / "stacks"
        command = [tool, "record", "--gil", "--nonblocking", "--pid", str(gateway.server.pid)]
        command += ["--rate", str(_SAMPLES_PER_S), "--duration", str(int(arguments.seconds))]
        command += ["--format", "raw", "--output", str(stacks)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as sampling:
            turn = _turn(gateway, photo, arguments.connections, arguments.seconds + 2)
            sampling.wait(60)
        seen = sum(int(line.rpartition(" ")[2]) for line in stacks.read_text().splitlines())
    share = seen / _SAMPLES_PER_S / int(arguments.seconds)
    return share / turn["images/s"] * 1e3


def _thread_s(pid: int) -> float:
    """Return the processor time of a process's first thread."""
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
