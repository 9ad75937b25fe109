"""Faults around the processes: one of two Tritons dies, a port stays silent, a disk is full."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from packshot import AsyncClient, Client, DeadlineExceededError, PackshotError, UnavailableError
from processes.ready import free_ports, is_serving
from tests.integration.conftest import StartTriton
from tests.integration.processes import ROOT, Triton, start_server
from tests.integration.stack.conftest import GatewayProcess, launch_gateway
from tests.support.pictures import encode, sample_photo

PHOTO = encode(sample_photo(400, 300), "JPEG", quality=90)


async def test_one_of_two_tritons_is_killed_and_no_caller_sees_it(
    start_triton: StartTriton, triton: Triton, tmp_path: Path
) -> None:
    doomed = start_triton(ROOT / "model_repository", models=("matte",))
    gateway = launch_gateway(
        f"{triton.grpc_address},{doomed.grpc_address}", tmp_path / "gateway.log"
    )
    with gateway.process:
        gateway.process.wait_until(gateway.is_ready)
        async with AsyncClient(gateway.target, timeout_s=30, retries=False) as client:
            before = doomed.statistics("matte")[0]
            await asyncio.gather(*(client.render(PHOTO) for _ in range(8)))
            assert doomed.statistics("matte")[0] > before, "gRPC gave it nothing"
            under_way = [asyncio.create_task(client.render(PHOTO)) for _ in range(12)]
            await asyncio.sleep(0.1)
            os.kill(doomed.triton_pid, signal.SIGKILL)
            # Whatever raises here has been seen by a caller.
            await asyncio.gather(*under_way)
            for _ in range(4):
                await client.render(PHOTO)
        assert gateway.is_ready()


async def test_a_sick_triton_of_two_leaves_nearly_every_caller_to_the_sound_one(
    start_triton: StartTriton, triton: Triton, tmp_path: Path
) -> None:
    sick = start_triton(ROOT / "model_repository", models=("matte",))
    gateway = launch_gateway(f"{triton.grpc_address},{sick.grpc_address}", tmp_path / "gateway.log")
    outcomes: Counter[str] = Counter()
    with gateway.process:
        gateway.process.wait_until(gateway.is_ready)
        async with AsyncClient(gateway.target, timeout_s=30, retries=False) as client:
            (stub,) = sick.stub_pids("matte")
            os.kill(stub, signal.SIGKILL)
            for _ in range(20):
                try:
                    await client.render(PHOTO)
                    outcomes["OK"] += 1
                except PackshotError as error:
                    outcomes[error.code.name] += 1
    print(f"one of two Tritons sick: {dict(outcomes)}")
    # Half would be what the turns alone bring.
    assert set(outcomes) <= {"OK", "UNAVAILABLE"}, outcomes
    assert outcomes["OK"] >= 16, outcomes


async def test_a_port_that_accepts_and_stays_silent_costs_a_deadline_at_most(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole:
        address = f"127.0.0.1:{hole.getsockname()[1]}"
        gateway = launch_gateway(address, tmp_path / "gateway.log")
        with gateway.process:
            gateway.process.wait_until(lambda: answers(gateway))
            async with AsyncClient(gateway.target, retries=False) as client:
                start_s = time.monotonic()
                with pytest.raises((DeadlineExceededError, UnavailableError)):
                    await client.render(PHOTO, timeout_s=1)
                assert time.monotonic() - start_s < 3
            assert not gateway.is_ready()


def answers(gateway: GatewayProcess) -> bool:
    """Whether a gateway listens, ready or not."""
    with Client(gateway.target, retries=False, timeout_s=5) as client:
        try:
            client.healthy()
        except PackshotError:
            return False
    return True


def test_a_full_disk_under_the_logs_fails_no_request_and_ends_nothing() -> None:
    gateway_port, metrics, *triton_ports = free_ports(5)
    http, grpc, triton_metrics = triton_ports
    serving = [
        *("-m", "serving", "--models", "matte", "--http-port", str(http)),
        *("--grpc-port", str(grpc), "--metrics-port", str(triton_metrics)),
    ]
    gateway = [
        *("-m", "gateway", "--triton", f"127.0.0.1:{grpc}"),
        *("--port", str(gateway_port), "--metrics-port", str(metrics)),
    ]
    full = Path("/dev/full")
    with (
        start_server("python -m serving", [sys.executable, *serving], full) as triton,
        start_server("python -m gateway", [sys.executable, *gateway], full) as front,
    ):
        front_address = f"127.0.0.1:{gateway_port}"
        with Client(front_address, retries=False, timeout_s=30) as client:
            front.wait_until(lambda: is_serving(front_address), 120)
            for _ in range(3):
                assert client.render(PHOTO).model == "matte"
            with pytest.raises(PackshotError) as caught:
                client.render(b"no photo")
            assert caught.value.reason == "INVALID_PHOTO"
        assert triton.is_running()
        assert front.is_running()
        assert front.stop() == 0
        assert triton.stop() == 0
