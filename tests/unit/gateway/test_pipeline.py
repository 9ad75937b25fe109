"""Properties of the pipeline's arithmetic, over sizes, mattes, colours and frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import InvalidOptionError, NoForegroundError
from gateway.pipeline.arrays import WHITE, Box, Color, Cut, Photo, Pixels
from gateway.pipeline.blend import composite_over
from gateway.pipeline.compose import compose
from gateway.pipeline.frame import Frame, place_in_frame
from gateway.pipeline.prepare import to_model_input
from gateway.pipeline.refine import cut_out, find_product
from gateway.pipeline.resample import resample

SIDES = st.integers(1, 60)
COLORS = st.builds(Color, *[st.integers(0, 255)] * 3)


def noise(seed: int, *shape: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def square(width_px: int = 0, height_px: int = 0, fill: float = 0.85) -> Frame:
    return Frame(width_px, height_px, fill, max_side_px=10_000, max_pixels=64_000_000)


@given(seed=st.integers(0, 99), height=SIDES, width=SIDES, color=COLORS)
def test_blend_is_exact_to_one_step_and_exact_at_both_ends(
    seed: int, height: int, width: int, color: Color
) -> None:
    rgb, alpha = noise(seed, height, width, 3), noise(seed + 1, height, width)
    alpha[0, 0] = 0
    alpha[-1, -1] = 255
    blended = composite_over(rgb, alpha, color)
    share = alpha[:, :, None] / 255
    exact = rgb * share + np.asarray(color) * (1 - share)
    assert np.abs(blended - exact).max() <= 1
    assert (blended[alpha == 255] == rgb[alpha == 255]).all()
    assert (blended[alpha == 0] == color).all()


@given(seed=st.integers(0, 9), height=SIDES, width=SIDES, new_height=SIDES, new_width=SIDES)
def test_resampling_keeps_a_constant_and_stays_within_the_range(
    seed: int, height: int, width: int, new_height: int, new_width: int
) -> None:
    constant = resample(np.full((height, width, 3), 137, np.uint8), new_width, new_height)
    assert constant.shape == (new_height, new_width, 3)
    assert (constant == 137).all()
    plane = noise(seed, height, width)
    resampled = resample(plane, new_width, new_height)
    assert resampled.shape == (new_height, new_width)
    assert plane.min() <= resampled.min() <= resampled.max() <= plane.max()


@settings(deadline=None)
@given(
    photo_size=st.tuples(st.integers(16, 90), st.integers(16, 90)),
    edges=st.tuples(*[st.floats(0, 1)] * 4),
    frame_size=st.one_of(st.just((0, 0)), st.tuples(st.integers(16, 200), st.integers(16, 200))),
    fill=st.floats(0.05, 1),
    color=COLORS,
)
def test_a_frame_holds_the_whole_product_centred_at_its_fill(
    photo_size: tuple[int, int],
    edges: tuple[float, float, float, float],
    frame_size: tuple[int, int],
    fill: float,
    color: Color,
) -> None:
    width, height = photo_size
    left, right = sorted((int(edges[0] * (width - 1)), int(edges[1] * (width - 1))))
    top, bottom = sorted((int(edges[2] * (height - 1)), int(edges[3] * (height - 1))))
    box = Box(left, top, right + 1, bottom + 1)
    alpha = np.zeros((height, width), np.uint8)
    alpha[box.slices] = 255
    cut = Cut(np.full((height, width, 3), 99, np.uint8), alpha)

    made = compose(cut, color, square(*frame_size, fill))

    frame_height, frame_width = made.pixels.shape[:2]
    assert 0 <= made.product.left < made.product.right <= frame_width
    assert 0 <= made.product.top < made.product.bottom <= frame_height
    if frame_size != (0, 0):
        assert (frame_width, frame_height) == frame_size
        tighter = max(made.product.width / frame_width, made.product.height / frame_height)
        assert tighter == pytest.approx(fill, abs=1 / min(frame_size))
    else:
        assert made.product_scale == 1
        assert (made.product.width, made.product.height) == (box.width, box.height)
    assert abs(made.product.left - (frame_width - made.product.right)) <= 1
    assert abs(made.product.top - (frame_height - made.product.bottom)) <= 1
    # Outside the product's box, one pixel of rounding aside, there is nothing but background.
    outside = np.ones((frame_height, frame_width), bool)
    outside[
        max(made.product.top - 1, 0) : made.product.bottom + 1,
        max(made.product.left - 1, 0) : made.product.right + 1,
    ] = False
    assert (made.pixels[outside] == color).all()


@given(seed=st.integers(0, 99), color=COLORS)
def test_without_a_frame_the_inside_is_the_photo_and_the_outside_the_background(
    seed: int, color: Color
) -> None:
    rgb = noise(seed, 40, 50, 3)
    alpha = np.zeros((40, 50), np.uint8)
    alpha[10:30, 5:20] = 255
    made = compose(Cut(rgb, alpha), color, None)
    assert made.product == Box(5, 10, 20, 30)
    assert made.product_scale == 1
    assert (made.pixels[alpha == 255] == rgb[alpha == 255]).all()
    assert (made.pixels[alpha == 0] == color).all()


def test_a_transparent_background_keeps_colour_and_alpha_apart() -> None:
    rgb, alpha = noise(3, 40, 50, 3), noise(4, 40, 50)
    made = compose(Cut(rgb, alpha), None, None)
    assert (made.pixels[:, :, :3] == rgb).all()
    assert (made.pixels[:, :, 3] == alpha).all()


def test_scaling_into_a_frame_bleeds_no_old_background_into_the_edge() -> None:
    """A red product on a green photo, shrunk onto white: no pixel turns greenish."""
    rgb = np.empty((90, 90, 3), np.uint8)
    rgb[:] = (0, 255, 0)
    alpha = np.zeros((90, 90), np.uint8)
    alpha[21:68, 22:69] = 255
    rgb[alpha == 255] = (255, 0, 0)
    made = compose(Cut(rgb, alpha), WHITE, square(32, 32)).pixels.astype(int)
    assert (made[:, :, 1] <= made[:, :, 2] + 1).all()


def test_a_product_thinner_than_a_pixel_after_scaling_is_still_a_product() -> None:
    alpha = np.zeros((400, 400), np.uint8)
    alpha[:, 200] = 255
    made = compose(Cut(np.zeros((400, 400, 3), np.uint8), alpha), WHITE, square(64, 64))
    assert made.product.width == 1
    assert made.product.height == pytest.approx(0.85 * 64, abs=1)


def test_no_product_is_an_error_that_names_the_highest_alpha() -> None:
    with pytest.raises(NoForegroundError) as caught:
        find_product(np.full((20, 20), 127, np.uint8))
    assert caught.value.figures == {"highest_alpha": "127", "needed_alpha": "128"}


def test_a_frame_beyond_the_limits_is_refused_with_both_figures() -> None:
    with pytest.raises(InvalidOptionError, match=r"20000x20000 pixels; the limits are 10000"):
        place_in_frame(square(fill=0.05), Box(0, 0, 1000, 10), Box(0, 0, 1000, 10))


def test_the_network_sees_white_where_a_photo_is_transparent() -> None:
    photo = Photo(np.zeros((40, 40, 3), np.uint8), alpha=np.zeros((40, 40), np.uint8))
    assert (to_model_input(photo, 16, 24) == 255).all()
    assert to_model_input(photo, 16, 24).shape == (1, 24, 16, 3)


def test_the_photo_s_own_transparency_stays() -> None:
    alpha = noise(5, 40, 40)
    photo = Photo(noise(6, 40, 40, 3), alpha)
    cut = cut_out(np.full((8, 8), 255, np.uint8), to_model_input(photo, 8, 8)[0], photo)
    assert (cut.alpha == alpha).all()
    assert (cut.foreground == photo.rgb).all()
