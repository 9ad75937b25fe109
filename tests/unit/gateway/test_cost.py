"""A render that would take too much processor time is refused by its estimate, before the work."""

import dataclasses
import itertools

import numpy as np
import pytest

from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.errors import DeadlineError
from imaging.compose.compose import compose
from imaging.compose.composition import (
    Blur,
    Content,
    LinearGradient,
    Look,
    Scene,
    SceneKind,
    ShadowKind,
    Staging,
    Transparent,
)
from imaging.compose.scenes.scene import paint_scene
from imaging.cost import Work, check_cost, encoding_s, estimate_s
from imaging.encode import PictureFormat
from imaging.errors import InvalidOptionError
from imaging.types import WHITE, Box, Cut, Photo
from packshot import AsyncClient, InvalidRequestError
from packshot import Scene as AskedScene
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo

LIMIT_S = GatewayConfig().max_core_s
BACKGROUNDS = (WHITE, Transparent(), Blur(), LinearGradient((WHITE, WHITE)), Scene())
MARBLE = AskedScene("marble")
STAGINGS = (
    Staging(ShadowKind.NONE, reflection=0.0),
    Staging(ShadowKind.DROP, reflection=1.0, color_match=1.0),
)


def work(
    megapixels: float,
    background: object = WHITE,
    picture_format: PictureFormat = PictureFormat.JPEG,
    quality: int = 90,
    staging: Staging = STAGINGS[0],
    content: Content = Content.PICTURE,
) -> Work:
    pixels = int(megapixels * 1e6)
    return Work(
        pixels, 0, pixels, background, staging, content, picture_format, quality, is_judged=True
    )


def all_of(megapixels: float) -> list[Work]:
    return [
        work(megapixels, *choice)
        for choice in itertools.product(BACKGROUNDS, PictureFormat, (1, 90, 100), STAGINGS)
    ]


def test_whatever_is_asked_of_a_small_photo_is_let_in() -> None:
    assert max(map(estimate_s, all_of(4))) < LIMIT_S


def test_the_largest_photo_may_become_a_jpeg_on_white() -> None:
    check_cost(work(64), LIMIT_S)


@pytest.mark.parametrize("picture_format", [PictureFormat.AVIF, PictureFormat.WEBP])
def test_what_takes_an_encoder_long_is_refused_with_the_estimate(
    picture_format: PictureFormat,
) -> None:
    with pytest.raises(InvalidOptionError, match=r"about \d+\.\d s .* limit is 5 s") as caught:
        check_cost(work(64, Transparent(), picture_format), LIMIT_S)
    assert caught.value.figures["limit_s"] == "5"
    assert float(caught.value.figures["estimate_s"]) > LIMIT_S


@pytest.mark.parametrize("picture_format", PictureFormat)
def test_more_pixels_and_more_quality_cost_no_less(picture_format: PictureFormat) -> None:
    for background in BACKGROUNDS:
        by_size = [
            encoding_s(work(size, background, picture_format)) for size in (1, 4, 15, 30, 64)
        ]
        assert by_size == sorted(by_size)
        by_quality = [
            estimate_s(work(4, background, picture_format, quality)) for quality in (1, 50, 90, 100)
        ]
        assert by_quality == sorted(by_quality)


def test_a_mask_costs_less_than_a_picture() -> None:
    mask = work(16, Scene(), PictureFormat.PNG, content=Content.MASK)
    assert estimate_s(mask) < estimate_s(work(16, Scene(), PictureFormat.PNG))


async def test_a_costly_request_is_refused_before_its_photo_is_shown_to_a_network(
    inference: FakeInferenceServer, config: GatewayConfig
) -> None:
    gateway = Gateway(dataclasses.replace(config, max_core_s=0.05), inference)
    await gateway.start()
    photo = encode(product_photo(), "JPEG")
    async with AsyncClient(f"127.0.0.1:{gateway.port}", timeout_s=20, retries=False) as client:
        assert (await client.render(photo, format="jpeg")).width_px == 120
        seen = len(inference.seen)
        with pytest.raises(InvalidRequestError, match="of a processor core") as caught:
            await client.render(photo, background=MARBLE, format="avif", size=(2000, 2000))
        assert caught.value.reason == "INVALID_OPTION"
        assert inference.seen[seen:] == []
    await gateway.stop()


def test_composing_ends_between_two_strips_when_nobody_waits() -> None:
    rgb = product_photo()
    cut = Cut(rgb, np.where(rgb.min(axis=2) < 250, 255, 0).astype(np.uint8), 1.0)
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise DeadlineError("the time is up")

    with pytest.raises(DeadlineError):
        compose(cut, Photo(rgb), Look(Scene()), check)


@pytest.mark.parametrize("kind", SceneKind)
def test_a_scene_painted_at_half_its_size_looks_the_same(
    kind: SceneKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is done, a pixel is half of the size that it has here."""
    product = Box(700, 500, 1500, 1700)
    whole = paint_scene(Scene(kind), 2201, 2200, product, -35)
    monkeypatch.setattr("imaging.compose.scenes.scene.MOST_PAINTED", 1)
    half = paint_scene(Scene(kind), 2201, 2200, product, -35)
    assert half.shape == whole.shape
    # Eight by eight pixels, so that the grain, which is the same, and the texture's sharpness stay
    # out: what is left is where things are and how bright.
    blocks = (275, 8, 275, 8, 3)
    means = [each[:, :2200].reshape(blocks).mean(axis=(1, 3)) for each in (whole, half)]
    assert np.abs(means[0] - means[1]).mean() < 0.5
    assert np.percentile(np.abs(means[0] - means[1]), 99.5) < 4


def test_masks_and_region_cost_their_part() -> None:
    plain = work(10)
    marked = dataclasses.replace(plain, is_marked=True)
    masked = dataclasses.replace(marked, masks_px=20_000_000)
    assert estimate_s(marked) - estimate_s(plain) == pytest.approx(0.25)
    assert estimate_s(masked) - estimate_s(marked) == pytest.approx(0.4)
