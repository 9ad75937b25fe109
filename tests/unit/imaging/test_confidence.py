"""How sure a matte says it is, and whether it shows a product at all."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.rendered_scenes import render_scene, small_matte
from imaging.errors import NoForegroundError
from imaging.matting.confidence import confidence
from imaging.matting.presence import check_product, has_product
from imaging.types import Pixels

SIDE = 256


def empty() -> Pixels:
    return np.zeros((SIDE, SIDE), np.uint8)


def square(side: int, value: int = 255) -> Pixels:
    matte = empty()
    matte[100 : 100 + side, 50 : 50 + side] = value
    return matte


def noise(seed: int, lowest: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(lowest, 256, (31, 47), np.uint8)


def test_a_matte_without_doubt_is_fully_sure() -> None:
    assert confidence(square(40)) == 1
    assert confidence(np.full((5, 7), 255, np.uint8)) == 1


@pytest.mark.parametrize("value", [0, 1, 127])
def test_a_matte_that_never_reaches_one_half_is_not_sure_at_all(value: int) -> None:
    assert confidence(square(40, value)) == 0


def test_it_is_expected_intersection_over_expected_union() -> None:
    matte = np.array([[255, 204, 128], [102, 51, 0]], np.uint8)
    intersection = (255 + 204 + 128) / 255
    assert confidence(matte) == pytest.approx(intersection / (3 + (102 + 51) / 255))


@given(seed=st.integers(0, 999))
@settings(deadline=None, max_examples=20)
def test_it_is_near_the_mean_over_truths_drawn_from_the_matte(seed: int) -> None:
    matte = noise(seed)
    cut = matte >= 128
    rng = np.random.default_rng(seed + 1)
    truths = rng.random((200, *matte.shape)) < matte / 255
    ious = (truths & cut).sum(axis=(1, 2)) / (truths | cut).sum(axis=(1, 2))
    assert confidence(matte) == pytest.approx(ious.mean(), abs=0.01)


@given(seed=st.integers(0, 999), faded=st.floats(0.1, 1))
@settings(deadline=None, max_examples=50)
def test_it_lies_within_0_and_1_and_fading_the_product_makes_it_less_sure(
    seed: int, faded: float
) -> None:
    matte = noise(seed, lowest=1)
    product = matte >= 128
    weaker = np.where(product, 128 + (matte - 128.0) * faded, matte).astype(np.uint8)
    assert 0 <= confidence(weaker) <= confidence(matte) <= 1


@given(seed=st.integers(0, 999))
@settings(deadline=None, max_examples=20)
def test_where_the_cells_lie_is_of_no_account(seed: int) -> None:
    matte = noise(seed)
    assert confidence(np.rot90(matte)) == confidence(matte)


def test_soft_edges_cost_little() -> None:
    assert confidence(small_matte(render_scene(0, 1024).alpha, SIDE)) > 0.9


def test_a_doubtful_matte_is_less_sure_than_a_clear_one() -> None:
    assert confidence(square(60, 150)) < 0.6
    assert confidence(square(60, 240)) > 0.9


@pytest.mark.parametrize("side", [8, 20, 256])
def test_a_product_of_three_percent_of_the_photo_s_width_and_more_is_accepted(side: int) -> None:
    matte = empty()
    matte[:side, :side] = 255
    assert has_product(matte)
    check_product(matte)


def test_a_needle_is_accepted() -> None:
    matte = empty()
    matte[100, 60:140] = 255
    assert has_product(matte)


@pytest.mark.parametrize(
    "matte",
    [
        empty(),
        np.full((SIDE, SIDE), 120, np.uint8),
        np.full((SIDE, SIDE), 229, np.uint8),
        square(100, 230),
        square(5),
    ],
    ids=["empty", "all faint", "plain ground", "unsure everywhere", "a crumb"],
)
def test_a_matte_without_a_product_is_refused_with_figures(matte: Pixels) -> None:
    assert not has_product(matte)
    with pytest.raises(NoForegroundError, match="no product") as caught:
        check_product(matte)
    assert caught.value.field == "photo"
    figures = caught.value.figures
    assert int(figures["highest_alpha"]) == matte.max()
    assert math.isclose(
        float(figures["product_share"]), (matte >= 128).mean(), rel_tol=0, abs_tol=1e-6
    )
    lacking = (
        float(figures["product_share"]) < float(figures["needed_product_share"]),
        float(figures["sure_share"]) < float(figures["needed_sure_share"]),
    )
    assert any(lacking)


@pytest.mark.parametrize("side", [1, 2, 8])
def test_of_a_tiny_matte_one_cell_is_enough(side: int) -> None:
    matte = np.zeros((side, side), np.uint8)
    assert not has_product(matte)
    matte[0, 0] = 255
    assert has_product(matte)
