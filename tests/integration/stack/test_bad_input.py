"""What is no photo, sent to the real gateway: its status, and neither a crash nor a leak."""

from pathlib import Path

import numpy as np
import psutil
import pytest

from packshot import AsyncClient, InvalidRequestError, NoForegroundError
from tests.integration.stack.conftest import GatewayProcess
from tests.support.pictures import claiming_png, encode, product_photo

_MIB = 2**20
_ROUNDS = 30

BAD_PHOTOS = {
    "empty": b"",
    "a text file": b"Dear sir or madam,\n" * 100,
    "a truncated JPEG": encode(product_photo(800, 600), "JPEG")[:3000],
    "one pixel": encode(np.zeros((1, 1, 3), np.uint8)),
    "a PNG that claims ten billion pixels": claiming_png(100_000, 100_000),
    "33 MiB": b"\xff\xd8" + bytes(33 * _MIB),
}


@pytest.mark.parametrize("name", BAD_PHOTOS)
async def test_is_an_invalid_argument(client: AsyncClient, name: str) -> None:
    with pytest.raises(InvalidRequestError):
        await client.render(BAD_PHOTOS[name])


async def test_leaves_the_gateway_s_memory_flat_and_the_next_photo_unharmed(
    client: AsyncClient, gateway: GatewayProcess, samples: list[Path]
) -> None:
    process = psutil.Process(gateway.process.pid)

    async def send_all() -> None:
        for photo in BAD_PHOTOS.values():
            with pytest.raises(InvalidRequestError):
                await client.render(photo)

    for _ in range(10):  # the allocator keeps a freed buffer or two for each thread
        await send_all()
    before = process.memory_info().rss
    for _ in range(_ROUNDS):
        await send_all()
    grown = process.memory_info().rss - before
    # Thirty rounds sent a gigabyte.
    assert grown < 128 * _MIB, f"grew by {grown / _MIB:.0f} MiB"
    assert (await client.render(samples[0])).model == "matte"


async def test_a_blank_photo_has_no_product_or_a_small_one_but_no_crash(
    client: AsyncClient,
) -> None:
    """The network decides; either way the answer is a status or a picture."""
    blank = encode(np.full((300, 300, 3), 200, np.uint8))
    try:
        shot = await client.render(blank)
    except NoForegroundError as error:
        assert error.reason == "NO_FOREGROUND"
    else:
        assert shot.product.right > shot.product.left
