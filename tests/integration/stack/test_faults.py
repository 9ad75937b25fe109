"""Processes are killed; the right status comes at once and the service comes back by itself."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from packshot import AsyncClient, DeadlineExceededError, PackshotError, UnavailableError
from tests.integration.conftest import StartTriton
from tests.integration.processes import Triton, launch_triton
from tests.integration.stack.conftest import GatewayProcess, launch_gateway
from tests.support.pictures import encode, sample_photo

PHOTO = encode(sample_photo(400, 300), "JPEG", quality=90)


@dataclass(frozen=True)
class Pair:
    """A Triton with a gateway before it."""

    triton: Triton
    gateway: GatewayProcess


class Fleet:
    """A Triton of the test's own, which it may kill, with a gateway before it."""

    def __init__(self, start_triton: StartTriton, root: Path, tmp_path: Path) -> None:
        self._start_triton = start_triton
        self._root = root
        self.triton = self.start_triton()
        self.gateway = launch_gateway(self.triton, tmp_path / "gateway.log")
        self.gateway.process.wait_until(self.gateway.is_ready)

    def start_triton(self, before: Triton | None = None) -> Triton:
        """Start Triton, at the ports of one before."""
        addresses = (
            (before.http_address, before.grpc_address, before.metrics_address) if before else ()
        )
        ports = tuple(int(address.rpartition(":")[2]) for address in addresses)
        return self._start_triton(self._root / "model_repository", models=("matte",), ports=ports)


