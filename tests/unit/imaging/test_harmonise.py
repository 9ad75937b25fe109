"""Properties of moving a product's colours towards a background's."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.compose.staging.harmonise import MAX_CHROMA, MAX_LIGHTNESS, match_colors
from imaging.types import Pixels

GREY, DARK, WARM, COOL = (128, 128, 128), (20, 20, 20), (230, 150, 80), (70, 140, 220)


def noise(seed: int, *shape: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def plain(color: tuple[int, int, int], side_px: int = 40) -> Pixels:
    return np.full((side_px, side_px, 3), color, np.uint8)


def textured(color: tuple[int, int, int]) -> Pixels:
    return np.asarray(noise(5, 40, 40, 1) // 5 + np.array(color, np.uint8) - 25, np.uint8)


def lab(rgb: Pixels) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)


def opaque(side_px: int = 40) -> Pixels:
    return np.full((side_px, side_px), 255, np.uint8)


@pytest.mark.parametrize(
    ("product", "background", "channel", "direction"),
    [
        (GREY, (240, 240, 240), 0, 1),
        (GREY, DARK, 0, -1),
        (GREY, WARM, 2, 1),
        (GREY, COOL, 2, -1),
        (COOL, WARM, 1, 1),
        (WARM, COOL, 2, -1),
    ],
)
def test_the_mean_moves_towards_the_background_within_its_bound(
    product: tuple[int, int, int],
    background: tuple[int, int, int],
    channel: int,
    direction: int,
) -> None:
    rgb = textured(product)
    move = (lab(match_colors(rgb, opaque(), plain(background), 1)) - lab(rgb)).mean(axis=(0, 1))
    bound = MAX_CHROMA if channel else MAX_LIGHTNESS
    assert 2 < direction * move[channel] <= bound + 0.3


def test_a_half_strength_moves_half_as_far() -> None:
    rgb = textured(GREY)
    half, full = (
        (lab(match_colors(rgb, opaque(), plain(WARM), strength)) - lab(rgb)).mean(axis=(0, 1))
        for strength in (0.5, 1.0)
    )
    assert half == pytest.approx(full / 2, abs=0.3)


@given(seed=st.integers(0, 20), background=st.tuples(*[st.integers(0, 255)] * 3))
@settings(deadline=None, max_examples=15)
def test_no_colour_moves_beyond_the_bounds(seed: int, background: tuple[int, int, int]) -> None:
    # Of colours well inside the gamut, where nothing is cut off on the way back.
    rgb = (noise(seed, 40, 40, 3) // 3 + 90).astype(np.uint8)
    move = np.abs(lab(match_colors(rgb, opaque(), plain(background), 1)) - lab(rgb))
    assert move[:, :, 0].max() <= MAX_LIGHTNESS + 1
    assert move[:, :, 1:].max() <= MAX_CHROMA + 2


@given(
    seed=st.integers(0, 99),
    size=st.tuples(*[st.integers(1, 70)] * 2),
    behind=st.tuples(*[st.integers(1, 70)] * 2),
    strength=st.floats(0, 1),
)
@settings(deadline=None, max_examples=30)
def test_where_there_is_no_product_nothing_changes(
    seed: int, size: tuple[int, int], behind: tuple[int, int], strength: float
) -> None:
    rgb, alpha = noise(seed, *size, 3), noise(seed + 1, *size)
    alpha[noise(seed + 2, *size) < 128] = 0
    kept = rgb.copy()
    matched = match_colors(rgb, alpha, noise(seed + 3, *behind, 3), strength)
    assert matched.shape == rgb.shape
    assert (rgb == kept).all()
    assert (matched[alpha == 0] == rgb[alpha == 0]).all()


def test_without_strength_or_product_the_input_itself_comes_back() -> None:
    rgb = textured(GREY)
    assert match_colors(rgb, opaque(), plain(WARM), 0) is rgb
    assert match_colors(rgb, np.zeros((40, 40), np.uint8), plain(WARM), 1) is rgb


def test_a_product_before_itself_stays_as_it_is() -> None:
    rgb = textured(WARM)
    matched = match_colors(rgb, opaque(), rgb, 1)
    assert np.abs(matched.astype(int) - rgb).max() <= 1


@pytest.mark.parametrize("background", [DARK, WARM, COOL])
def test_a_white_product_stays_nearly_white(background: tuple[int, int, int]) -> None:
    matched = lab(match_colors(plain((255, 255, 255)), opaque(), plain(background), 1))
    assert matched[:, :, 0].min() >= 97.5
    assert np.abs(matched[:, :, 1:]).max() <= 2


def test_a_black_product_does_not_turn_hazy() -> None:
    matched = lab(match_colors(plain((0, 0, 0)), opaque(), plain((255, 255, 255)), 1))
    assert 1 < matched[:, :, 0].mean() < 0.5 * MAX_LIGHTNESS


def test_only_the_product_counts_not_what_lies_around_it() -> None:
    alpha = np.zeros((40, 40), np.uint8)
    alpha[10:30, 10:30] = 255
    rgb = plain(GREY)
    rgb[alpha == 0] = (255, 255, 255)
    matched = match_colors(rgb, alpha, plain(GREY), 1)
    assert np.abs(matched.astype(int) - rgb).max() <= 1


def test_a_gradient_stays_a_gradient() -> None:
    """The map has steps, none of them visible."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(8, axis=0)
    opacity = np.full(ramp.shape[:2], 255, np.uint8)
    for background in (DARK, WARM, (250, 250, 250)):
        matched = match_colors(ramp, opacity, plain(background), 1)
        steps = np.diff(matched[0].astype(int), axis=0)
        assert steps.min() >= -2
        assert steps.max() <= 5
