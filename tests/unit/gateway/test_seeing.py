"""A large JPEG is seen by the model while it is being decoded, and is refused as any other."""

import asyncio
import dataclasses
import threading
from typing import Any

import cv2
import numpy as np
import pytest

from gateway.config import GatewayConfig
from gateway.errors import InferenceUnavailableError
from gateway.rendering.beside import beside
from imaging.decode import decoder
from imaging.decode.decoder import OpenedPhoto, ThreadDecoder
from imaging.decode.limits import FIELD, PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.errors import InvalidPhotoError
from imaging.matting.prepare import to_model_input
from imaging.types import Photo
from packshot import AsyncClient, InvalidRequestError, UnavailableError
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo

_SIDE_PX = 640
_TIME_S = 30.0


def _large_jpeg() -> bytes:
    pixels = cv2.resize(product_photo(), (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_CUBIC)
    return encode(np.asarray(pixels, np.uint8), "JPEG", quality=95)


PHOTO = _large_jpeg()


@pytest.fixture(autouse=True)
def _previews_from_a_smaller_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "PREVIEW_FROM_PX", _SIDE_PX**2)


class Gate:
    """Holds the decoding of the whole up until it is opened, and can have it fail then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = threading.Event()
        self.error: InvalidPhotoError | None = None
        plain = ThreadDecoder.open

        def opened(own: ThreadDecoder, file: bytes, limits: PhotoLimits) -> OpenedPhoto:
            photo: Any = plain(own, file, limits)
            decode = photo.decode

            def held(**how: bool) -> Photo:
                assert self.opened.wait(_TIME_S)
                if self.error:
                    raise self.error
                return decode(**how)  # type: ignore[no-any-return]

            photo.decode = held
            return photo  # type: ignore[no-any-return]

        monkeypatch.setattr(ThreadDecoder, "open", opened)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


@pytest.fixture
def config(config: GatewayConfig) -> GatewayConfig:
    # The probes show the model a picture too: no more than the first may come.
    return dataclasses.replace(config, probe_interval_s=60)


async def _probed(inference: FakeInferenceServer) -> None:
    async with asyncio.timeout(_TIME_S):
        while not inference.seen:
            await asyncio.sleep(0.01)
    inference.seen.clear()


async def _until_seen(inference: FakeInferenceServer) -> None:
    async with asyncio.timeout(_TIME_S):
        while not inference.seen:
            await asyncio.sleep(0.01)


async def test_the_model_sees_the_photo_while_it_is_being_decoded(
    client: AsyncClient, inference: FakeInferenceServer, gate: Gate
) -> None:
    await _probed(inference)
    render = asyncio.ensure_future(client.render(PHOTO))
    await _until_seen(inference)
    assert not render.done()
    gate.opened.set()
    shot = await render
    assert (shot.width_px, shot.height_px) == (_SIDE_PX, _SIDE_PX)
    assert len(inference.seen) == 1
    expected = to_model_input(decode_photo(PHOTO, PhotoLimits()), 64, 48)
    assert np.abs(inference.seen[0].astype(int) - expected).mean() < 1
    assert shot.stages_s["prepare"] > 0
    assert shot.stages_s["infer"] > 0


async def test_a_photo_whose_decoding_fails_is_refused_for_that_whatever_the_model_says(
    client: AsyncClient, inference: FakeInferenceServer, gate: Gate
) -> None:
    await _probed(inference)
    gate.error = InvalidPhotoError("broken near its end", field=FIELD)
    inference.error = InferenceUnavailableError("away")
    gate.opened.set()
    with pytest.raises(InvalidRequestError, match="broken near its end"):
        await client.render(PHOTO)


async def test_a_pass_for_a_photo_whose_decoding_fails_is_cancelled(
    client: AsyncClient, inference: FakeInferenceServer, gate: Gate
) -> None:
    await _probed(inference)
    gate.error = InvalidPhotoError("broken near its end", field=FIELD)
    inference.delay_s = 10 * _TIME_S
    gate.opened.set()
    with pytest.raises(InvalidRequestError, match="broken near its end"):
        await client.render(PHOTO)
    assert not inference.seen


async def test_an_error_of_the_model_is_the_render_s(
    client: AsyncClient, inference: FakeInferenceServer, gate: Gate
) -> None:
    await _probed(inference)
    gate.opened.set()
    inference.error = InferenceUnavailableError("away")
    with pytest.raises(UnavailableError):
        await client.render(PHOTO)


@pytest.mark.parametrize("kind", ["another format", "smaller", "marked", "broken"])
async def test_what_has_no_preview_is_seen_once_it_is_decoded(
    client: AsyncClient, inference: FakeInferenceServer, kind: str
) -> None:
    await _probed(inference)
    photos = {
        "another format": encode(np.zeros((_SIDE_PX, _SIDE_PX, 3), np.uint8), "PNG"),
        "smaller": encode(product_photo(), "JPEG"),
        "marked": PHOTO,
        "broken": PHOTO[: len(PHOTO) // 2],
    }
    options: dict[str, Any] = {"region": (0, 0, 400, 400)}
    render = client.render(photos[kind], **options if kind == "marked" else {})
    if kind == "broken":
        with pytest.raises(InvalidRequestError, match="cannot be decoded"):
            await render
        assert not inference.seen
        return
    await render
    assert len(inference.seen) == 1


async def test_work_beside_a_block_has_ended_with_it_however_often_that_is_cancelled() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    ended = False

    async def stubborn() -> None:
        nonlocal ended
        begun.set()
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                continue
        ended = True

    async def block() -> None:
        async with beside(stubborn()):
            await asyncio.Event().wait()

    task = asyncio.ensure_future(block())
    await begun.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended


async def test_an_error_of_work_beside_a_block_gives_way_to_the_block_s_own() -> None:
    async def fail() -> None:
        raise ValueError("beside")

    async def block() -> None:
        async with beside(fail()):
            await asyncio.sleep(0)
            raise KeyError("block")

    with pytest.raises(KeyError, match="block"):
        await block()