@pytest.fixture
def fleet(start_triton: StartTriton, root: Path, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(start_triton, root, tmp_path)
    with fleet.gateway.process:
        yield fleet


@pytest.fixture(scope="module")
def lasting_triton(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    """A Triton for the tests after which it serves as before."""
    log = tmp_path_factory.mktemp("lasting") / "serving.log"
    triton = launch_triton(root / "model_repository", log, models=("matte",))
    with triton.process:
        triton.process.wait_until(triton.is_ready, timeout_s=300)
        yield triton


@pytest.fixture
def pair(lasting_triton: Triton, tmp_path: Path) -> Iterator[Pair]:
    gateway = launch_gateway(lasting_triton, tmp_path / "gateway.log")
    with gateway.process:
        gateway.process.wait_until(gateway.is_ready)
        yield Pair(lasting_triton, gateway)


async def seconds_until(gateway: GatewayProcess, *, ready: bool, timeout_s: float) -> float:
    """Wait until the gateway's health says so, and return how long it took."""
    start_s = time.monotonic()
    async with asyncio.timeout(timeout_s):
        while await asyncio.to_thread(gateway.is_ready) is not ready:
            await asyncio.sleep(0.02)
    return time.monotonic() - start_s


async def test_a_killed_model_process_is_noticed_and_replaced_without_a_hand(
    fleet: Fleet,
) -> None:
    outcomes: Counter[str] = Counter()
    slowest_s = 0.0
    stop = asyncio.Event()

    async def keep_asking(client: AsyncClient) -> None:
        nonlocal slowest_s
        while not stop.is_set():
            start_s = time.monotonic()
            try:
                await client.render(PHOTO)
                outcomes["OK"] += 1
            except PackshotError as error:
                outcomes[error.code.name] += 1
            slowest_s = max(slowest_s, time.monotonic() - start_s)
            await asyncio.sleep(0.05)

    async with AsyncClient(fleet.gateway.target, timeout_s=10, retries=False) as client:
        asking = [asyncio.create_task(keep_asking(client)) for _ in range(3)]
        async with asyncio.timeout(20):
            while not outcomes["OK"]:
                await asyncio.sleep(0.02)
        (stub,) = fleet.triton.stub_pids("matte")
        os.kill(stub, signal.SIGKILL)
        fell_s = await seconds_until(fleet.gateway, ready=False, timeout_s=5)
        rose_s = await seconds_until(fleet.gateway, ready=True, timeout_s=15 - fell_s)
        stop.set()
        await asyncio.gather(*asking)
        assert (await client.render(PHOTO)).model == "matte"
    print(f"model process killed: not ready after {fell_s:.2f} s, ready {rose_s:.2f} s later")
    assert set(outcomes) <= {"OK", "UNAVAILABLE"}, outcomes
    assert outcomes["OK"], outcomes
    assert outcomes["UNAVAILABLE"], outcomes
    # A dead process takes about a second to say so, and there are two attempts.
    assert slowest_s < 5


async def test_a_killed_triton_is_unavailable_at_once_and_its_successor_is_found(
    fleet: Fleet,
) -> None:
    async with AsyncClient(fleet.gateway.target, timeout_s=10, retries=False) as client:
        await client.render(PHOTO)
        os.kill(fleet.triton.triton_pid, signal.SIGKILL)
        assert fleet.triton.process.wait() == 128 + signal.SIGKILL
        start_s = time.monotonic()
        with pytest.raises(UnavailableError) as caught:
            await client.render(PHOTO)
        assert time.monotonic() - start_s < 1
        assert caught.value.reason == "INFERENCE_UNAVAILABLE"
        await seconds_until(fleet.gateway, ready=False, timeout_s=5)
        fleet.start_triton(before=fleet.triton)
        rose_s = await seconds_until(fleet.gateway, ready=True, timeout_s=15)
        assert (await client.render(PHOTO)).model == "matte"
    print(f"Triton started again: ready {rose_s:.2f} s later")


async def test_an_unloaded_model_is_unavailable_until_it_is_loaded(pair: Pair) -> None:
    async with AsyncClient(pair.gateway.target, timeout_s=20, retries=False) as client:
        with pair.triton.client() as triton:
            triton.unload_model("matte")
            with pytest.raises(UnavailableError):
                await client.render(PHOTO)
            matte = next(each for each in await client.models() if each.name == "matte")
            assert (matte.name, matte.ready) == ("matte", False)
            triton.load_model("matte")
        await seconds_until(pair.gateway, ready=True, timeout_s=15)
        assert (await client.render(PHOTO)).model == "matte"


async def test_a_hung_triton_meets_the_caller_s_deadline_and_readiness_falls(
    pair: Pair,
) -> None:
    pid = pair.triton.triton_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        async with AsyncClient(pair.gateway.target, retries=False) as client:
            with pytest.raises(DeadlineExceededError):
                await client.render(PHOTO, timeout_s=1)
            await seconds_until(pair.gateway, ready=False, timeout_s=10)
            # The circuit is open now: nobody waits for a hung Triton any longer.
            start_s = time.monotonic()
            with pytest.raises(UnavailableError) as caught:
                await client.render(PHOTO, timeout_s=30)
            assert time.monotonic() - start_s < 2
            assert caught.value.retry_after_s
    finally:
        os.kill(pid, signal.SIGCONT)
    await seconds_until(pair.gateway, ready=True, timeout_s=15)
    async with AsyncClient(pair.gateway.target, timeout_s=20, retries=False) as client:
        assert (await client.render(PHOTO)).model == "matte"
    assert pair.gateway.process.log.count("circuit of model 'matte' opens") == 1


async def test_sigterm_lets_requests_in_flight_finish(pair: Pair) -> None:
    async with AsyncClient(pair.gateway.target, timeout_s=20, retries=False) as client:
        large = encode(sample_photo(3000, 2000), "JPEG")
        under_way = asyncio.create_task(client.render(large, background="transparent"))
        await asyncio.sleep(0.05)
        pair.gateway.process.send_signal(signal.SIGTERM)
        try:
            assert (await under_way).width_px == 3000
        except PackshotError as error:  # NO_FOREGROUND is an answer as well
            assert error.reason == "NO_FOREGROUND"
        assert await asyncio.to_thread(pair.gateway.process.wait) == 0
