"""A polite caller elsewhere is served while another one attacks, with the shipped settings."""

import asyncio
import contextlib
import importlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from packshot import AsyncClient, PackshotError
from tests.attack.target import Target
from tests.integration.processes import Triton
from tests.integration.stack.conftest import GatewayProcess, launch_gateway
from tests.support.pictures import encode, sample_photo

PHOTO = encode(sample_photo(900, 700), "JPEG", quality=90)
ATTACK_S = 12.0
# Of a polite caller's errands, at least so many succeed.
SHARE = 0.95


@contextlib.asynccontextmanager
async def address_elsewhere(target: str) -> AsyncIterator[str]:
    """An address that leads to a gateway, which sees its callers come from 127.0.0.2."""
    host, _, port = target.rpartition(":")
    leading = set[asyncio.Task[None] | None]()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        leading.add(asyncio.current_task())
        there = await asyncio.open_connection(host, int(port), local_addr=("127.0.0.2", 0))
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    server = await asyncio.start_server(lead, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await asyncio.gather(*(each for each in leading if each))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["costly_scenes", "cancellers"])
async def test_a_polite_caller_is_served_beside_one_that_attacks(
    triton: Triton, tmp_path: Path, name: str
) -> None:
    started = launch_gateway(triton, tmp_path / "gateway.log")
    with started.process:
        started.process.wait_until(started.is_ready)
        outcomes, said = await attacked(started, name)
    print(f"{said}; polite: {dict(outcomes)}")
    assert outcomes.total() >= 3
    assert outcomes["OK"] >= SHARE * outcomes.total(), (outcomes, said)
    assert "RESOURCE_EXHAUSTED" in said


async def attacked(gateway: GatewayProcess, name: str) -> tuple[Counter[str], str]:
    """Ask politely, one photo after another, before an attack and for as long as it lasts."""
    outcomes: Counter[str] = Counter()
    attack = importlib.import_module(f"tests.attack.{name}").attack
    target = Target(gateway.target, gateway.metrics_address, gateway.process.pid)

    async def ask(client: AsyncClient) -> None:
        try:
            await client.render(PHOTO)
            outcomes["OK"] += 1
        except PackshotError as error:
            outcomes[f"{error.code.name}: {error}"] += 1

    async with (
        address_elsewhere(gateway.target) as address,
        AsyncClient(address, timeout_s=60, retries=False) as client,
    ):
        for _ in range(20):  # what a photo takes must be known before it can be foretold
            await ask(client)
        assert outcomes == {"OK": 20}
        outcomes.clear()
        attacking = asyncio.create_task(asyncio.to_thread(attack, target, ATTACK_S))
        while not attacking.done():
            await ask(client)
        return outcomes, await attacking
