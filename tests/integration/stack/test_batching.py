"""Triton batches what many callers send, and nobody can tell from the answer."""

import asyncio
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from packshot import AsyncClient, OverloadedError
from tests.integration.processes import Triton
from tests.support.pictures import decode, encode

_REQUESTS = 64
_CONCURRENCY = 16


def small(photo: Path) -> bytes:
    """Return a photo's file at 400 pixels, so that the network and not the codec is busy."""
    with Image.open(photo) as image:
        image.thumbnail((400, 400))
        return encode(np.asarray(image.convert("RGB")), "JPEG", quality=90)


async def cut(client: AsyncClient, photo: bytes) -> npt.NDArray[np.uint8]:
    # Bulk work may wait longer than interactive work; a slow machine refuses even that at times.
    while True:
        try:
            shot = await client.render(photo, background="transparent", priority="bulk")
        except OverloadedError as error:
            assert error.retry_after_s is not None
            await asyncio.sleep(error.retry_after_s)
        else:
            return np.asarray(decode(shot.picture).getchannel("A"))


async def test_requests_share_executions_and_answers_do_not_depend_on_it(
    client: AsyncClient, triton: Triton, samples: list[Path]
) -> None:
    photos = [small(photo) for photo in samples]
    alone = [await cut(client, photo) for photo in photos]
    places = asyncio.Semaphore(_CONCURRENCY)

    async def cut_together(number: int) -> npt.NDArray[np.uint8]:
        async with places:
            return await cut(client, photos[number % len(photos)])

    inferences_before, executions_before = triton.statistics("matte")
    together = await asyncio.gather(*(cut_together(number) for number in range(_REQUESTS)))
    inferences, executions = triton.statistics("matte")
    inferences -= inferences_before
    executions -= executions_before

    print(f"{executions} executions for {inferences} inferences")
    assert inferences >= _REQUESTS
    assert executions < inferences, f"{executions} executions for {inferences} inferences"
    for number, alpha in enumerate(together):
        difference = np.abs(alpha.astype(int) - alone[number % len(photos)])
        assert difference.max() <= 1
