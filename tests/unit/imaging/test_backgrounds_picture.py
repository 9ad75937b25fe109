"""A caller's picture as the background: where its halves come to lie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.compose.backgrounds.picture import paint_picture
from imaging.compose.composition import BackgroundPicture, Fit, Point
from imaging.types import Color, Photo, Pixels

RED, BLUE, GREEN = Color(200, 30, 40), Color(20, 60, 220), Color(10, 180, 90)


def halves(width: int, height: int) -> Pixels:
    """Return a picture with red left and blue right."""
    rgb = np.full((height, width, 3), RED, np.uint8)
    rgb[:, width // 2 :] = BLUE
    return rgb


def red_columns(pixels: Pixels) -> float:
    """Count the columns that are red, parts of one included; all rows must be alike."""
    assert (pixels == pixels[:1]).all()
    share = (pixels[0].astype(float) - BLUE) @ (np.subtract(RED, BLUE))
    return float(share.sum() / (np.subtract(RED, BLUE) ** 2).sum())


@pytest.mark.parametrize("scale", [1, 3, 0.5])
@pytest.mark.parametrize(("x", "red"), [(0.0, 100), (0.25, 75), (0.5, 50), (1.0, 0)])
def test_a_filling_picture_is_cut_where_its_position_says(
    scale: float, x: float, red: float
) -> None:
    picture = BackgroundPicture(Photo(halves(200, 100)), Fit.FILL, Point(x, 0.5))
    side = round(100 * scale)
    pixels = paint_picture(picture, side, side)
    assert red_columns(pixels) == pytest.approx(red * scale, abs=0.51)


def test_a_filling_picture_that_is_too_tall_is_cut_above_and_below() -> None:
    rgb = np.ascontiguousarray(halves(200, 100).transpose(1, 0, 2))
    picture = BackgroundPicture(Photo(rgb), Fit.FILL, Point(0.5, 1.0))
    assert (paint_picture(picture, 100, 100) == BLUE).all()


@pytest.mark.parametrize(("y", "top"), [(0.0, 0), (0.5, 50), (1.0, 100)])
def test_a_fitted_picture_is_seen_whole_with_its_colour_beside_it(y: float, top: int) -> None:
    picture = BackgroundPicture(Photo(halves(60, 30)), Fit.FIT, Point(0.0, y), GREEN)
    pixels = paint_picture(picture, 200, 200)
    inside = slice(top, top + 100)
    assert red_columns(pixels[inside]) == pytest.approx(100, abs=0.5)
    assert (np.delete(pixels, inside, axis=0) == GREEN).all()


def test_a_fitted_picture_that_is_too_tall_has_its_colour_left_and_right() -> None:
    picture = BackgroundPicture(Photo(halves(30, 60)), Fit.FIT, Point(1.0, 0.0), GREEN)
    pixels = paint_picture(picture, 200, 100)
    assert (pixels[:, :150] == GREEN).all()
    assert red_columns(pixels[:, 150:]) == pytest.approx(25, abs=0.5)


@pytest.mark.parametrize("position", [Point(0.0, 0.0), Point(1.0, 1.0)])
def test_a_stretched_picture_keeps_its_halves_wherever_it_is_positioned(position: Point) -> None:
    picture = BackgroundPicture(Photo(halves(40, 90)), Fit.STRETCH, position)
    assert red_columns(paint_picture(picture, 300, 50)) == pytest.approx(150, abs=0.5)


@pytest.mark.parametrize("fit", list(Fit))
def test_behind_a_transparent_picture_is_its_colour(fit: Fit) -> None:
    rgb = halves(80, 80)
    alpha = np.full((80, 80), 255, np.uint8)
    alpha[:, :40] = 0
    pixels = paint_picture(BackgroundPicture(Photo(rgb, alpha), fit, color=GREEN), 160, 160)
    assert (pixels[:, :78] == GREEN).all()
    assert (pixels[:, 82:] == BLUE).all()
    alpha[:] = 51
    pixels = paint_picture(BackgroundPicture(Photo(rgb, alpha), fit, color=GREEN), 80, 80)
    assert np.abs(pixels[:, 60:] - (0.2 * np.array(BLUE) + 0.8 * np.array(GREEN))).max() <= 1


@pytest.mark.parametrize("fit", list(Fit))
def test_a_picture_of_the_frames_size_is_taken_as_it_is(fit: Fit) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (37, 53, 3), np.uint8)
    assert (paint_picture(BackgroundPicture(Photo(rgb), fit, Point(0.1, 0.9)), 53, 37) == rgb).all()


@settings(max_examples=60, deadline=None)
@given(
    fit=st.sampled_from(Fit),
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    frame=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    position=st.builds(Point, st.floats(0, 1), st.floats(0, 1)),
)
def test_pictures_of_every_shape_meet_frames_of_every_shape(
    fit: Fit, size: tuple[int, int], frame: tuple[int, int], position: Point
) -> None:
    rgb = np.full((*size, 3), RED, np.uint8)
    pixels = paint_picture(BackgroundPicture(Photo(rgb), fit, position, GREEN), *frame)
    assert pixels.shape == (frame[1], frame[0], 3)
    red = (pixels == RED).all(axis=2)
    assert (red | (pixels == GREEN).all(axis=2)).all()
    assert red.any()
    if fit is not Fit.FIT:
        assert red.all()
    else:
        assert red.all(axis=1).any() or red.all(axis=0).any()
