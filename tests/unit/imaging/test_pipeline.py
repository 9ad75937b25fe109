"""Properties of the pipeline's arithmetic, over sizes, mattes and colours."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.compose.blend import (
    composite_cut,
    composite_onto,
    composite_over,
    on_transparency,
)
from imaging.compose.compose import compose
from imaging.compose.composition import Look
from imaging.errors import NoForegroundError
from imaging.framing.frame import Frame, FrameLimits
from imaging.matting.prepare import to_model_input
from imaging.matting.refine import cut_out, find_product
from imaging.resample import resample
from imaging.types import Box, Color, Cut, OwnColors, Photo, Pixels

SIDES = st.integers(1, 60)
LIMITS = FrameLimits(max_side_px=10_000, max_pixels=64_000_000)
COLORS = st.builds(Color, *[st.integers(0, 255)] * 3)


def noise(seed: int, *shape: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@given(seed=st.integers(0, 99), height=SIDES, width=SIDES, color=COLORS)
def test_blend_is_the_exact_value_rounded(seed: int, height: int, width: int, color: Color) -> None:
    rgb, alpha = noise(seed, height, width, 3), noise(seed + 1, height, width)
    alpha[0, 0] = 0
    alpha[-1, -1] = 255
    blended = composite_over(rgb, alpha, color)
    share = alpha[:, :, None] / 255
    exact = rgb * share + np.asarray(color) * (1 - share)
    assert np.abs(blended - exact).max() <= 0.5 + 1e-9
    assert (blended[alpha == 255] == rgb[alpha == 255]).all()
    assert (blended[alpha == 0] == color).all()


@given(seed=st.integers(0, 99), height=SIDES, width=SIDES)
def test_blending_over_a_picture_is_as_exact_and_leaves_alone_what_is_not_covered(
    seed: int, height: int, width: int
) -> None:
    rgb, alpha = noise(seed, height, width, 3), noise(seed + 1, height, width)
    behind = noise(seed + 2, height, width, 3)
    alpha[0, 0] = 0
    alpha[-1, -1] = 255
    blended = behind.copy()
    composite_onto(rgb, alpha, blended)
    share = alpha[:, :, None] / 255
    assert np.abs(blended - (rgb * share + behind * (1 - share))).max() <= 0.5 + 1e-9
    assert (blended[alpha == 255] == rgb[alpha == 255]).all()
    assert (blended[alpha == 0] == behind[alpha == 0]).all()


@given(seed=st.integers(0, 9), height=SIDES, width=st.integers(1, 400), owns=st.booleans())
def test_a_cut_shows_its_own_colours_at_its_edge_and_nothing_where_it_is_clear(
    seed: int, height: int, width: int, *, owns: bool
) -> None:
    """Over a picture, within a box, and on transparency; long rows are looked at in blocks."""
    rgb, own, behind = (noise(seed + n, height, width, 3) for n in range(3))
    alpha, at = noise(seed + 3, height, width), noise(seed + 4, height, width) // 128 * 255
    alpha[:, : width // 3], at[:, width // 4 :] = 255, 0
    alpha[:, width // 2 : width // 2 + 150] = 0
    cut = Cut(rgb, alpha, 1.0, OwnColors(own, at) if owns else None)
    foreground = np.where(at[:, :, None] > 0, own, rgb) if owns else rgb
    assert (cut.foreground == foreground).all()
    box = Box(width // 5, height // 5, width - width // 7, height)
    expected, picture = behind.copy(), behind.copy()
    composite_onto(foreground[box.slices], alpha[box.slices], expected[box.slices])
    composite_cut(cut, box, picture)
    assert (picture == expected).all()
    clear = on_transparency(cut)
    assert (clear[:, :, 3] == alpha).all()
    assert (clear[:, :, :3] == np.where(alpha[:, :, None] > 0, foreground, 255)).all()


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


@given(seed=st.integers(0, 9), height=SIDES, width=SIDES, new_height=SIDES, new_width=SIDES)
def test_colours_shrink_to_the_average_of_the_area_that_a_pixel_covers(
    seed: int, height: int, width: int, new_height: int, new_width: int
) -> None:
    """Within half a level, and what a border's share is rounded by: a share of 1024 a pixel."""
    new_height, new_width = (
        max(min(side, new), -(-side // 3))
        for side, new in ((height, new_height), (width, new_width))
    )
    rgb = noise(seed, height, width, 3)
    across, down = shares(width, new_width), shares(height, new_height)
    exact = np.einsum("iy,yxk,jx->ijk", down, rgb.astype(float), across)
    assert np.abs(resample(rgb, new_width, new_height) - exact).max() <= 1.0


def shares(length: int, cells: int) -> npt.NDArray[np.float64]:
    """Return the share that each of a length's parts has in each of its cells, (cells, length)."""
    at = np.arange(length)
    begins = np.arange(cells)[:, None] * length / cells
    covered = np.minimum(begins + length / cells, at + 1) - np.maximum(begins, at)
    return np.asarray(np.maximum(covered, 0) * cells / length, np.float64)


def test_scaling_into_a_frame_bleeds_no_old_background_into_the_edge() -> None:
    """A red product on a green photo, shrunk onto white: no pixel turns greenish."""
    rgb = np.empty((90, 90, 3), np.uint8)
    rgb[:] = (0, 255, 0)
    alpha = np.zeros((90, 90), np.uint8)
    alpha[21:68, 22:69] = 255
    rgb[alpha == 255] = (255, 0, 0)
    frame = Frame(LIMITS, width_px=32, height_px=32, scale=0.85)
    made = compose(Cut(rgb, alpha, 1.0), Photo(rgb), Look(frame=frame)).pixels.astype(int)
    assert (made[:, :, 1] <= made[:, :, 2] + 1).all()


def test_a_product_thinner_than_a_pixel_after_scaling_is_still_a_product() -> None:
    alpha = np.zeros((400, 400), np.uint8)
    alpha[:, 200] = 255
    alpha[:20] = alpha[-20:] = 0
    photo = Photo(np.zeros((400, 400, 3), np.uint8))
    frame = Frame(LIMITS, width_px=64, height_px=64, scale=0.85)
    made = compose(Cut(photo.rgb, alpha, 1.0), photo, Look(frame=frame))
    assert made.product.width == 1
    assert made.product.height == pytest.approx(0.85 * 64, abs=1)


def test_no_product_is_an_error_that_names_the_highest_alpha() -> None:
    with pytest.raises(NoForegroundError) as caught:
        find_product(np.full((20, 20), 127, np.uint8))
    assert caught.value.figures == {"highest_alpha": "127", "needed_alpha": "128"}


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
