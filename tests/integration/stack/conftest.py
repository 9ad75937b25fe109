"""The real gateway on the real Triton, as processes."""

import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from packshot import AsyncClient
from processes.ready import answers, free_ports, is_serving
from processes.server import ServerProcess
from tests.integration.processes import Triton, start_server
from tests.support.accounts import Books, books_at
from tests.support.postgres import NoPostgresError, TemporaryPostgres, temporary_postgres


@dataclass
class GatewayProcess:
    """A running `python -m gateway`.

    Attributes:
        process: The command's process.
        target: Its gRPC address.
        metrics_address: `HOST:PORT` of its metrics.
    """

    process: ServerProcess
    target: str
    metrics_address: str

    def is_ready(self) -> bool:
        """Whether its health says SERVING."""
        return is_serving(self.target)


def launch_gateway(
    triton: Triton | str, log_path: Path, environ: Mapping[str, str] | None = None
) -> GatewayProcess:
    """Start a gateway before a Triton, or before addresses, without waiting for it."""
    port, metrics_port = free_ports(2)
    addresses = triton if isinstance(triton, str) else triton.grpc_address
    command = [
        *(sys.executable, "-m", "gateway", "--triton", addresses),
        *("--port", str(port), "--metrics-port", str(metrics_port)),
    ]
    process = start_server("python -m gateway", command, log_path, environ)
    return GatewayProcess(process, f"127.0.0.1:{port}", f"127.0.0.1:{metrics_port}")


@pytest.fixture(scope="session")
def gateway(triton: Triton, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway before the shared Triton, shared by all tests."""
    started = launch_gateway(triton, tmp_path_factory.mktemp("gateway") / "gateway.log")
    with started.process:
        started.process.wait_until(started.is_ready)
        yield started


@dataclass
class FaceProcess:
    """A running `python -m web`.

    Attributes:
        process: The command's process.
        url: Its address, without a slash at the end.
        target: The gateway's gRPC address.
    """

    process: ServerProcess
    url: str
    target: str

    def is_ready(self) -> bool:
        """Whether it says so."""
        return answers(f"{self.url}/readyz")


def launch_face(
    target: str, log_path: Path, environ: Mapping[str, str] | None = None
) -> FaceProcess:
    """Start the HTTP face before a gateway without waiting for it."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "web", "--gateway", target, "--port", str(port)]
    process = start_server("python -m web", command, log_path, environ)
    return FaceProcess(process, f"http://127.0.0.1:{port}", target)


@pytest.fixture(scope="session")
def face(
    gateway: GatewayProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaceProcess]:
    """The HTTP face before the shared gateway, shared by all tests."""
    started = launch_face(gateway.target, tmp_path_factory.mktemp("web") / "web.log")
    with started.process:
        started.process.wait_until(started.is_ready)
        yield started


@pytest.fixture
async def client(gateway: GatewayProcess) -> AsyncIterator[AsyncClient]:
    """A client of the shared gateway that repeats nothing."""
    async with AsyncClient(gateway.target, timeout_s=60, retries=False) as client:
        yield client


@pytest.fixture(scope="session")
def samples(root: Path) -> list[Path]:
    """The repository's own photos."""
    return sorted((root / "samples").glob("*.jpg"))


@pytest.fixture(scope="module")
def postgres() -> Iterator[TemporaryPostgres]:
    try:
        with temporary_postgres() as postgres:
            yield postgres
    except NoPostgresError as error:
        if os.environ.get("PACKSHOT_TEST_STRICT"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def books(postgres: TemporaryPostgres) -> Iterator[Books]:
    with books_at(postgres.url) as books:
        yield books
