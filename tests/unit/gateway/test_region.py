"""Regions and masks through the real service, with the fake inference server behind it."""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.rpc.requests.idempotency import request_digest
from gateway.rpc.requests.reader import OptionReader
from imaging.errors import InvalidOptionError
from imaging.presets.load import load_presets
from packshot import AsyncClient, InvalidRequestError, NoForegroundError, RenderOptions
from packshot.v1 import packshot_pb2 as pb
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import RED, claiming_png, decode, encode

BLUE = (20, 60, 180)
# The red product's box and the blue one's.
LEFT, RIGHT = (40, 60, 140, 180), (240, 60, 340, 180)


def two_products() -> npt.NDArray[np.uint8]:
    rgb = np.full((240, 400, 3), 255, np.uint8)
    for (left, top, right, bottom), color in ((LEFT, RED), (RIGHT, BLUE)):
        rgb[top:bottom, left:right] = color
    return rgb


PHOTO = encode(two_products())


def mask(*marked: tuple[int, int, int, int], size: tuple[int, int] = (400, 240)) -> bytes:
    pixels = np.zeros(size[::-1], np.uint8)
    for left, top, right, bottom in marked:
        pixels[top:bottom, left:right] = 255
    return encode(pixels)


def alpha_of(picture: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(decode(picture).getchannel("A"))


def near(box: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return bool(np.abs(np.subtract(box, wanted)).max() <= 3)


async def test_a_region_picks_one_of_two_products(
    client: AsyncClient, inference: FakeInferenceServer
) -> None:
    both = await client.render(PHOTO, background="transparent")
    assert near(both.product, (*LEFT[:2], *RIGHT[2:]))
    picked = await client.render(PHOTO, background="transparent", region=(220, 40, 140, 160))
    assert near(picked.product, RIGHT)
    alpha = alpha_of(picked.picture)
    assert not alpha[:, :212].any()
    assert alpha[66:174, 246:334].min() == 255
    # Nothing but the region and its margin, of which nothing is red.
    assert inference.seen[-1].shape == (1, 48, 64, 3)
    seen = inference.seen[-1][0].astype(int)
    assert (seen[:, :, 2] >= seen[:, :, 0]).all()
    assert (inference.seen[-2][0].astype(int)[:, :, 0] > inference.seen[-2][0][:, :, 2]).any()


@pytest.mark.parametrize("region", [(220, 40, 140, 160), ("55%", 40, "35%", 160)])
async def test_a_region_is_of_the_upright_photo(
    client: AsyncClient, region: tuple[int | str, int | str, int | str, int | str]
) -> None:
    """The file lies on its side: EXIF orientation 6, turned by 90 degrees clockwise."""
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = encode(np.rot90(two_products()).copy(), exif=exif)
    packshot = await client.render(lying, background="transparent", region=region)
    assert (packshot.width_px, packshot.height_px) == (400, 240)
    assert near(packshot.product, RIGHT)


async def test_masks_are_of_the_upright_photo_too(client: AsyncClient) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = encode(np.rot90(two_products()).copy(), exif=exif)
    packshot = await client.render(lying, erase_mask=mask((0, 0, 20, 24), size=(40, 24)))
    assert near(packshot.product, RIGHT)


async def test_erase_and_keep_correct_the_cut(client: AsyncClient) -> None:
    packshot = await client.render(
        PHOTO,
        background="transparent",
        erase_mask=mask((0, 0, 180, 240)),
        keep_mask=mask((160, 100, 260, 120)),
    )
    alpha = alpha_of(packshot.picture)
    assert not alpha[:, :172].any()  # erase wins over keep
    assert alpha[106:114, 190:300].min() == 255
    assert near(packshot.product, (180, *RIGHT[1:]))


async def test_region_and_masks_of_a_stream_and_of_a_cut_that_the_photo_brings(
    client: AsyncClient,
) -> None:
    rgb = two_products()
    own = np.where(rgb.min(axis=2) < 250, 255, 0).astype(np.uint8)
    cut_already = encode(np.dstack((rgb, own)))
    options: RenderOptions = {"region": "220,40,140,160", "keep_mask": mask((250, 70, 300, 90))}
    seen = [rendered async for rendered in client.render_many([PHOTO, cut_already], **options)]
    for rendered in seen:
        assert rendered.error is None
        assert rendered.packshot is not None
        assert near(rendered.packshot.product, RIGHT)
        adds_nothing = [note for note in rendered.packshot.notes if "keep mask" in note]
        assert len(adds_nothing) == (1 if rendered.index else 0)


async def test_what_a_region_leaves_empty_has_no_foreground(client: AsyncClient) -> None:
    with pytest.raises(NoForegroundError):
        await client.render(PHOTO, region=(160, 40, 60, 160))
    with pytest.raises(NoForegroundError):
        await client.render(PHOTO, erase_mask=mask((30, 50, 350, 190)))


@pytest.mark.parametrize(
    ("options", "reason", "field", "figures"),
    [
        (
            {"region": (300, 0, 101, 240)},
            "INVALID_OPTION",
            "region",
            {"region_px": "300,0,401,240", "photo_px": "400,240"},
        ),
        (
            {"region": (0, 0, 200, 240), "keep_mask": mask((300, 0, 400, 240))},
            "INVALID_OPTION",
            "hints.keep_mask",
            {"region_px": "0,0,200,240"},
        ),
        (
            {"keep_mask": mask((0, 0, 10, 10)), "erase_mask": mask((0, 0, 20, 20))},
            "INVALID_OPTION",
            "hints.keep_mask",
            {"kept_px": "100", "left_px": "0"},
        ),
        ({"erase_mask": mask((0, 0, 400, 240))}, "INVALID_OPTION", "hints.erase_mask", {}),
        (
            {"erase_mask": encode(two_products(), "JPEG")},
            "INVALID_OPTION",
            "hints.erase_mask",
            {"allowed": "PNG"},
        ),
        ({"keep_mask": mask()[:-40]}, "INVALID_PHOTO", "hints.keep_mask", {}),
        (
            {"keep_mask": claiming_png(10_000, 10_000)},
            "PHOTO_LIMIT",
            "hints.keep_mask",
            {"limit_pixels": "64000000", "value_pixels": "100000000"},
        ),
        (
            {"keep_mask": mask((0, 0, 9, 9)), "cut": "keep"},
            "INVALID_OPTION",
            "hints.keep_mask",
            {},
        ),
    ],
)
async def test_what_is_wrong_is_named(
    client: AsyncClient,
    options: dict[str, object],
    reason: str,
    field: str,
    figures: dict[str, str],
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        await client.render(PHOTO, **options)  # type: ignore[arg-type]
    assert refused.value.reason == reason
    assert field.removeprefix("hints.") in str(refused.value)
    assert figures.items() <= dict(refused.value.figures).items()


@pytest.fixture
async def small(config: GatewayConfig) -> AsyncIterator[AsyncClient]:
    """A service of small limits whose photos are decoded in processes."""
    limited = dataclasses.replace(
        config, max_photo_pixels=100_000, max_photo_bytes=100_000, decode_workers=1
    )
    gateway = Gateway(limited, FakeInferenceServer())
    await gateway.start()
    async with AsyncClient(f"127.0.0.1:{gateway.port}", timeout_s=30, retries=False) as client:
        yield client
    await gateway.stop()


async def test_masks_are_decoded_in_processes_by_the_photo_s_limits(small: AsyncClient) -> None:
    one = await small.render(PHOTO, erase_mask=mask((0, 0, 1, 1), size=(2, 1)))
    assert near(one.product, RIGHT)
    with pytest.raises(InvalidRequestError, match=r"keep_mask, read as a photo, is refused"):
        await small.render(PHOTO, keep_mask=mask((0, 0, 9, 9), size=(400, 251)))
    with pytest.raises(InvalidRequestError, match=r"has 100001 bytes; the limit is 100000"):
        await small.render(PHOTO, keep_mask=mask((0, 0, 9, 9)).ljust(100_001, b"\0"))


async def test_the_log_tells_what_marked_a_cut(
    client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway.calls")
    await client.render(PHOTO)
    await client.render(PHOTO, region=(0, 0, 200, 240), erase_mask=mask((0, 0, 9, 9)))
    async with asyncio.timeout(5):
        while len(told := [r for r in caplog.records if r.getMessage() == "call"]) < 2:
            await asyncio.sleep(0.01)
    assert [getattr(record, "marked_by", "") for record in told] == ["", "region+erase"]


def test_the_digest_of_a_request_knows_region_and_masks() -> None:
    requests = [
        pb.RenderRequest(photo=b"p"),
        pb.RenderRequest(photo=b"p", region=pb.Region(left=pb.Coordinate(px=1))),
        pb.RenderRequest(photo=b"p", region=pb.Region(top=pb.Coordinate(px=1))),
        pb.RenderRequest(photo=b"p", region=pb.Region(left=pb.Coordinate(percent=1))),
        pb.RenderRequest(photo=b"p", hints=pb.Hints(keep_mask=b"m")),
        pb.RenderRequest(photo=b"p", hints=pb.Hints(erase_mask=b"m")),
    ]
    assert len({request_digest(request) for request in requests}) == len(requests)


@pytest.mark.parametrize("percent", [-0.1, 100.1, float("nan")])
def test_a_coordinate_out_of_range_is_named(percent: float) -> None:
    request = pb.RenderRequest(region=pb.Region(bottom=pb.Coordinate(percent=percent)))
    with pytest.raises(InvalidOptionError, match=r"region\.bottom\.percent is"):
        OptionReader("matte", 64_000_000, load_presets()).read(request)
