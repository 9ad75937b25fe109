"""Bulk work beside interactive callers on the real stack, with the shipped limits on the wait."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from PIL import Image

from packshot import AsyncClient, OverloadedError
from tests.integration.processes import Triton
from tests.integration.stack.conftest import GatewayProcess, launch_gateway
from tests.support.pictures import encode, encode_image, sample_photo

PHOTO = encode(sample_photo(900, 700), "JPEG", quality=90)
# It keeps its own cut: a pass may be slow on a busy machine, and would leave bulk work its core.
CUT_PHOTO = encode_image(Image.new("RGBA", (1800, 1400), (90, 120, 40, 128)), "PNG")
# What runs while one interactive photo after the other is rendered.
_PHOTOS = 30
_FEW = 6


@pytest.fixture(scope="module")
def one_core(triton: Triton, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway that has one core, so that an interactive render leaves none to bulk work."""
    log_path = tmp_path_factory.mktemp("turns") / "gateway.log"
    started = launch_gateway(triton, log_path, {"PACKSHOT_CPU_THREADS": "1"})
    with started.process:
        started.process.wait_until(started.is_ready)
        yield started


@pytest.fixture
async def caller(one_core: GatewayProcess) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(one_core.target, timeout_s=60) as client:
        yield client


@contextlib.asynccontextmanager
async def bulk_beside(client: AsyncClient) -> AsyncIterator[Callable[[], int]]:
    """Have more bulk photos rendered than can be; tells how many have been."""
    done, going = 0, asyncio.Event()

    def photos() -> Iterator[bytes]:
        while True:
            yield CUT_PHOTO

    async def render() -> None:
        nonlocal done
        async for each in client.render_many(photos(), cut="keep", priority="bulk", window=8):
            assert each.packshot, each.error
            done += 1
            going.set()

    rendering = asyncio.create_task(render())
    try:
        await asyncio.wait(
            {rendering, asyncio.create_task(going.wait())}, return_when=asyncio.FIRST_COMPLETED
        )
        yield lambda: done
        assert not rendering.done(), rendering
    finally:
        rendering.cancel()
        await asyncio.wait({rendering})


async def test_interactive_photos_leave_bulk_ones_few_turns(caller: AsyncClient) -> None:
    async with bulk_beside(caller) as done:
        before = done()
        for _ in range(_PHOTOS):
            assert (await caller.render(CUT_PHOTO, cut="keep")).model == ""
        beside = done() - before
    print(f"{beside} bulk photos beside {_PHOTOS} interactive ones")
    assert beside < _PHOTOS * 2 / 3


async def test_interactive_photos_without_end_do_not_starve_bulk_ones(caller: AsyncClient) -> None:
    answered = 0

    async def ask_without_end() -> None:
        nonlocal answered
        while True:
            with contextlib.suppress(OverloadedError):
                await caller.render(PHOTO)
                answered += 1

    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(ask_without_end()) for _ in range(4)]
        found = [
            each async for each in caller.render_many([PHOTO] * _FEW, priority="bulk", window=8)
        ]
        for each in asking:
            each.cancel()
    print(f"{answered} interactive photos beside {_FEW} bulk ones")
    assert [each.error for each in found] == [None] * _FEW
    assert answered > _FEW
