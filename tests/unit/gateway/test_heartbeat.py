"""Liveness and readiness tell of an event loop that is stuck, since another loop answers for it."""

import asyncio
import threading
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from gateway.app import Gateway
from tests.support import scrape


def status(gateway: Gateway, path: str) -> int:
    try:
        with urlopen(f"http://127.0.0.1:{gateway.metrics_port}{path}", timeout=20) as reply:
            return int(reply.status)
    except HTTPError as error:
        return error.code


async def until_ready(gateway: Gateway) -> None:
    async with asyncio.timeout(20):
        while await asyncio.to_thread(status, gateway, "/readyz") != 200:
            await asyncio.sleep(0.02)


async def test_a_stuck_event_loop_is_neither_ready_nor_alive(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.observability.heartbeat.READY_WITHIN_S", 0.5)
    monkeypatch.setattr("gateway.observability.heartbeat.ALIVE_WITHIN_S", 1.0)
    await until_ready(gateway)
    assert status_now(gateway) == (200, 200, 1.0)
    seen: list[tuple[int, int, float]] = []
    stuck = threading.Event()

    def watch() -> None:
        """Let the loop go on once it is said to be dead."""
        for _ in range(200):
            seen.append(status_now(gateway))
            if seen[-1][1] == 503 or stuck.wait(0.05):
                break
        stuck.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert stuck.wait(60)
    watcher.join()
    assert seen[-1] == (503, 503, 0.0)
    await until_ready(gateway)
    assert status_now(gateway) == (200, 200, 1.0)


def status_now(gateway: Gateway) -> tuple[int, int, float]:
    metrics = f"127.0.0.1:{gateway.metrics_port}"
    ready = scrape.total(metrics, "packshot_ready")
    return status(gateway, "/readyz"), status(gateway, "/livez"), ready
