import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from gateway.app import Gateway
from gateway.config import GatewayConfig
from tests.support.accounts import Books, books_at
from tests.support.faces import serving_face
from tests.support.fake_inference import FakeInferenceServer
from web.config import WebConfig


@pytest.fixture
def inference() -> FakeInferenceServer:
    return FakeInferenceServer()


@pytest.fixture
def gateway_config() -> GatewayConfig:
    return GatewayConfig(
        port=0,
        metrics_port=0,
        cpu_threads=2,
        max_wait_s=30,
        decode_workers=0,
        probe_interval_s=0.05,
    )


@pytest.fixture
async def gateway(
    gateway_config: GatewayConfig, inference: FakeInferenceServer
) -> AsyncIterator[Gateway]:
    """A real gateway on a real port, with the fake behind its seam."""
    gateway = Gateway(gateway_config, inference)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
def config(gateway: Gateway) -> WebConfig:
    return WebConfig(
        gateway=f"127.0.0.1:{gateway.port}", max_photo_bytes=200_000, max_bytes_in_flight=1_000_000
    )


@pytest.fixture
async def http(config: WebConfig) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a real face before the gateway."""
    async with (
        serving_face(config) as url,
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with books_at(f"sqlite:///{tmp_path}/accounts.db") as books:
        yield books


@pytest.fixture
async def keyed(
    books: Books, gateway_config: GatewayConfig, inference: FakeInferenceServer
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a face before a gateway that keeps accounts."""
    gateway = Gateway(dataclasses.replace(gateway_config, accounts=books.url), inference)
    await gateway.start()
    config = WebConfig(gateway=f"127.0.0.1:{gateway.port}")
    async with (
        serving_face(config) as url,
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client,
    ):
        yield client
    await gateway.stop()
