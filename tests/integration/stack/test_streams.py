"""Streams of photos through the real gateway and the real Triton."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from packshot import AsyncClient, InvalidRequestError, OverloadedError, Packshot, Rendered
from tests.integration.processes import Triton
from tests.integration.stack.conftest import GatewayProcess, launch_gateway
from tests.support.pictures import decode, encode, encode_image
from tests.support.scrape import total

# What one stream may hold of photos of four megapixels, and what allocators keep of that.
_MOST_GROWTH_BYTES = 48 * 2**20
# Not a limit on speed: a busy machine may take ten times as long as a quiet one.
_TIMEOUT_S = 60.0


@pytest.fixture(scope="module")
def small_photo(samples: list[Path]) -> bytes:
    with Image.open(samples[0]) as image:
        image.thumbnail((200, 200))
        return encode_image(image, "JPEG")


async def test_every_photo_of_a_mixed_stream_has_its_own_outcome(
    client: AsyncClient, small_photo: bytes
) -> None:
    bad = {7: b"no photo", 23: small_photo[:500], 41: b"", 59: encode(np.zeros((3, 3, 3), "u1"))}
    photos = [bad.get(index, small_photo) for index in range(60)]
    rendered = [each async for each in client.render_many(photos, timeout_s=60)]
    assert sorted(each.index for each in rendered) == list(range(60))
    failed = {each.index: each.error for each in rendered if each.error}
    assert failed.keys() == bad.keys()
    assert all(isinstance(error, InvalidRequestError) for error in failed.values())
    sizes = {
        (each.packshot.width_px, each.packshot.height_px) for each in rendered if each.packshot
    }
    assert sizes == {decode(small_photo).size}


async def test_a_long_stream_needs_no_more_memory_than_a_short_one(
    triton: Triton, samples: list[Path], tmp_path: Path
) -> None:
    with Image.open(samples[0]) as image:
        photo = encode_image(image.resize((2300, 1740)), "JPEG", quality=90)

    def photos() -> Iterator[bytes]:
        for number in range(45):
            # Bytes of its own each: a copy that is kept would be seen.
            yield photo + number.to_bytes(4)

    gateway = launch_gateway(triton, tmp_path / "gateway.log")
    with gateway.process:
        gateway.process.wait_until(gateway.is_ready)
        parent = psutil.Process(gateway.process.pid)
        processes = [parent, *parent.children(recursive=True)]
        rss_bytes: dict[int, int] = {}
        finished: list[Rendered] = []
        async with AsyncClient(gateway.target) as client:
            async for each in client.render_many(photos(), timeout_s=120):
                finished.append(each)
                if len(finished) in {15, 30, 45}:
                    rss_bytes[len(finished)] = sum(
                        process.memory_info().rss for process in processes
                    )
        print({count: f"{size / 2**20:.0f} MiB" for count, size in rss_bytes.items()})
    assert Counter(type(each.error) for each in finished) == {type(None): 45}
    assert rss_bytes[45] - rss_bytes[15] < _MOST_GROWTH_BYTES


async def _let_in(client: AsyncClient, photo: bytes) -> Packshot:
    """Render a photo, and come back when the service says so where it is full."""
    while True:
        try:
            return await client.render(photo)
        except OverloadedError as exc:
            await asyncio.sleep(exc.retry_after_s or 0.05)


async def test_callers_who_go_away_take_their_inferences_out_of_triton(
    client: AsyncClient, gateway: GatewayProcess, triton: Triton, small_photo: bytes
) -> None:
    """By a stream and by lone photos: what waits in Triton's queue is cancelled there."""

    def cancelled() -> float:
        return total(
            triton.metrics_address, "nv_inference_request_failure_total", reason="CANCELED"
        )

    async def stream() -> None:
        async for _ in client.render_many([small_photo] * 60):
            pass

    for start in (stream, lambda: _let_in(client, small_photo)):
        before = cancelled()
        tasks = [asyncio.create_task(start()) for _ in range(4 if start is stream else 32)]
        async with asyncio.timeout(_TIMEOUT_S):
            while not total(triton.metrics_address, "nv_inference_pending_request_count") > 8:
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            while total(gateway.metrics_address, "packshot_requests_in_flight"):
                await asyncio.sleep(0.01)
            while not cancelled() > before:
                await asyncio.sleep(0.01)
    async with asyncio.timeout(_TIMEOUT_S):
        assert (await _let_in(client, small_photo)).model
