import dataclasses
from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.rendering.workers import PriorityWorkers
from packshot import AsyncClient
from tests.support.clock import Clock
from tests.support.fake_inference import FakeInferenceServer


@pytest.fixture
def inference() -> FakeInferenceServer:
    return FakeInferenceServer()


@pytest.fixture
def config() -> GatewayConfig:
    return GatewayConfig(
        port=0,
        metrics_port=0,
        max_in_flight=4,
        cpu_threads=2,
        max_wait_s=10,  # a busy test machine is slow, and only tests of overload want to be refused
        decode_workers=0,  # their start is no test's business but their own's
        probe_interval_s=0.05,
        triton_state_interval_s=0.05,
    )


@pytest.fixture
async def gateway(config: GatewayConfig, inference: FakeInferenceServer) -> AsyncIterator[Gateway]:
    """A real gateway on a real port, with the fake behind its seam."""
    gateway = Gateway(config, inference)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(f"127.0.0.1:{gateway.port}", timeout_s=10, retries=False) as client:
        yield client


@pytest.fixture
def small_limits(config: GatewayConfig) -> GatewayConfig:
    return dataclasses.replace(config, max_photo_bytes=100_000, max_photo_pixels=200_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workers() -> Iterator[PriorityWorkers]:
    workers = PriorityWorkers(1, "test")
    workers.start()
    yield workers
    workers.shutdown()
