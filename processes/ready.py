"""Whether a server is ready, and where a new one may listen."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from packshot import Client, PackshotError
from serving.errors import ServingError

POLL_S: Final = 0.05


class ProcessError(ServingError):
    """A process cannot be started, ended on its own, did not become ready or did not stop."""


def wait_until(
    is_ready: Callable[[], bool], check: Callable[[], None], name: str, timeout_s: float
) -> float:
    """Wait until something is ready.

    Args:
        is_ready: Tells whether it is.
        check: Raises where it cannot become ready any more.
        name: What it is called.
        timeout_s: How long to wait.

    Returns:
        How long it took, s.

    Raises:
        ProcessError: The time is up.
    """
    start_s = time.monotonic()
    while True:
        check()
        if is_ready():
            return time.monotonic() - start_s
        if time.monotonic() - start_s > timeout_s:
            raise ProcessError(f"{name} was not ready within {timeout_s:g} s")
        time.sleep(POLL_S)


def answers(url: str) -> bool:
    """Tell whether an HTTP address of this machine answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  http of this machine
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


def is_serving(target: str) -> bool:
    """Tell whether the gateway at a `HOST:PORT` says that it can render, by gRPC's health check."""
    with Client(target, retries=False, timeout_s=5) as client:
        try:
            return client.healthy()
        except PackshotError:
            return False


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
