"""A cut that the file brings: kept where it is one, refined where it is none, told either way."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.matting.own_cut import is_cut
from packshot import AsyncClient, InvalidRequestError, NoForegroundError, RenderOptions
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import RED, decode, encode, product_photo

SAMPLES = Path(__file__).parents[3] / "samples"
TOY = np.dstack(
    [
        decode_photo((SAMPLES / "toy.jpg").read_bytes(), PhotoLimits()).rgb,
        np.asarray(Image.open(SAMPLES / "toy.matte.png").convert("L")),
    ]
)


def shown_to(inference: FakeInferenceServer) -> int:
    """Return how many photos the network was shown; a probe's is black all over."""
    return sum(bool(photo.any()) for photo in inference.seen)


def alpha_of(rows: npt.NDArray[np.float64] | float) -> npt.NDArray[np.uint8]:
    return np.broadcast_to(np.asarray(rows, np.float64), (100, 100)).round().astype(np.uint8)


def disc(radius_px: float) -> npt.NDArray[np.uint8]:
    y, x = np.mgrid[0:100, 0:100] - 49.5
    return alpha_of(255 * np.clip(radius_px + 0.5 - np.hypot(x, y), 0, 1))


def round_corners() -> npt.NDArray[np.uint8]:
    y, x = np.abs(np.mgrid[0:100, 0:100] - 49.5)
    return alpha_of(np.where(np.hypot(np.maximum(x - 38, 0), np.maximum(y - 38, 0)) > 12, 0, 255))


@pytest.mark.parametrize(
    ("alpha", "kept"),
    [
        pytest.param(disc(30), True, id="disc"),
        pytest.param(alpha_of(np.r_[[0] * 50, [255] * 50]), True, id="cut-off-on-three-sides"),
        pytest.param(TOY[:, :, 3], True, id="toy"),
        pytest.param(alpha_of(255), False, id="opaque"),
        pytest.param(alpha_of(np.r_[[0] * 1, [255] * 99])[:, :50], True, id="a-hundredth-is-clear"),
        pytest.param(np.where(np.arange(10_000).reshape(100, 100) < 50, 0, 255).astype(np.uint8),
                     False, id="stray-pixels"),
        pytest.param(alpha_of(np.linspace(0, 255, 100)), False, id="fades-out"),
        pytest.param(alpha_of(np.r_[[0] * 50, [120] * 50]), False, id="watermark"),
        pytest.param(round_corners(), False, id="round-corners"),
        pytest.param(np.pad(alpha_of(255)[:2, :1], 49), False, id="next-to-nothing"),
    ],
)  # fmt: skip
def test_tells_a_cut_from_other_transparency(alpha: npt.NDArray[np.uint8], *, kept: bool) -> None:
    assert is_cut(alpha) is kept


@pytest.mark.parametrize("options", [{}, {"cut": "auto"}, {"cut": "keep"}])
async def test_a_product_cut_out_already_loses_not_one_pixel(
    client: AsyncClient, inference: FakeInferenceServer, options: RenderOptions
) -> None:
    options["background"] = "transparent"
    shot = await client.render(encode(TOY), **options)
    rgba = np.asarray(decode(shot.picture))
    assert (rgba[:, :, 3] == TOY[:, :, 3]).all()
    shown = TOY[:, :, 3] > 0
    assert (rgba[shown] == TOY[shown]).all()
    assert shown_to(inference) == 0
    assert (shot.cut, shot.confidence, shot.model, shot.model_version) == ("keep", 1.0, "", "")
    assert shot.stages_s["infer"] == 0
    assert shot.stages_s["prepare"] == 0


async def test_refine_asks_the_network_as_ever(
    client: AsyncClient, inference: FakeInferenceServer
) -> None:
    shot = await client.render(encode(TOY), cut="refine")
    assert (shot.cut, shot.model) == ("refine", "matte")
    assert shown_to(inference) == 1


@pytest.mark.parametrize("cut", ["auto", "refine"])
async def test_a_photo_without_a_cut_is_cut_by_the_network(
    client: AsyncClient, inference: FakeInferenceServer, cut: str
) -> None:
    half = np.dstack([product_photo(), np.full((90, 120), 128, np.uint8)])
    for photo in (encode(product_photo(), "JPEG"), encode(half)):
        inference.seen.clear()
        shot = await client.render(photo, cut=cut)  # type: ignore[arg-type]
        assert shot.cut == "refine"
        assert shown_to(inference) == 1


@pytest.mark.parametrize(
    "photo",
    [
        pytest.param(lambda: encode(product_photo(), "JPEG"), id="none"),
        pytest.param(
            lambda: encode(np.dstack([product_photo(), np.full((90, 120), 255, np.uint8)])),
            id="opaque",
        ),
    ],
)
async def test_nothing_can_be_kept_where_nothing_is_transparent(
    client: AsyncClient, photo: Callable[[], bytes]
) -> None:
    with pytest.raises(InvalidRequestError, match="cut is keep, but nothing"):
        await client.render(photo(), cut="keep")


@pytest.mark.parametrize("cut", ["auto", "keep", "refine"])
async def test_a_photo_that_is_transparent_all_over_shows_no_product(
    client: AsyncClient, inference: FakeInferenceServer, cut: str
) -> None:
    clear = np.dstack([product_photo(), np.zeros((90, 120), np.uint8)])
    with pytest.raises(NoForegroundError, match="transparent all over"):
        await client.render(encode(clear), cut=cut)  # type: ignore[arg-type]
    assert shown_to(inference) == 0


async def test_a_cut_of_which_nothing_is_half_opaque_shows_no_product(client: AsyncClient) -> None:
    faint = np.dstack([product_photo(), np.full((90, 120), 100, np.uint8)])
    with pytest.raises(NoForegroundError, match="nothing half opaque"):
        await client.render(encode(faint), cut="keep")


async def test_keeping_needs_no_model_at_all(
    client: AsyncClient, inference: FakeInferenceServer
) -> None:
    inference.known = []
    assert (await client.render(encode(TOY), cut="keep")).cut == "keep"


async def test_colours_under_transparency_come_to_light_nowhere(client: AsyncClient) -> None:
    """What was there before the product was cut out, in green, is still in the file."""
    rgba = np.dstack([product_photo(), np.zeros((90, 120), np.uint8)])
    rgba[:, :, :3] = (0, 255, 0)
    rgba[20:70, 30:90] = (*RED, 255)
    for options in (
        RenderOptions(background="white", size=300, format="png"),
        RenderOptions(background="transparent", crop=True, margin="20%", size=64, format="png"),
        RenderOptions(background="blur", format="png"),
        RenderOptions(background="transparent", shadow="drop", format="png"),
    ):
        shot = await client.render(encode(rgba), **options)
        seen = np.asarray(decode(shot.picture).convert("RGB"), int)
        green = seen[:, :, 1] - seen[:, :, [0, 2]].max(axis=2)
        assert green.max() <= 4, options


async def test_a_kept_cut_is_judged_by_a_preset_like_any_other(client: AsyncClient) -> None:
    shot = await client.render(encode(TOY), preset="amazon-main")
    assert shot.cut == "keep"
    assert shot.verdict is not None
    background = next(check for check in shot.verdict.checks if check.rule == "background")
    assert background.passed


async def test_an_unknown_choice_is_refused(client: AsyncClient) -> None:
    with pytest.raises(ValueError, match="keep, refine, auto"):
        await client.render(encode(TOY), cut="other")  # type: ignore[arg-type]
