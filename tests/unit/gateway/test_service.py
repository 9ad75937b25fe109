"""The service over a real channel, with a fake inference server behind the gateway's seam."""

import asyncio
import contextlib
import gc
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import grpc
import grpc.aio
import numpy as np
import pytest
from PIL import Image

from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.errors import InferenceFailedError, InferenceUnavailableError
from gateway.surroundings import PortError
from imaging.presets.load import load_presets
from packshot import (
    AsyncClient,
    BackgroundPicture,
    DeadlineExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    NoForegroundError,
    OverloadedError,
    ServiceError,
    UnavailableError,
)
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceStub
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import RED, claiming_png, decode, encode, product_photo
from tests.support.scrape import total

PHOTO = encode(product_photo())


async def eventually(condition: Callable[[], Awaitable[bool]], timeout_s: float = 5) -> None:
    """Wait until an async condition holds."""
    async with asyncio.timeout(timeout_s):
        while not await condition():
            await asyncio.sleep(0.02)


def http(gateway: Gateway, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"http://127.0.0.1:{gateway.metrics_port}{path}", timeout=5) as reply:
            return reply.status, reply.read().decode()
    except HTTPError as error:
        with error:
            return error.code, ""


async def shown(gateway: Gateway, name: str, **labels: str) -> float:
    return await asyncio.to_thread(total, f"127.0.0.1:{gateway.metrics_port}", name, **labels)


async def test_renders_on_white_in_the_photo_s_own_frame(client: AsyncClient) -> None:
    packshot = await client.render(PHOTO)
    assert packshot.media_type == "image/jpeg"
    image = decode(packshot.picture)
    assert image.size == (120, 90) == (packshot.width_px, packshot.height_px)
    assert image.getpixel((100, 10)) == (255, 255, 255)
    assert np.abs(np.asarray(image, int)[45, 40] - RED).max() < 10
    assert np.abs(np.subtract(packshot.product, (15, 22, 60, 67))).max() <= 3
    assert (packshot.model, packshot.model_version, packshot.magnification) == ("matte", "3", 1)
    stages = ("decode", "prepare", "infer", "refine", "compose", "encode")
    assert set(packshot.stages_s) == {*stages, "queue", "verify", "total"}
    assert 0 < sum(packshot.stages_s[stage] for stage in stages) <= packshot.stages_s["total"]


async def test_shows_the_network_the_model_s_own_size(
    client: AsyncClient, inference: FakeInferenceServer
) -> None:
    await client.render(PHOTO)
    assert inference.seen[-1].shape == (1, 48, 64, 3)


async def test_renders_transparent_png_and_webp(client: AsyncClient) -> None:
    png = decode((await client.render(PHOTO, background="transparent")).picture)
    assert (png.format, png.mode) == ("PNG", "RGBA")
    assert png.getpixel((100, 10))[3] == 0  # type: ignore[index]
    assert png.getpixel((40, 45)) == (*RED, 255)
    webp = await client.render(PHOTO, background="transparent", format="webp", quality=80)
    assert (decode(webp.picture).format, webp.media_type) == ("WEBP", "image/webp")


async def test_renders_avif_opaque_and_transparent(client: AsyncClient) -> None:
    opaque = await client.render(PHOTO, format="avif")
    image = decode(opaque.picture)
    assert (image.format, image.mode, opaque.media_type) == ("AVIF", "RGB", "image/avif")
    assert image.getpixel((100, 10)) == (255, 255, 255)
    clear = decode((await client.render(PHOTO, format="avif", background="transparent")).picture)
    assert clear.getpixel((100, 10))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("photo_format", ["JPEG", "WEBP", "AVIF", "HEIF", "TIFF", "BMP", "GIF"])
async def test_renders_photos_of_every_format(client: AsyncClient, photo_format: str) -> None:
    packshot = await client.render(encode(product_photo(), photo_format), format="png")
    pixel = decode(packshot.picture).getpixel((30, 45))
    assert np.abs(np.subtract(pixel, RED)).max() < 12  # type: ignore[arg-type]
    assert packshot.notes == ()


async def test_states_the_resolution_and_keeps_metadata_on_request_only(
    client: AsyncClient,
) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "A maker", 6
    photo = encode(product_photo(), exif=exif)
    plain = decode((await client.render(photo)).picture)
    assert plain.info["dpi"] == (72, 72)
    assert not plain.getexif()
    kept = await client.render(photo, dpi=300, keep_metadata=True)
    image = decode(kept.picture)
    assert image.size == (90, 120) == (kept.width_px, kept.height_px)
    assert image.info["dpi"] == (300, 300)
    assert image.getexif()[0x010F] == "A maker"
    assert 0x0112 not in image.getexif()


