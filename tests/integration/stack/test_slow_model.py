"""A model whose pass takes two seconds, on a machine that is busy, with the shipped settings."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from packshot import AsyncClient, PackshotError
from tests.integration.conftest import StartTriton
from tests.integration.processes import Triton
from tests.integration.stack.conftest import GatewayProcess, launch_gateway
from tests.integration.toy_models import ONE_INSTANCE, write_slow_matting
from tests.support.pictures import encode

# What is bright is the product to this model, which sees two rows of three pixels.
PIXELS = np.zeros((200, 300, 3), np.uint8)
PIXELS[:, 100:200] = 255
PHOTO = encode(PIXELS, "JPEG", quality=90)
# About two seconds on one core of a machine that has nothing else to do.
STEPS = 50
# Not a limit on speed: a busy machine may take ten times as long as a quiet one.
TIMEOUT_S = 120.0


@pytest.fixture
def triton(start_triton: StartTriton, tmp_path: Path) -> Triton:
    repository = tmp_path / "models"
    config = f"max_batch_size: 4\ndynamic_batching {{ }}\n{ONE_INSTANCE}"
    write_slow_matting(repository, config, "slow", STEPS)
    return start_triton(repository, models=("slow",))


@pytest.fixture
def busy() -> Iterator[None]:
    """Other work that wants every core."""
    burn = [sys.executable, "-c", "while True: pass"]
    burners = [subprocess.Popen(burn) for _ in range(os.cpu_count() or 1)]
    yield
    for each in burners:
        each.kill()
        each.wait()


@pytest.fixture
def gateway(triton: Triton, tmp_path: Path, busy: None) -> Iterator[GatewayProcess]:  # noqa: ARG001
    environ = {"PACKSHOT_DEFAULT_MODEL": "slow"}
    started = launch_gateway(triton, tmp_path / "gateway.log", environ)
    with started.process:
        started.process.wait_until(started.is_ready, timeout_s=TIMEOUT_S)
        yield started


async def becomes(gateway: GatewayProcess, *, ready: bool) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while await asyncio.to_thread(gateway.is_ready) is not ready:
            await asyncio.sleep(0.1)


@pytest.mark.timeout(400)
async def test_a_slow_model_is_ready_and_a_hung_triton_is_still_found(
    gateway: GatewayProcess, triton: Triton
) -> None:
    outcomes: Counter[str] = Counter()

    async def ask(client: AsyncClient, photos: int) -> None:
        for _ in range(photos):
            try:
                await client.render(PHOTO)
                outcomes["OK"] += 1
            except PackshotError as error:
                outcomes[f"{error.code.name}: {error}"] += 1

    # On its way to readiness it may say what it waits for.
    began = len(gateway.process.log)
    async with AsyncClient(gateway.target, timeout_s=TIMEOUT_S, retries=False) as client:
        await ask(client, 5)
        assert outcomes == {"OK": 5}
        await asyncio.gather(*(ask(client, 2) for _ in range(4)))
        assert outcomes == {"OK": 13}
        assert "not ready" not in gateway.process.log[began:]
        assert "circuit of model" not in gateway.process.log

        os.kill(triton.triton_pid, signal.SIGSTOP)
        try:
            await becomes(gateway, ready=False)
            with pytest.raises(PackshotError, match="does not answer at present"):
                await client.render(PHOTO)
        finally:
            with suppress(ProcessLookupError):
                os.kill(triton.triton_pid, signal.SIGCONT)
        await becomes(gateway, ready=True)
        await ask(client, 1)
        assert outcomes == {"OK": 14}
