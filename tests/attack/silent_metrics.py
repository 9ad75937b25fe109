"""500 connections to the metrics port that send nothing, a byte a second, or read nothing.

Beside them a polite caller asks for what Prometheus and a supervisor ask for.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final
from urllib.request import urlopen

import psutil

from tests.attack.target import Target

CONNECTIONS: Final = 500
_POLITE_TIMEOUT_S: Final = 10.0
_PAUSE_S: Final = 1.0
# Keeps a connection open until the server has ended it.
Idle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_REQUEST: Final = b"GET /metrics HTTP/1.1\r\nHost: gateway\r\n\r\n"


def attack(target: Target, seconds: float) -> str:
    """Keep the connections open for some seconds, and open again what the server ends.

    Returns:
        How many were opened, what the polite caller heard, and the server's most threads.
    """
    return asyncio.run(_attack(target, seconds))


async def _attack(target: Target, seconds: float) -> str:
    done: Counter[str] = Counter()
    end_s = time.monotonic() + seconds
    kinds = (_stay_silent, _send_slowly, _read_nothing)
    idlers = [
        asyncio.create_task(_keep(target, kinds[number % len(kinds)], end_s, done))
        for number in range(CONNECTIONS)
    ]
    slowest_s, threads = 0.0, 0
    while time.monotonic() < end_s:
        for path in ("/livez", "/readyz", "/metrics"):
            began_s = time.monotonic()
            answered = await asyncio.to_thread(_ask, target, path)
            slowest_s = max(slowest_s, time.monotonic() - began_s)
            done["answered" if answered else "unanswered"] += 1
        threads = max(threads, _threads(target.pid))
        await asyncio.sleep(0.2)
    for idler in idlers:
        idler.cancel()
    await asyncio.gather(*idlers, return_exceptions=True)
    return (
        f"{done['opened']} connections opened, {CONNECTIONS} at once; "
        f"{done['answered']} polite requests answered, {done['unanswered']} not, "
        f"slowest {slowest_s:.2f} s; {threads} threads"
    )


async def _keep(target: Target, idle: Idle, end_s: float, done: Counter[str]) -> None:
    host, _, port = target.metrics_address.rpartition(":")
    while time.monotonic() < end_s:
        try:
            # A small limit: what is not asked for is left in the kernel.
            reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        except OSError:
            done["refused"] += 1
            await asyncio.sleep(_PAUSE_S)
            continue
        done["opened"] += 1
        try:
            with suppress(OSError):
                await idle(reader, writer)
        finally:
            writer.transport.abort()
        await asyncio.sleep(_PAUSE_S)


async def _stay_silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _send_slowly(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in _REQUEST * 100:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def _read_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_REQUEST)
    while not writer.transport.is_closing():
        await asyncio.sleep(1)


def _ask(target: Target, path: str) -> bool:
    with suppress(OSError):
        url = f"http://{target.metrics_address}{path}"
        with urlopen(url, timeout=_POLITE_TIMEOUT_S) as reply:
            return bool(reply.read())
    return False


def _threads(pid: int) -> int:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).num_threads()
    return 0
