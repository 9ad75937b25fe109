"""Edges measured against pictures whose alpha and foreground are known."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.rendered_scenes import (
    PALETTES,
    Scene,
    band_around_edges,
    on_white,
    render_scene,
    small_matte,
)
from imaging.matting.foreground import estimate_foreground
from imaging.matting.guided import edge_band, upsample_guided
from imaging.matting.guided_fit import (
    AROUND_CELLS,
    FLATNESS,
    NARROW_CELLS,
    PER_WEIGHT,
    STEEP_FROM,
    STEEPER,
    SURE_CONTRAST,
    UNSURE_CONTRAST,
    WIDE_CELLS,
    WIDE_FROM_PX,
    fit_colours,
)
from imaging.matting.prepare import to_model_input
from imaging.matting.refine import cut_out
from imaging.types import Photo, Pixels

SIDE_PX = 2000


def noise(seed: int, *shape: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def steepness_of(matte: Pixels) -> npt.NDArray[np.float64]:
    """Tell how much steeper than its least squares a fit is: by the range of values around."""
    around = np.ones((2 * AROUND_CELLS + 1, 2 * AROUND_CELLS + 1), np.uint8)
    contrast = cv2.dilate(matte, around).astype(float) - cv2.erode(matte, around)
    sure = np.clip((contrast - UNSURE_CONTRAST) / (SURE_CONTRAST - UNSURE_CONTRAST), 0, 1)
    blurred = cv2.blur(sure, (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(1 + (STEEPER - 1) * blurred, np.float64)


def error_on_white(rgb: Pixels, alpha: Pixels, scene: Scene, margin_px: int) -> float:
    error = np.abs(on_white(rgb, alpha) - on_white(scene.foreground, scene.alpha))
    return float(error[band_around_edges(scene.alpha, margin_px)].mean())


@pytest.mark.parametrize("number", [0, 3, 5])
def test_edges_are_at_least_twice_as_good_as_bicubic_without_colours(number: int) -> None:
    """Of strong, of weak and of hardly any difference in brightness."""
    scene = render_scene(number, SIDE_PX)
    for matte_px in (256, 320):
        matte = small_matte(scene.alpha, matte_px)
        photo = Photo(scene.rgb)
        cut = cut_out(matte, to_model_input(photo, matte_px, matte_px)[0], photo)
        bicubic = cv2.resize(matte, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
        margin_px = -(-SIDE_PX // matte_px)
        plain = error_on_white(scene.rgb, np.asarray(bicubic, np.uint8), scene, margin_px)
        assert 2 * error_on_white(cut.foreground, cut.alpha, scene, margin_px) < plain


@pytest.mark.parametrize(("number", "before"), [(0, 29.8), (3, 8.86), (5, 22.5)])
def test_a_matte_blurred_as_a_network_s_gives_a_quarter_less_error_than_its_plain_fit(
    number: int, before: float
) -> None:
    """Before: windows of five cells, all cells alike, no steeper."""
    scene, photo_px, matte_px = render_scene(number, 1000), 1000, 160
    matte = np.asarray(cv2.GaussianBlur(small_matte(scene.alpha, matte_px), (0, 0), 0.85), np.uint8)
    photo = Photo(scene.rgb)
    cut = cut_out(matte, to_model_input(photo, matte_px, matte_px)[0], photo)
    margin_px = -(-photo_px // matte_px)
    assert error_on_white(cut.foreground, cut.alpha, scene, margin_px) < 0.76 * before


def test_the_photo_s_noise_does_not_grain_an_edge_of_little_contrast() -> None:
    """A straight edge of 24 of 255 steps under noise of 5: the plain fit was wrong by 21 of 255."""
    exact = np.repeat(np.clip((np.arange(800) - 402) * 127.5, 0, 255)[None], 800, axis=0)
    noisy = np.random.default_rng(1).normal(0, 5, (800, 800, 3)) + 120
    rgb = np.rint(np.clip(noisy + 24 * exact[..., None] / 255, 0, 255)).astype(np.uint8)
    small = small_matte(exact.astype(np.uint8), 160)
    matte = np.asarray(cv2.GaussianBlur(small, (0, 0), 0.85), np.uint8)
    alpha = upsample_guided(matte, to_model_input(Photo(rgb), 160, 160)[0], rgb)
    near = slice(391, 415)
    assert np.abs(alpha[:, near] - exact[:, near]).mean() < 4


@pytest.mark.parametrize("number", range(len(PALETTES)))
def test_with_the_exact_alpha_estimated_colours_take_most_of_the_old_background_away(
    number: int,
) -> None:
    scene = render_scene(number, 800)
    plain = error_on_white(scene.rgb, scene.alpha, scene, 0)
    estimated = estimate_foreground(scene.rgb, scene.alpha)
    assert 3 * error_on_white(estimated, scene.alpha, scene, 0) < plain


@pytest.mark.photos
def test_the_lemur_on_white_is_nearer_to_its_published_foreground_than_plain_blending(
    evaluation_photos: Path,
) -> None:
    published = evaluation_photos.parent / "foreground" / "lemur.png"
    if not published.is_file():
        pytest.skip(f"no published foreground at {published}")
    rgb = np.asarray(Image.open(evaluation_photos / "lemur.png").convert("RGB"))
    alpha = np.asarray(Image.open(evaluation_photos / "lemur.matte.png").convert("L"))
    scene = Scene(rgb, alpha, np.asarray(Image.open(published).convert("RGB")))
    plain = error_on_white(rgb, alpha, scene, 1)
    assert 2 * error_on_white(estimate_foreground(rgb, alpha), alpha, scene, 1) < plain


@given(
    value=st.integers(0, 255),
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    matte_px=st.integers(1, 40),
)
@settings(deadline=None)
def test_a_matte_of_one_value_stays_of_that_value(
    value: int, height: int, width: int, matte_px: int
) -> None:
    """An empty photo stays empty, a full one full, and a faint smear faint."""
    matte = np.full((matte_px, matte_px), value, np.uint8)
    alpha = upsample_guided(matte, noise(1, matte_px, matte_px, 3), noise(2, height, width, 3))
    assert alpha.shape == (height, width)
    assert np.abs(alpha.astype(int) - value).max() <= 1
    if value in {0, 255}:
        assert (alpha == value).all()


def test_a_faint_smear_grows_no_product() -> None:
    scene = render_scene(1, 400)
    smear = small_matte(scene.alpha, 64) // 8
    guide = to_model_input(Photo(scene.rgb), 64, 64)[0]
    assert upsample_guided(smear, guide, scene.rgb).max() < 2 * smear.max()


def test_edges_stay_soft() -> None:
    scene = render_scene(0, 800)
    guide = to_model_input(Photo(scene.rgb), 128, 128)[0]
    alpha = upsample_guided(small_matte(scene.alpha, 128), guide, scene.rgb)
    soft = (alpha > 20) & (alpha < 235)
    assert soft.sum() > ((scene.alpha > 20) & (scene.alpha < 235)).sum() / 2


def test_far_from_every_edge_the_matte_alone_decides() -> None:
    """However wild the photo's texture is there."""
    matte = np.zeros((64, 64), np.uint8)
    matte[16:48, 16:48] = 255
    rgb = noise(3, 512, 512, 3)
    alpha = upsample_guided(matte, to_model_input(Photo(rgb), 64, 64)[0], rgb)
    margin = 3 * 8
    assert (alpha[128 + margin : 384 - margin, 128 + margin : 384 - margin] == 255).all()
    outside = np.ones_like(alpha, dtype=bool)
    outside[128 - margin : 384 + margin, 128 - margin : 384 + margin] = False
    assert (alpha[outside] == 0).all()


