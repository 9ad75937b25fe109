"""A gateway in a process of its own, before the fake inference server, for what may end a process.

python -m tests.support.lone_gateway OPEN_FILES SETTINGS (of GatewayConfig, as JSON)

It prints its two ports once they are bound.
"""

import asyncio
import json
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from gateway.app import Gateway
from gateway.config import GatewayConfig
from processes.logs import LogFormat, set_up_logging
from tests.support.fake_inference import FakeInferenceServer


class LoneGateway:
    """Such a process, started.

    Attributes:
        process: The process.
        port: Its gRPC port.
        metrics_port: Its port of metrics and readiness.
    """

    def __init__(self, process: "subprocess.Popen[str]", output: IO[str]) -> None:
        self.process = process
        self.port, self.metrics_port = map(int, output.readline().split())

    def workers(self) -> list[int]:
        """Return the process ids of what it has started."""
        return [child.pid for child in psutil.Process(self.process.pid).children()]


@contextmanager
def lone_gateway(
    root: Path,
    log: Path,
    *,
    open_files: int = 1024,
    settings: Mapping[str, object] | None = None,
) -> Iterator[LoneGateway]:
    """Run one in a block, at whose end it is gone.

    Args:
        root: The repository.
        log: The file that its log goes to.
        open_files: Its limit of descriptors.
        settings: Of `GatewayConfig`, by field.
    """
    words = [str(open_files), json.dumps(dict(settings or {}))]
    with log.open("w") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.lone_gateway", *words],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=lines,
            text=True,
            start_new_session=True,
        )
    with process:
        try:
            assert process.stdout is not None
            yield LoneGateway(process, process.stdout)
        finally:
            if process.poll() is None:
                process.kill()


async def _run(config: GatewayConfig) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    gateway = Gateway(config, FakeInferenceServer())
    await gateway.start()
    print(gateway.port, gateway.metrics_port, flush=True)
    await stop.wait()
    await gateway.stop()


def main() -> None:
    """Run until SIGTERM."""
    open_files, settings = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(open_files),) * 2)
    set_up_logging("INFO", LogFormat.CONSOLE)
    config = GatewayConfig(
        **{"port": 0, "metrics_port": 0, "probe_interval_s": 0.1, "max_wait_s": 60}
        | json.loads(settings)
    )
    asyncio.run(_run(config))


if __name__ == "__main__":
    main()
