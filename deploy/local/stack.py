"""Triton, the gateway and the HTTP face as child processes, started and stopped together."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.interrupt import check_interrupt
from processes.ready import answers, free_ports, is_serving, wait_until
from processes.server import ServerProcess
from processes.settings import load
from serving.host import has_nvidia_gpu
from web.config import WebConfig

# The first start installs Triton, which is a download of 55 MB.
_READY_TIMEOUT_S = 600.0
# The gateway drains for 30 s at most, and takes some seconds more where a step will not end.
_STOP_TIMEOUT_S = 45.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Stack:
    """The running stack.

    Attributes:
        target: The gateway's address.
        parts: Its processes, Triton's first.
        triton: Triton's gRPC address, where the settings name it.
        page: The page's address; empty without the HTTP face.
    """

    target: str
    parts: tuple[ServerProcess, ...]
    triton: str
    page: str = ""

    def check(self) -> None:
        """Check that every process runs.

        Raises:
            ProcessError: One has ended.
            KeyboardInterrupt: A stop is asked for.
        """
        check_interrupt()
        for part in self.parts:
            part.check()

    def wait_until_ready(self) -> None:
        """Wait until the gateway can render, and the HTTP face calls it.

        Raises:
            ProcessError: A process ended, or ten minutes passed.
            KeyboardInterrupt: A stop was asked for.
        """
        if self.page:
            wait_until(
                lambda: answers(f"{self.page}readyz"), self.check, "the page", _READY_TIMEOUT_S
            )
        wait_until(lambda: is_serving(self.target), self.check, "the gateway", _READY_TIMEOUT_S)

    def wait_until_ended(self) -> None:
        """Wait for the first process to end; raises `ProcessError` that says which.

        Raises:
            KeyboardInterrupt: A stop was asked for first.
        """
        while True:
            self.check()
            time.sleep(_POLL_S)


@contextmanager
def running_aside(log_folder: Path, *, web: bool = False) -> Iterator[Stack]:
    """Run the stack on free ports for the time of a block, beside a service that is already there.

    Args:
        log_folder: Where the processes' output goes; made if missing.
        web: Whether the HTTP face is part of it.

    Yields:
        The stack, ready to render.

    Raises:
        ProcessError: A part did not start.
    """
    log_folder.mkdir(parents=True, exist_ok=True)
    environ = os.environ | free_addresses()
    target = f"127.0.0.1:{environ['PACKSHOT_PORT']}"
    print(f"starting Triton and the gateway (logs in {log_folder})", flush=True)
    start_s = time.monotonic()
    with running(environ, target, log_folder, web=web) as stack:
        stack.wait_until_ready()
        print(f"ready after {time.monotonic() - start_s:.1f} s", flush=True)
        yield stack


@contextmanager
def running(
    environ: Mapping[str, str],
    target: str,
    log_folder: Path | None = None,
    *,
    web: bool = False,
) -> Iterator[Stack]:
    """Run the stack for the time of a block, and stop its processes after it.

    Args:
        environ: The environment of the processes; their settings are in it.
        target: The gateway's address that these settings lead to.
        log_folder: Where their output goes, a file each; None: to this one's standard error.
        web: Whether the HTTP face is part of it; it calls the gateway unless its own setting says
            otherwise.
    """
    names = ("serving", "gateway", "web") if web else ("serving", "gateway")
    with ExitStack() as stack:
        # Callers are stopped before what they call, so that their last requests are answered.
        parts = tuple(
            stack.enter_context(part(name, {"PACKSHOT_WEB_GATEWAY": target, **environ}, log_folder))
            for name in names
        )
        page = page_address(environ) if web else ""
        yield Stack(target, parts, environ.get("PACKSHOT_TRITON", ""), page)


def page_address(environ: Mapping[str, str]) -> str:
    """Return the page's address by the settings in an environment."""
    config = load(WebConfig, environ, [], prog="web")
    host = "127.0.0.1" if config.host == "0.0.0.0" else config.host  # noqa: S104
    return f"http://{host}:{config.port}/"


@contextmanager
def part(name: str, environ: Mapping[str, str], log_folder: Path | None) -> Iterator[ServerProcess]:
    """Run one process of the stack for the time of a block.

    Args:
        name: The module that runs as `python -m NAME`.
        environ: Its environment.
        log_folder: Where its output is appended, in a file NAME.log; None: to this one's.
    """
    command = [sys.executable, "-m", name]
    log = log_folder / f"{name}.log" if log_folder else None
    settings = {"PACKSHOT_DEFAULT_MODEL": best_model(gpu=has_nvidia_gpu()), **environ}
    with ServerProcess(name, command, log, environ=settings, stop_s=_STOP_TIMEOUT_S) as process:
        yield process


def best_model(*, gpu: bool, repository: Path = Path("model_repository")) -> str:
    """Return the model that suits this machine best.

    On a CPU that is the default network in integers, the fastest without a visible loss
    (`docs/precision.md`). On a GPU it is IS-Net, the best cut, where `make isnet` has built it, and
    else the default network in half precision.

    Args:
        gpu: Whether there is one.
        repository: Triton's model repository.
    """
    if gpu:
        return "isnet" if (repository / "isnet").is_dir() else "matte-fp16"
    return "matte-int8"


def free_addresses() -> dict[str, str]:
    """Return the settings of a gateway, an HTTP face and a Triton on free ports."""
    gateway, metrics, web, *triton = free_ports(6)
    return {
        "PACKSHOT_WEB_PORT": str(web),
        "PACKSHOT_PORT": str(gateway),
        "PACKSHOT_METRICS_PORT": str(metrics),
        "PACKSHOT_TRITON": f"127.0.0.1:{triton[1]}",
        "PACKSHOT_TRITON_HTTP_PORT": str(triton[0]),
        "PACKSHOT_TRITON_GRPC_PORT": str(triton[1]),
        "PACKSHOT_TRITON_METRICS_PORT": str(triton[2]),
    }