async def test_what_in_a_photo_could_not_be_followed_is_said_and_logged(
    client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    packshot = await client.render(encode(product_photo(), icc_profile=b"rubbish" * 50))
    (note,) = packshot.notes
    assert "profile was taken for absent" in note
    assert [record.levelname for record in caplog.records if note in record.getMessage()] == [
        "WARNING"
    ]


async def test_renders_any_colour_in_a_square_at_a_scale(client: AsyncClient) -> None:
    packshot = await client.render(
        PHOTO, background="#1040fF", size=200, scale=0.5, max_upscale=8, square=True, format="png"
    )
    image = decode(packshot.picture)
    assert image.size == (200, 200)
    assert image.getpixel((0, 199)) == (0x10, 0x40, 0xFF)
    left, top, right, bottom = packshot.product
    assert max(right - left, bottom - top) == pytest.approx(100, abs=1)
    assert left + right == pytest.approx(200, abs=1)
    assert packshot.magnification > 1


async def test_a_preset_comes_with_a_verdict_on_the_file(client: AsyncClient) -> None:
    packshot = await client.render(PHOTO, preset="amazon-main")
    verdict = packshot.verdict
    assert verdict
    assert verdict.preset == "amazon-main"
    assert not verdict.complies
    failed = {check.rule for check in verdict.checks if check.required and not check.passed}
    assert "longest-side" in failed
    assert packshot.stages_s["verify"] > 0
    assert (await client.render(PHOTO)).verdict is None


async def test_lists_the_presets_with_their_rules(client: AsyncClient) -> None:
    presets = await client.presets()
    assert [preset.name for preset in presets] == sorted(load_presets())
    assert all(preset.rules and preset.source.startswith("https://") for preset in presets)


async def test_a_background_picture_is_held_to_the_photos_limits(client: AsyncClient) -> None:
    picture = encode(np.full((30, 40, 3), (0, 90, 200), np.uint8), "PNG")
    shot = await client.render(PHOTO, background=BackgroundPicture(picture), format="png")
    assert decode(shot.picture).getpixel((100, 10)) == (0, 90, 200)
    with pytest.raises(InvalidRequestError, match=r"background picture.*at least 16") as caught:
        await client.render(
            PHOTO, background=BackgroundPicture(encode(np.zeros((9, 40, 3), np.uint8)))
        )
    assert caught.value.reason == "PHOTO_LIMIT"


async def test_what_the_frame_could_not_have_is_noted(client: AsyncClient) -> None:
    shot = await client.render(PHOTO, square=True, size=900)
    assert shot.magnification == 2
    assert any("2" in note for note in shot.notes)


async def test_lists_models_with_their_state(client: AsyncClient) -> None:
    matte, sleeping = await client.models()
    assert (matte.name, matte.version, matte.ready, matte.is_default) == ("matte", "3", True, True)
    assert (matte.input_width_px, matte.input_height_px) == (64, 48)
    assert matte.card
    assert (matte.card.licence, matte.card.measures) == ("MIT", {"photos": {"iou": 0.5}})
    assert (sleeping.name, sleeping.ready, sleeping.is_default) == ("sleeping", False, False)
    assert sleeping.card is None


@pytest.mark.parametrize(
    ("photo", "reason", "message"),
    [
        (b"", "INVALID_PHOTO", "0 bytes"),
        (b"just a text", "INVALID_PHOTO", "not a picture"),
        (encode(product_photo(), "JPEG")[:-200], "INVALID_PHOTO", "cannot be decoded"),
        (encode(np.zeros((1, 1, 3), np.uint8)), "PHOTO_LIMIT", "at least 16"),
        (claiming_png(100_000, 100_000), "PHOTO_LIMIT", "limit is 64000000"),
        (bytes(33 * 2**20), "PHOTO_LIMIT", "limit is 33554432"),
    ],
)
async def test_a_bad_photo_is_an_invalid_argument_that_says_why(
    client: AsyncClient, photo: bytes, reason: str, message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=message) as caught:
        await client.render(photo)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.reason == reason
    assert (await client.render(PHOTO)).model == "matte"


async def test_a_bad_option_is_an_invalid_argument_that_names_its_field(
    gateway: Gateway,
) -> None:
    from google.rpc import error_details_pb2, status_pb2  # noqa: PLC0415  only this test

    request = pb.RenderRequest(photo=PHOTO, background=pb.Background(color="white"))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await PackshotServiceStub(channel).Render(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    trailers = dict(caught.value.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("INVALID_OPTION", "packshot.dev")
    assert status.details[1].Unpack(bad_request)
    assert bad_request.field_violations[0].field == "background.color"


async def test_an_unknown_model_is_not_found(client: AsyncClient) -> None:
    with pytest.raises(ModelNotFoundError, match="'nosuch'"):
        await client.render(PHOTO, model="nosuch")


async def test_an_empty_photo_has_no_foreground(client: AsyncClient) -> None:
    with pytest.raises(NoForegroundError) as caught:
        await client.render(encode(np.full((50, 50, 3), 255, np.uint8)))
    assert caught.value.code is grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.reason == "NO_FOREGROUND"


async def test_beyond_its_places_the_service_is_exhausted_and_says_when_to_come_back(
    client: AsyncClient, inference: FakeInferenceServer
) -> None:
    inference.delay_s = 0.5
    answers = await asyncio.gather(
        *(client.render(PHOTO) for _ in range(10)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, OverloadedError)]
    assert len(refused) == 6
    assert all(error.retry_after_s and error.retry_after_s > 0 for error in refused)
    assert refused[0].figures == {"bound": "requests", "limit": "4", "value": "4"}
    assert (await client.render(PHOTO)).model == "matte"


async def test_triton_away_is_unavailable_with_a_time_to_come_back(
    client: AsyncClient, inference: FakeInferenceServer
) -> None:
    inference.error = InferenceUnavailableError("away")
    with pytest.raises(UnavailableError) as caught:
        await client.render(PHOTO)
    assert caught.value.retry_after_s == 1


async def test_a_late_answer_is_a_deadline_exceeded_and_cancels_the_inference(
    client: AsyncClient, inference: FakeInferenceServer
) -> None:
    inference.delay_s = 5
    with pytest.raises(DeadlineExceededError):
        await client.render(PHOTO, timeout_s=0.3)

    async def cancelled() -> bool:
        return inference.cancelled == 1

    await eventually(cancelled)


async def test_a_cancelled_call_cancels_the_inference(
    client: AsyncClient, gateway: Gateway, inference: FakeInferenceServer
) -> None:
    inference.delay_s = 5
    call = asyncio.create_task(client.render(PHOTO))
    await asyncio.sleep(0.3)
    call.cancel()

    async def cancelled() -> bool:
        return inference.cancelled == 1

    await eventually(cancelled)
    assert await shown(gateway, "packshot_requests_total", code="CANCELLED", method="Render") == 1


@pytest.mark.parametrize("error", [InferenceFailedError("secret"), RuntimeError("secret")])
async def test_a_defect_is_internal_and_leaks_nothing_but_its_kind(
    client: AsyncClient, inference: FakeInferenceServer, error: Exception
) -> None:
    inference.error = error  # type: ignore[assignment]
    with pytest.raises(ServiceError) as caught:
        await client.render(PHOTO)
    assert caught.value.code is grpc.StatusCode.INTERNAL
    if not isinstance(error, InferenceFailedError):
        assert str(caught.value) == "internal error"


@pytest.mark.parametrize("photo", [encode(product_photo(64, 64)), b"no photo at all"])
async def test_a_call_that_has_ended_holds_on_to_nothing(gateway: Gateway, photo: bytes) -> None:
    """The request goes with its last reference, not when the garbage collector comes by."""
    request = pb.RenderRequest(photo=photo).SerializeToString()
    gc.collect()
    gc.disable()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
            # Bytes out, bytes in: the only message objects are the service's.
            render: Any = channel.unary_unary("/packshot.v1.PackshotService/Render")
            with contextlib.suppress(grpc.aio.AioRpcError):
                await render(request)
        await asyncio.sleep(0.1)
        # By its type alone: to ask more of other packages' objects can wake them up.
        requests = [each for each in gc.get_objects() if type(each) is pb.RenderRequest]
        assert photo not in [request.photo for request in requests]
    finally:
        gc.enable()


async def test_health_and_readiness_follow_what_the_model_answers(
    client: AsyncClient, gateway: Gateway, inference: FakeInferenceServer
) -> None:
    await eventually(client.healthy)
    assert (await asyncio.to_thread(http, gateway, "/readyz"))[0] == 200
    inference.error = InferenceUnavailableError("away")

    async def unhealthy() -> bool:
        return not await client.healthy()

    await eventually(unhealthy)
    assert (await asyncio.to_thread(http, gateway, "/readyz"))[0] == 503
    assert (await asyncio.to_thread(http, gateway, "/livez"))[0] == 200
    inference.error = None
    await eventually(client.healthy)


async def test_a_port_in_use_is_a_clear_error(
    gateway: Gateway, inference: FakeInferenceServer
) -> None:
    """And leaves no thread that would keep the process from ending."""
    threads = set(threading.enumerate())
    for config in (
        GatewayConfig(port=gateway.port, metrics_port=0),
        GatewayConfig(port=0, metrics_port=gateway.metrics_port),
    ):
        second = Gateway(config, inference)
        with pytest.raises(PortError, match=str(config.port or config.metrics_port)):
            await second.start()
    assert {thread for thread in threading.enumerate() if not thread.daemon} <= threads


async def test_requests_in_flight_finish_while_the_gateway_drains(
    config: GatewayConfig, inference: FakeInferenceServer
) -> None:
    gateway = Gateway(config, inference)
    await gateway.start()
    async with AsyncClient(f"127.0.0.1:{gateway.port}", retries=False) as client:
        inference.delay_s = 0.5
        under_way = asyncio.create_task(client.render(PHOTO))
        await asyncio.sleep(0.2)
        stopping = asyncio.create_task(gateway.stop())
        await asyncio.sleep(0.1)
        with pytest.raises(UnavailableError):
            await client.render(PHOTO)
        assert (await under_way).model == "matte"
        await stopping


async def test_a_background_picture_of_the_photo_s_own_size_is_fine(client: AsyncClient) -> None:
    picture = encode(np.full((90, 120, 3), 128, np.uint8), "JPEG")
    image = decode((await client.render(PHOTO, background=BackgroundPicture(picture))).picture)
    assert np.abs(np.subtract(image.getpixel((100, 10)), 128)).max() < 5  # type: ignore[arg-type]
