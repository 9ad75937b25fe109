"""The stack of a drill: Triton, and a gateway with accounts that comes back on its port."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from packshot import Client, PackshotError
from processes.ready import free_ports
from processes.server import ServerProcess
from tests.integration.processes import ROOT, Triton, launch_triton, start_server
from tests.support.accounts import Books, books_at

_MODEL = "matte-int8"


class Stack:
    """Triton and a gateway, each of which may be killed.

    Args:
        folder: For logs and accounts.
        books: The accounts.
    """

    def __init__(self, folder: Path, books: Books) -> None:
        self.books = books
        self._folder = folder
        self._ports = free_ports(2)
        self._triton_ports = free_ports(3)
        self._starts = 0
        self._renders_before = 0
        self.target = f"127.0.0.1:{self._ports[0]}"
        self._triton = self._launch_triton()
        self._gateway = self._launch_gateway()

    def wait(self) -> None:
        """Wait until a photo can be rendered."""
        self._triton.process.wait_until(self._triton.is_ready, timeout_s=300)
        self._gateway.wait_until(self._is_ready, timeout_s=120)

    @property
    def renders(self) -> int:
        """Packshots that its gateways have made; one that is killed may make a few more."""
        text = httpx.get(f"http://127.0.0.1:{self._ports[1]}/metrics", timeout=30).text
        (line,) = (line for line in text.splitlines() if line.startswith("packshot_images_total "))
        return self._renders_before + int(float(line.split()[1]))

    def kill_gateway(self) -> None:
        """Kill the gateway and start its successor."""
        self._renders_before = self.renders
        self._gateway.kill()
        self._gateway = self._launch_gateway()

    def kill_triton(self) -> None:
        """Kill Triton and start its successor."""
        os.kill(self._triton.triton_pid, signal.SIGKILL)
        self._triton.process.kill()
        self._triton = self._launch_triton()

    def stop(self) -> None:
        """End both."""
        self._gateway.kill()
        self._triton.process.kill()

    def _launch_triton(self) -> Triton:
        self._starts += 1
        return launch_triton(
            ROOT / "model_repository",
            self._folder / f"triton-{self._starts}.log",
            models=[_MODEL],
            ports=self._triton_ports,
        )

    def _launch_gateway(self) -> ServerProcess:
        self._starts += 1
        port, metrics_port = self._ports
        command = [
            *(sys.executable, "-m", "gateway", "--triton", f"127.0.0.1:{self._triton_ports[1]}"),
            *("--port", str(port), "--metrics-port", str(metrics_port)),
            *("--default-model", _MODEL, "--accounts", self.books.url, "--log-level", "WARNING"),
        ]
        log = self._folder / f"gateway-{self._starts}.log"
        return start_server("python -m gateway", command, log)

    def _is_ready(self) -> bool:
        with Client(self.target, retries=False, timeout_s=5) as client:
            try:
                return client.healthy()
            except PackshotError:
                return False


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Run a stack for the time of a block."""
    folder.mkdir(parents=True, exist_ok=True)
    with books_at(f"sqlite:///{folder}/accounts.db") as books:
        stack = Stack(folder, books)
        try:
            stack.wait()
            yield stack
        finally:
            stack.stop()
