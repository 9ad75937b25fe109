"""The fault drill: what breaks the service fires its own alert and no other, and goes again.

A real Prometheus with the committed rules, at 120 times their speed: two minutes are a second.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.local.stack import best_model
from monitoring.prometheus_server import Prometheus, running_prometheus
from monitoring.queries import firing
from packshot import AsyncClient, PackshotError
from tests.integration.conftest import StartTriton
from tests.integration.processes import ROOT, Triton
from tests.integration.stack.conftest import GatewayProcess, launch_gateway
from tests.support.pictures import encode, product_photo
from tests.support.prometheus import need

MODEL = best_model(gpu=False)
PHOTO = encode(product_photo(), "JPEG")
SPEED = 120
# Longer than any alert that a minute's fault may fire is pending.
STEADY_S = 9


@pytest.fixture
def triton(start_triton: StartTriton) -> Triton:
    return start_triton(ROOT / "model_repository", models=(MODEL,))


@pytest.fixture
def gateway(triton: Triton, tmp_path: Path) -> Iterator[GatewayProcess]:
    environ = {
        "PACKSHOT_DEFAULT_MODEL": MODEL,
        "PACKSHOT_MAX_IN_FLIGHT": "2",
        # As the rules' windows, so what the gateway asks for them must come sooner.
        "PACKSHOT_TRITON_STATE_INTERVAL_S": "1",
    }
    started = launch_gateway(triton, tmp_path / "gateway.log", environ)
    with started.process:
        started.process.wait_until(started.is_ready)
        yield started


@pytest.fixture
def prometheus(triton: Triton, gateway: GatewayProcess, tmp_path: Path) -> Iterator[Prometheus]:
    need("prometheus")
    gateways, tritons = [gateway.metrics_address], [triton.metrics_address]
    folder = tmp_path / "prometheus"
    with running_prometheus(gateways, tritons, folder, speed=SPEED, interval_s=0.5) as prometheus:
        yield prometheus


@asynccontextmanager
async def load(target: str, callers: int, photo: bytes = PHOTO) -> AsyncIterator[None]:
    """Have some callers ask all the time, whatever they are told."""
    async with AsyncClient(target, timeout_s=10, retries=False) as client:

        async def keep_asking() -> None:
            while True:
                with contextlib.suppress(PackshotError):
                    await client.render(photo)
                await asyncio.sleep(0.02)

        asking = [asyncio.create_task(keep_asking()) for _ in range(callers)]
        try:
            yield
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)


async def becomes(
    prometheus: Prometheus, wanted: set[str], timeout_s: float, *, seen: set[str]
) -> None:
    """Wait until exactly these alerts fire, and note all that fire meanwhile."""
    give_up_s = time.monotonic() + timeout_s
    while (now := set(await asyncio.to_thread(firing, prometheus.url))) != wanted:
        seen |= now
        assert time.monotonic() < give_up_s, f"{now} fire, not {wanted}; before: {seen}"
        await asyncio.sleep(0.25)
    seen |= wanted


async def drill(prometheus: Prometheus, alert: str, recover: Callable[[], Awaitable[None]]) -> None:
    """Wait for an alert, see that it stays alone, recover, and see that it goes."""
    seen: set[str] = set()
    await becomes(prometheus, {alert}, 45, seen=seen)
    until_s = time.monotonic() + STEADY_S
    while time.monotonic() < until_s:
        seen |= set(await asyncio.to_thread(firing, prometheus.url))
        await asyncio.sleep(0.25)
    assert seen == {alert}
    await recover()
    await becomes(prometheus, set(), 45, seen=seen)
    await asyncio.sleep(3)
    seen |= set(await asyncio.to_thread(firing, prometheus.url))
    assert seen == {alert}


@pytest.mark.timeout(300)
async def test_each_fault_fires_its_alert_and_no_other(
    prometheus: Prometheus, gateway: GatewayProcess, triton: Triton, start_triton: StartTriton
) -> None:
    async with load(gateway.target, 1):
        # Prometheus has just begun: until its first scrape, everything was absent.
        await asyncio.sleep(3)
        await becomes(prometheus, set(), 20, seen=set())

        async def restart() -> None:
            ports = [
                int(address.rpartition(":")[2])
                for address in (triton.http_address, triton.grpc_address, triton.metrics_address)
            ]
            await asyncio.to_thread(
                start_triton, ROOT / "model_repository", models=(MODEL,), ports=ports
            )

        triton.process.send_signal(signal.SIGKILL)
        await drill(prometheus, "PackshotTritonDown", restart)

        flood = contextlib.AsyncExitStack()
        await flood.enter_async_context(load(gateway.target, 12))
        await drill(prometheus, "PackshotRefusing", flood.aclose)

    rubbish = contextlib.AsyncExitStack()
    await rubbish.enter_async_context(load(gateway.target, 2, b"no photo"))
    await drill(prometheus, "PackshotBadInput", rubbish.aclose)
