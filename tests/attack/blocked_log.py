"""As many lines of log as callers can cause, best at a gateway whose standard error nobody reads.

`unread_log` makes such a standard error for whoever starts the gateway.
"""

import fcntl
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final
from urllib.request import urlopen

from packshot import Client, PackshotError
from tests.attack import tls_storm
from tests.attack.target import Target

_THREADS: Final = 4
_TIMEOUT_S: Final = 5.0
_PIPE_BYTES: Final = 4096


@contextmanager
def unread_log() -> Iterator[int]:
    """Make a pipe that is full after some lines and that nobody reads.

    Yields:
        The descriptor to write to: the standard error of the process under attack.
    """
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        yield writing
    finally:
        os.close(writing)
        os.close(reading)


def attack(target: Target, seconds: float) -> str:
    """Make calls that are logged, a line each, and with TLS failing handshakes, for some seconds.

    Returns:
        How many calls were answered, and how often the process said that it lives.
    """
    done: Counter[str] = Counter()
    end_s = time.monotonic() + seconds
    threads = [threading.Thread(target=_call, args=(target, end_s, done)) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    # gRPC logs each handshake that fails, from the threads that serve.
    storm = tls_storm.attack(target, seconds) if target.ca else ""
    while time.monotonic() < end_s:
        done["alive" if _is_alive(target) else "not alive"] += 1
        time.sleep(0.2)
    for thread in threads:
        thread.join()
    figures = ", ".join(f"{count} {what}" for what, count in sorted(done.items()))
    return "; ".join(filter(None, (figures, storm)))


def _call(target: Target, end_s: float, done: Counter[str]) -> None:
    with Client(
        target.address,
        ca=target.ca,
        api_key=target.api_key,
        plaintext_key=True,
        timeout_s=_TIMEOUT_S,
        retries=False,
    ) as client:
        while time.monotonic() < end_s:
            try:
                client.presets()
            except PackshotError as error:
                done[f"calls {error.code.name}"] += 1
            else:
                done["calls answered"] += 1


def _is_alive(target: Target) -> bool:
    with suppress(OSError), urlopen(f"http://{target.metrics_address}/livez", timeout=5) as reply:
        return bool(reply.read())
    return False
