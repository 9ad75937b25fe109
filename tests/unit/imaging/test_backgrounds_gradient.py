"""Gradients against their exact values, and the noise that rounds them."""

from math import cos, hypot, radians, sin

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.compose.backgrounds.dither import PARTS, TILE_PX, blue_noise, dither, noise_rows
from imaging.compose.backgrounds.gradient import paint_gradient
from imaging.compose.composition import LinearGradient, Point, RadialGradient
from imaging.types import WHITE, Color

BLACK, GREY, ORANGE = Color(0, 0, 0), Color(201, 202, 203), Color(255, 120, 7)

channels = st.integers(0, 255)
colors = st.lists(st.builds(Color, channels, channels, channels), min_size=2, max_size=8)
sides = st.integers(1, 150)
shares = st.floats(0, 1)
gradients = st.one_of(
    st.builds(LinearGradient, colors.map(tuple), st.floats(-720, 720)),
    st.builds(RadialGradient, colors.map(tuple), st.builds(Point, shares, shares)),
)


def exact(
    gradient: LinearGradient | RadialGradient, width: int, height: int
) -> npt.NDArray[np.float64]:
    """Evaluate the definition for every pixel."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    if isinstance(gradient, LinearGradient):
        angle = radians(gradient.angle_deg)
        right, down = round(sin(angle), 9), round(-cos(angle), 9)
        along = (x - (width - 1) / 2) * right + (y - (height - 1) / 2) * down
        longest = abs(right) * (width - 1) + abs(down) * (height - 1)
        share = along / longest + 0.5 if longest > 1e-6 else np.full_like(x, 0.5)
    else:
        left, top = gradient.center.x * (width - 1), gradient.center.y * (height - 1)
        longest = hypot(max(left, width - 1 - left), max(top, height - 1 - top))
        share = np.hypot(x - left, y - top) / longest if longest else np.zeros_like(x)
    values = np.array(gradient.colors, np.float64)
    stops = np.linspace(0, 1, len(values))
    return np.stack([np.interp(share, stops, channel) for channel in values.T], axis=2)


@settings(max_examples=80, deadline=None)
@given(gradient=gradients, width=sides, height=sides)
def test_every_pixel_is_within_a_level_of_the_exact_gradient(
    gradient: LinearGradient | RadialGradient, width: int, height: int
) -> None:
    pixels = paint_gradient(gradient, width, height)
    assert pixels.shape == (height, width, 3)
    assert pixels.dtype == np.uint8
    # A level, and what the 65536 steps along the gradient may be off.
    step = 255 * len(gradient.colors) / 65535
    assert np.abs(pixels - exact(gradient, width, height)).max() < 1 + step


@pytest.mark.parametrize(
    "gradient",
    [
        LinearGradient((WHITE, GREY)),
        LinearGradient((GREY, ORANGE, BLACK, WHITE), angle_deg=37.0),
        RadialGradient((ORANGE, GREY)),
    ],
)
def test_rounding_moves_no_average(gradient: LinearGradient | RadialGradient) -> None:
    error = paint_gradient(gradient, 640, 512) - exact(gradient, 640, 512)
    assert np.abs(error.mean(axis=(0, 1))).max() < 0.01
    blocks = error.reshape(8, 64, 10, 64, 3).mean(axis=(1, 3))
    assert np.abs(blocks).max() < 0.05


@given(width=sides, height=sides, ends=st.tuples(channels, channels))
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize(
    ("angle_deg", "first", "last"),
    [
        (30.0, (-1, 0), (0, -1)),
        (120.0, (0, 0), (-1, -1)),
        (225.0, (0, -1), (-1, 0)),
        (-45.0, (-1, -1), (0, 0)),
    ],
)
def test_opposite_corners_have_exactly_the_end_colours(
    angle_deg: float,
    first: tuple[int, int],
    last: tuple[int, int],
    width: int,
    height: int,
    ends: tuple[int, int],
) -> None:
    colors = tuple(Color(end, 255 - end, 7) for end in ends)
    pixels = paint_gradient(LinearGradient(colors, angle_deg), width + 1, height + 1)
    assert tuple(pixels[first]) == colors[0]
    assert tuple(pixels[last]) == colors[1]


@pytest.mark.parametrize(("angle_deg", "turns"), [(0, 0), (90, 3), (180, 2), (270, 1), (360, 0)])
def test_at_right_angles_whole_sides_have_the_end_colours(angle_deg: float, turns: int) -> None:
    pixels = paint_gradient(LinearGradient((ORANGE, BLACK), angle_deg), 90, 90)
    upright = np.rot90(pixels, -turns + 4) if turns % 2 == 0 else np.rot90(pixels, turns - 2)
    ends = (upright[-1], upright[0])
    assert all((end == color).all() for end, color in zip(ends, (ORANGE, BLACK), strict=True))


def test_a_line_that_has_next_to_no_length_is_its_middle_throughout() -> None:
    pixels = paint_gradient(LinearGradient((BLACK, Color(0, 0, 100)), 1.192092896e-07), 2, 1)
    assert (pixels == (0, 0, 50)).all()


def test_a_radial_gradient_ends_in_the_farthest_corner() -> None:
    pixels = paint_gradient(RadialGradient((WHITE, GREY, BLACK), Point(0.0, 1.0)), 301, 201)
    assert tuple(pixels[-1, 0]) == WHITE
    assert tuple(pixels[0, -1]) == BLACK
    middle = paint_gradient(RadialGradient((WHITE, BLACK)), 301, 201)
    assert tuple(middle[100, 150]) == WHITE
    assert not middle[[0, 0, -1, -1], [0, -1, 0, -1]].any()


@given(gradient=gradients, width=sides, height=sides)
@settings(max_examples=30, deadline=None)
def test_between_equal_colours_there_is_no_noise(
    gradient: LinearGradient | RadialGradient, width: int, height: int
) -> None:
    color = gradient.colors[0]
    flat = type(gradient)((color,) * 3)
    assert (paint_gradient(flat, width, height) == color).all()


def test_where_two_neighbours_are_equal_only_the_rest_is_noisy() -> None:
    pixels = paint_gradient(LinearGradient((GREY, GREY, WHITE)), 200, 401)
    assert (pixels[:201] == GREY).all()
    assert (pixels[300] != GREY).any()


def test_equal_requests_give_equal_bytes() -> None:
    gradient = RadialGradient((ORANGE, GREY), Point(0.3, 0.9))
    assert (paint_gradient(gradient, 333, 77) == paint_gradient(gradient, 333, 77)).all()


def test_rows_follow_each_other_monotonically_and_grey_stays_grey() -> None:
    pixels = paint_gradient(LinearGradient((BLACK, WHITE)), TILE_PX * 4, 500)
    assert (np.diff(pixels.mean(axis=(1, 2))) > 0).all()
    assert (pixels == pixels[:, :, :1]).all()


def test_a_slow_gradient_has_no_bands() -> None:
    """Three levels over 600 rows: without noise, averages would stand still for 200 rows each."""
    pixels = paint_gradient(LinearGradient((Color(200, 200, 200), Color(203, 203, 203))), 512, 600)
    averages = pixels[:, :, 0].reshape(20, 30, 512).mean(axis=(1, 2))
    assert np.allclose(np.diff(averages), 3 / 20, atol=0.03)


def test_the_noise_has_every_threshold_equally_often_and_no_low_frequencies() -> None:
    noise = blue_noise()
    assert (np.bincount(noise.ravel(), minlength=PARTS) == noise.size // PARTS).all()
    power = np.abs(np.fft.fft2(noise.astype(np.float64) - noise.mean())) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(TILE_PX), np.fft.fftfreq(TILE_PX)))
    low = power[(frequency > 0) & (frequency < 0.15)].mean()
    assert low < 0.05 * power.mean()


@given(level=st.integers(0, 255 * PARTS), rows=st.integers(1, 140), columns=st.integers(1, 140))
@settings(max_examples=40, deadline=None)
def test_dithered_values_are_the_two_whole_levels_around(
    level: int, rows: int, columns: int
) -> None:
    pixels = dither(np.full((rows, columns, 3), level, np.uint16), noise_rows(columns, 3))
    assert pixels.shape == (rows, columns, 3)
    assert set(np.unique(pixels)) <= {level // PARTS, -(-level // PARTS)}