@given(seed=st.integers(0, 99), height=st.integers(1, 300), width=st.integers(1, 300))
@settings(deadline=None)
def test_opaque_pixels_keep_the_photo_s_colours(seed: int, height: int, width: int) -> None:
    rgb, alpha = noise(seed, height, width, 3), noise(seed + 1, height, width)
    alpha[: height // 2] = 255
    estimated = estimate_foreground(rgb, alpha)
    assert estimated.shape == rgb.shape
    assert (estimated[alpha == 255] == rgb[alpha == 255]).all()


def test_along_a_soft_edge_between_two_colours_at_most_a_fifth_of_the_bleed_is_left() -> None:
    """Red over green, measured by what shows: each pixel's error times its alpha."""
    across = np.clip((np.arange(300) - 140) * 12, 0, 255).astype(np.uint8)
    alpha = np.repeat(across[None], 200, axis=0)
    share = alpha[:, :, None] / 255
    red, green = np.array([220, 30, 20]), np.array([20, 200, 40])
    rgb = np.rint(red * share + green * (1 - share)).astype(np.uint8)
    bleed = np.abs(rgb.astype(int) - red) * share
    left = np.abs(estimate_foreground(rgb, alpha).astype(int) - red) * share
    assert 5 * left.max() < bleed.max()
    assert 5 * left.mean() < bleed.mean()


def test_a_photo_without_edges_is_returned_as_it_is() -> None:
    rgb = noise(7, 50, 60, 3)
    for value in (0, 255):
        assert (estimate_foreground(rgb, np.full((50, 60), value, np.uint8)) == rgb).all()


@given(
    seed=st.integers(0, 99),
    height=st.integers(1, 150),
    width=st.integers(1, 150),
    side=st.integers(1, 20),
)
@settings(deadline=None)
def test_alpha_is_the_fit_enlarged_and_applied_to_every_pixel(
    seed: int, height: int, width: int, side: int
) -> None:
    """Against the same in whole arrays: four cells of four numbers around a pixel's median."""
    photo, matte = Photo(noise(seed, height, width, 3)), noise(seed + 1, side, side)
    guide = to_model_input(photo, side, side)[0]
    alpha = upsample_guided(matte, guide, photo.rgb)
    if height <= side or width <= side:
        return
    band = edge_band(matte)
    radius = WIDE_CELLS if min(height, width) / side >= WIDE_FROM_PX else NARROW_CELLS
    fit = np.moveaxis(fit_colours(matte, guide, band, radius)[0], 0, 2)
    steep = np.square(fit[:, :, :3]).sum(axis=2) > STEEP_FROM**2
    places = [
        np.clip((np.arange(length) + 0.5) * side / length - 0.5, 0, side - 1)
        for length in (height, width)
    ]
    (y0, x0) = (place.astype(int) for place in places)
    y1, x1 = np.minimum(y0 + 1, side - 1), np.minimum(x0 + 1, side - 1)
    down, along = (places[0] - y0)[:, None, None], (places[1] - x0)[:, None]
    upper = fit[y0][:, x0] * (1 - along) + fit[y0][:, x1] * along
    lower = fit[y1][:, x0] * (1 - along) + fit[y1][:, x1] * along
    enlarged = upper * (1 - down) + lower * down
    smooth = np.any([steep[y][:, x] for y in (y0, y1) for x in (x0, x1)], axis=0)[:, :, None]
    colours = np.where(smooth, cv2.medianBlur(photo.rgb, 3), photo.rgb)
    value = (enlarged[:, :, :3] * colours).sum(axis=2) + 255 * enlarged[:, :, 3]
    assert np.abs(np.clip(value, 0, 255) - alpha).max() <= 1.01


def test_a_fit_is_the_least_squares_solution_however_alike_the_colours_are() -> None:
    """On greys, whose channels say the same, the system of equations is nearly singular."""
    grey = np.repeat(noise(5, 24, 24, 1), 3, axis=2)
    matte, band = noise(6, 24, 24), np.ones((24, 24), np.bool_)
    fit, _ = fit_colours(matte, grey, band, WIDE_CELLS)
    steepness = steepness_of(matte)
    border = ((WIDE_CELLS, WIDE_CELLS), (WIDE_CELLS, WIDE_CELLS))
    colours = np.pad(grey / 255, (*border, (0, 0)), "symmetric")
    values = np.pad(matte / 255, border, "symmetric")
    weights = 1 + (2 * np.pad(matte.astype(int), border, "symmetric") - 255) ** 2 // PER_WEIGHT
    side = 2 * WIDE_CELLS + 1
    for y, x in ((0, 0), (3, 17), (12, 12), (23, 23)):
        window = slice(y, y + side), slice(x, x + side)
        own, value = colours[window].reshape(-1, 3), values[window].ravel()
        shares = weights[window].ravel() / weights[window].sum()
        mean = shares @ own
        weighted = (shares[:, None] * (own - mean)).T
        covariance = weighted @ (own - mean) + FLATNESS * np.eye(3)
        expected = np.linalg.solve(covariance, weighted @ value)
        alone = shares @ value - expected @ mean
        steeper = steepness[y, x]
        assert fit[:3, y, x] == pytest.approx(steeper * expected, abs=1e-5)
        assert fit[3, y, x] == pytest.approx(steeper * (alone - 0.5) + 0.5, abs=1e-5)


@given(
    seed=st.integers(0, 99),
    top=st.integers(0, 40).map(lambda steps: 8 * steps),
    left=st.integers(0, 40).map(lambda steps: 8 * steps),
)
@settings(deadline=None, max_examples=20)
def test_colours_do_not_depend_on_where_a_tile_begins(seed: int, top: int, left: int) -> None:
    """The same edge further right and down, by whole steps of the wide averages' grid."""
    rgb, alpha = noise(seed, 200, 200, 3), np.zeros((200, 200), np.uint8)
    alpha[80:120, 80:120] = noise(seed + 1, 40, 40)
    moved_rgb, moved_alpha = np.full((520, 520, 3), 90, np.uint8), np.zeros((520, 520), np.uint8)
    moved_rgb[top : top + 200, left : left + 200] = rgb
    moved_alpha[top : top + 200, left : left + 200] = alpha
    moved = estimate_foreground(moved_rgb, moved_alpha)
    inside = slice(80, 120)
    here = estimate_foreground(rgb, alpha)[inside, inside]
    there = moved[top + 80 : top + 120, left + 80 : left + 120]
    assert np.abs(here.astype(int) - there).max() <= 1
