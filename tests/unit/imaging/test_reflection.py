"""Properties of mirror images below products."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.compose.staging.reflection import REACH, reflect
from imaging.types import Box, Cut, Pixels

PRODUCT = Box(100, 50, 300, 450)


def noise(seed: int, *shape: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def block(value: int = 255) -> Pixels:
    alpha = np.zeros((700, 400), np.uint8)
    alpha[PRODUCT.slices] = value
    return alpha


@given(
    seed=st.integers(0, 9),
    size=st.tuples(*[st.integers(1, 50)] * 2),
    edges=st.tuples(*[st.floats(0, 1)] * 4),
    strength=st.floats(0, 1),
)
@settings(deadline=None, max_examples=60)
def test_the_image_lies_below_the_product_inside_the_frame(
    seed: int,
    size: tuple[int, int],
    edges: tuple[float, float, float, float],
    strength: float,
) -> None:
    height, width = size
    left, right = sorted((int(edges[0] * (width - 1)), int(edges[1] * (width - 1))))
    top, bottom = sorted((int(edges[2] * (height - 1)), int(edges[3] * (height - 1))))
    product = Box(left, top, right + 1, bottom + 1)
    alpha = np.zeros((height, width), np.uint8)
    alpha[product.slices] = noise(seed, product.height, product.width)
    image = reflect(Cut(noise(seed + 1, height, width, 3), alpha, 1.0), product, strength)
    if image is None:
        assert strength == 0 or product.bottom == height
        return
    colors, opacity, box = image
    assert opacity.shape == (box.height, box.width)
    assert colors.shape == (box.height, box.width, 3)
    assert box.top == product.bottom
    assert 0 < box.height <= np.ceil(REACH * product.height)
    assert 0 <= box.left <= product.left < product.right <= box.right <= width
    assert box.bottom <= height
    assert opacity.max() <= np.ceil(255 * strength)


def test_near_the_base_line_it_is_the_flipped_product() -> None:
    smooth = np.asarray(cv2.resize(noise(1, 20, 12, 3), (400, 700)), np.uint8)
    image = reflect(Cut(smooth, block(), 1.0), PRODUCT, 0.5)
    assert image is not None
    colors, opacity, box = image
    inside = slice(PRODUCT.left - box.left + 10, PRODUCT.right - box.left - 10)
    flipped = smooth[PRODUCT.bottom - 10 : PRODUCT.bottom, PRODUCT.left + 10 : PRODUCT.right - 10]
    assert np.abs(colors[:10, inside].astype(int) - flipped[::-1]).max() <= 6
    assert opacity[0, inside].min() == pytest.approx(0.5 * 255, abs=3)


def test_it_fades_and_vanishes_within_its_reach() -> None:
    image = reflect(Cut(noise(2, 700, 400, 3), block(), 1.0), PRODUCT, 0.6)
    assert image is not None
    _, opacity, box = image
    assert box.height == round(REACH * PRODUCT.height)
    totals = opacity.astype(int).sum(axis=1)
    assert (np.diff(totals) <= 0).all()
    assert totals[0] > 0.55 * 255 * PRODUCT.width
    assert opacity[-1].max() <= 1


def test_it_blurs_with_distance() -> None:
    stripes = np.zeros((700, 400, 3), np.uint8)
    stripes[:, ::8] = stripes[:, 1::8] = stripes[:, 2::8] = stripes[:, 3::8] = 255
    image = reflect(Cut(stripes, block(), 1.0), PRODUCT, 1)
    assert image is not None
    colors, _, _ = image
    contrast = colors[:, 60:160, 0].astype(float).std(axis=1)
    assert contrast[0] > 5 * contrast[len(contrast) // 2] > 5 * contrast[-1]


def test_what_hangs_above_the_base_line_is_mirrored_as_far_below_it() -> None:
    alpha = block()
    alpha[420:, 100:200] = 0
    image = reflect(Cut(noise(3, 700, 400, 3), alpha, 1.0), PRODUCT, 1)
    assert image is not None
    _, opacity, box = image
    column = opacity[:, 130 - box.left]
    assert column[:25].max() <= 5
    assert column[35] > 100


@pytest.mark.parametrize("value", [40, 128])
def test_a_see_through_product_has_a_fainter_image_of_the_same_colour(value: int) -> None:
    plain = np.full((700, 400, 3), (200, 90, 30), np.uint8)
    image = reflect(Cut(plain, block(value), 1.0), PRODUCT, 0.8)
    assert image is not None
    colors, opacity, box = image
    middle = 200 - box.left
    assert opacity[0, middle] == pytest.approx(0.8 * value, abs=2)
    assert np.abs(colors[:100, middle].astype(int) - (200, 90, 30)).max() <= 4


def test_without_strength_or_room_there_is_none() -> None:
    rgb, alpha = noise(4, 700, 400, 3), block()
    assert reflect(Cut(rgb, alpha, 1.0), PRODUCT, 0) is None
    assert reflect(Cut(rgb[:450], alpha[:450], 1.0), PRODUCT, 1) is None
