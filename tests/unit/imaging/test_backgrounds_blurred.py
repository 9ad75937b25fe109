"""The photo's own background, blurred: no trace of the product, no seams."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.compose.backgrounds.blurred import paint_blurred
from imaging.compose.composition import Blur
from imaging.framing.frame import Placement
from imaging.types import Box, Pixels

LEFT, RIGHT, PRODUCT = (90, 140, 60), (150, 110, 200), (255, 0, 30)


def whole(photo: Pixels, magnification: float = 1.0) -> Placement:
    """Place all of a photo in a frame of its own shape."""
    height, width = photo.shape[:2]
    box = Box(0, 0, max(round(width * magnification), 1), max(round(height * magnification), 1))
    return Placement(box.right, box.bottom, Box(0, 0, width, height), box, box, magnification)


def two_colours(width: int = 480, height: int = 360) -> Pixels:
    photo = np.full((height, width, 3), LEFT, np.uint8)
    photo[:, width // 2 :] = RIGHT
    return photo


def with_product(photo: Pixels, softness_px: float) -> tuple[Pixels, Pixels]:
    """Mix a disc of one colour into the middle of a photo, with an edge as soft as wanted."""
    height, width = photo.shape[:2]
    alpha = np.zeros((height, width), np.uint8)
    cv2.circle(alpha, (width // 2, height // 2), height // 3, 255, -1)
    if softness_px:
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), softness_px), np.uint8)
    share = alpha[:, :, None] / 255
    mixed = share * np.array(PRODUCT) + (1 - share) * photo
    return np.rint(mixed).astype(np.uint8), alpha


@pytest.mark.parametrize("softness_px", [0, 3, 12])
@pytest.mark.parametrize("strength", [0.001, 0.01, 0.05, 0.2])
def test_the_product_leaves_no_trace_of_its_colour(strength: float, softness_px: float) -> None:
    """All colours lie between those of the background, but for the faintest part of the edge."""
    photo, alpha = with_product(two_colours(), softness_px)
    blurred = paint_blurred(photo, alpha, whole(photo), Blur(strength)).astype(int)
    low, high = np.minimum(LEFT, RIGHT), np.maximum(LEFT, RIGHT)
    assert (blurred - high).max() <= 2
    assert (low - blurred).max() <= 2


def test_on_one_colour_there_is_no_halo_at_all() -> None:
    photo, alpha = with_product(np.full((360, 480, 3), LEFT, np.uint8), 4)
    blurred = paint_blurred(photo, alpha, whole(photo), Blur(0.02))
    assert np.abs(blurred.astype(int) - LEFT).max() <= 1


def test_without_a_product_it_is_a_gaussian_blur() -> None:
    chance = np.random.default_rng(0)
    patches = chance.integers(0, 256, (9, 12, 3), np.uint8)
    photo = cv2.resize(patches, (960, 720), interpolation=cv2.INTER_NEAREST)
    rgb = np.asarray(photo, np.uint8)
    for strength in (0.003, 0.02, 0.1):
        blurred = paint_blurred(rgb, np.zeros((720, 960), np.uint8), whole(rgb), Blur(strength))
        exact = cv2.GaussianBlur(
            rgb.astype(np.float32), (0, 0), strength * 960, borderType=cv2.BORDER_REFLECT
        )
        assert np.abs(blurred - exact).max() < 6
        assert abs(float((blurred - exact).mean())) < 0.2


def test_a_faulty_matte_does_not_let_the_products_edge_through() -> None:
    photo, alpha = with_product(two_colours(1000, 750), 0)
    small = np.asarray(cv2.erode(alpha, np.ones((5, 5), np.uint8)), np.uint8)
    blurred = paint_blurred(photo, small, whole(photo), Blur(0.02)).astype(int)
    assert (blurred - np.maximum(LEFT, RIGHT)).max() <= 2


def test_the_background_stays_where_it_was_behind_the_product() -> None:
    photo, alpha = with_product(two_colours(600, 400), 0)
    source, target = Box(200, 100, 400, 300), Box(500, 150, 700, 350)
    placement = Placement(900, 500, source, target, target, 1.0)
    row = paint_blurred(photo, alpha, placement, Blur(0.01))[60, :, 0].astype(float)
    # The photo's middle, at 300, has moved to 600.
    crossing = int(np.argmax(row > (LEFT[0] + RIGHT[0]) / 2))
    assert crossing == pytest.approx(600, abs=1)


def striped(period_px: int) -> Pixels:
    column = np.where(np.arange(400) % period_px < period_px // 2, 60, 180)
    return np.repeat(np.tile(column, (300, 1))[:, :, None], 3, axis=2).astype(np.uint8)


def test_beyond_the_photo_it_goes_on_without_a_seam() -> None:
    ramp = np.linspace(20, 230, 200, dtype=np.float32)
    photo = np.repeat(np.tile(ramp, (150, 1))[:, :, None], 3, axis=2).astype(np.uint8)
    target = Box(300, 200, 500, 350)
    placement = Placement(800, 550, Box(0, 0, 200, 150), target, target, 1.0)
    blurred = paint_blurred(photo, np.zeros((150, 200), np.uint8), placement, Blur(0.01))
    row = blurred[220:330].astype(float).mean(axis=(0, 2))
    # The ramp itself climbs 1.06 a pixel; back it goes to its broad colours as well.
    assert np.abs(np.diff(row)).max() < 3
    assert np.allclose(row[500:505], row[495:500][::-1], atol=1.5)
    column = blurred[:, 330:470].astype(float).mean(axis=(1, 2))
    assert np.abs(np.diff(column)).max() < 1


def test_far_beyond_the_photo_nothing_repeats_itself() -> None:
    target = Box(800, 600, 1200, 900)
    placement = Placement(2000, 1500, Box(0, 0, 400, 300), target, target, 1.0)
    photo = striped(100)
    blurred = paint_blurred(photo, np.zeros((300, 400), np.uint8), placement, Blur(0.005))
    row = blurred[650:850].astype(float).mean(axis=(0, 2))
    assert np.ptp(row[800:1200]) > 80
    assert np.ptp(row[1220:1260]) > 30
    assert np.ptp(row[1420:]) < 12
    assert np.ptp(row[:580]) < 12


def test_with_no_background_it_is_grey_as_bright_as_the_photos_border() -> None:
    photo = np.full((40, 60, 3), (255, 0, 0), np.uint8)
    photo[1:-1, 1:-1] = 255
    blurred = paint_blurred(photo, np.full((40, 60), 255, np.uint8), whole(photo), Blur())
    assert (blurred == 76).all()


def test_a_slow_background_is_dithered_and_equal_requests_give_equal_bytes() -> None:
    photo = np.full((300, 400, 3), 100, np.uint8)
    photo[150:] = 103
    blurred = paint_blurred(photo, np.zeros((300, 400), np.uint8), whole(photo), Blur(0.2))
    assert (blurred[100] != blurred[100, 0]).any()
    again = paint_blurred(photo, np.zeros((300, 400), np.uint8), whole(photo), Blur(0.2))
    assert (blurred == again).all()


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    frame=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    magnification=st.floats(0.02, 30),
    strength=st.floats(0.001, 0.2),
)
def test_one_colour_stays_that_colour_at_every_size(
    size: tuple[int, int],
    frame: tuple[int, int],
    magnification: float,
    strength: float,
) -> None:
    photo = np.full((*size, 3), LEFT, np.uint8)
    alpha = np.array([0, 128, 255], np.uint8)[np.indices(size).sum(axis=0) % 3]
    photo[alpha > 0] = PRODUCT
    source, target = Box(0, 0, size[1], size[0]), Box(0, 0, *frame)
    placement = Placement(*frame, source, target, target, magnification)
    blurred = paint_blurred(photo, alpha, placement, Blur(strength))
    assert blurred.shape == (frame[1], frame[0], 3)
    # A cell's average is a whole number: half a level is two of them if a quarter is known.
    assert np.abs(blurred.astype(int) - LEFT).max() <= 3
