"""A stack with accounts under a little load, and a real Prometheus that watches it."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.stack import best_model
from monitoring.prometheus_server import Prometheus, running_prometheus
from monitoring.queries import targets
from packshot import AsyncClient, PackshotError
from tests.integration.conftest import StartTriton
from tests.integration.processes import ROOT
from tests.integration.stack.conftest import GatewayProcess, launch_gateway
from tests.support.accounts import Books
from tests.support.pictures import encode, product_photo
from tests.support.prometheus import need

MODEL = best_model(gpu=False)
SPEED = 60


@dataclass(frozen=True, slots=True)
class Watched:
    """What runs.

    Attributes:
        prometheus: The Prometheus.
        gateway: What it watches.
    """

    prometheus: Prometheus
    gateway: GatewayProcess


@pytest.fixture
def watched(start_triton: StartTriton, tmp_path: Path) -> Iterator[Watched]:
    """The stack, with load until the test ends and all that there is to be seen of it."""
    need("prometheus")
    triton = start_triton(ROOT / "model_repository", models=(MODEL,))
    url = f"sqlite:///{tmp_path / 'accounts.db'}"
    environ = {"PACKSHOT_DEFAULT_MODEL": MODEL, "PACKSHOT_ACCOUNTS": url}
    gateway = launch_gateway(triton, tmp_path / "gateway.log", environ)
    with gateway.process:
        gateway.process.wait_until(gateway.is_ready)
        key = Books(url).issue(100_000)
        over = threading.Event()
        loading = threading.Thread(target=lambda: asyncio.run(_load(gateway.target, key, over)))
        with running_prometheus(
            [gateway.metrics_address],
            [triton.metrics_address],
            tmp_path / "prometheus",
            speed=SPEED,
            interval_s=1,
        ) as prometheus:
            gateway.process.wait_until(
                lambda: set(targets(prometheus.url).values()) == {"up"}, timeout_s=30
            )
            loading.start()
            try:
                yield Watched(prometheus, gateway)
            finally:
                over.set()
                loading.join()


async def _load(target: str, key: str, over: threading.Event) -> None:
    """Ask for renders of both priorities, good ones and bad ones, one by one and in a stream."""
    photo = encode(product_photo(), "JPEG")
    async with AsyncClient(target, timeout_s=10, retries=False, api_key=key) as client:
        while not over.is_set():
            with contextlib.suppress(PackshotError):
                await client.render(photo)
                await client.render(photo, priority="bulk", preset="amazon-main")
                await client.models()
                async for _ in client.render_many([photo, photo]):
                    pass
                await client.render(b"no photo")
            await asyncio.sleep(0.02)
