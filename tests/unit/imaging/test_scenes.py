"""Rendered scenes: the same at every size, by seed, colour and light, and around any product."""

import colorsys

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.compose.composition import Scene, SceneKind
from imaging.compose.scenes import paint_scene, suits
from imaging.compose.scenes.floor import Floor, floor_rows
from imaging.compose.scenes.noise import Canvas
from imaging.compose.scenes.stage import Stage
from imaging.types import Box, Color, Pixels

KINDS = list(SceneKind)
# Those with something left to chance besides the grain.
TEXTURED = [SceneKind.TABLE, SceneKind.WOOD, SceneKind.MARBLE, SceneKind.FABRIC]
# Those with a floor that ends before a wall.
TABLES = TEXTURED
PRODUCT_SHARES = (0.3, 0.3, 0.7, 0.85)
BLUE, RED = Color(60, 80, 170), Color(180, 60, 50)


def painted(
    kind: SceneKind,
    width: int = 240,
    height: int = 200,
    *,
    seed: int = 1,
    color: Color | None = None,
    angle: float = -35,
) -> Pixels:
    left, top, right, bottom = PRODUCT_SHARES
    product = Box(
        round(left * width), round(top * height), round(right * width), round(bottom * height)
    )
    return paint_scene(Scene(kind, seed, color), width, height, product, angle)


def luma(picture: Pixels) -> npt.NDArray[np.float64]:
    return picture.astype(np.float64) @ (0.2126, 0.7152, 0.0722)


def floor(picture: Pixels) -> Pixels:
    return picture[round(PRODUCT_SHARES[3] * picture.shape[0]) :]


def smooth(picture: Pixels, share: float) -> npt.NDArray[np.float64]:
    blurred = cv2.GaussianBlur(picture, (0, 0), share * picture.shape[1])
    return np.asarray(blurred, np.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_fills_the_picture_and_is_neither_flat_nor_burnt_out(kind: SceneKind) -> None:
    picture = painted(kind)
    assert picture.shape == (200, 240, 3)
    assert picture.dtype == np.uint8
    assert luma(picture).std() > 2
    assert (picture == 255).mean() < 0.02
    assert picture.min() > 20


@pytest.mark.parametrize("kind", KINDS)
def test_equal_seeds_give_equal_bytes(kind: SceneKind) -> None:
    assert np.array_equal(painted(kind, seed=7), painted(kind, seed=7))


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_gives_another_grain(kind: SceneKind) -> None:
    assert (painted(kind, seed=7) != painted(kind, seed=8)).mean() > 0.25


@pytest.mark.parametrize("kind", [SceneKind.WOOD, SceneKind.MARBLE, SceneKind.FABRIC])
def test_another_seed_gives_another_floor(kind: SceneKind) -> None:
    one, other = (smooth(floor(painted(kind, 480, 400, seed=seed)), 0.005) for seed in (7, 8))
    assert np.abs(one - other).mean() > 2.5


@pytest.mark.parametrize("color", [BLUE, RED])
@pytest.mark.parametrize("kind", KINDS)
def test_a_colour_becomes_the_floors(kind: SceneKind, color: Color) -> None:
    mean = floor(painted(kind, color=color)).mean(axis=(0, 1))
    hue, saturation, _ = colorsys.rgb_to_hsv(*mean / 255)
    wanted, _, _ = colorsys.rgb_to_hsv(*(channel / 255 for channel in color))
    assert abs((hue - wanted + 0.5) % 1 - 0.5) < 0.03
    assert saturation > 0.35
    own = floor(painted(kind)).mean(axis=(0, 1))
    assert np.abs(mean - color).sum() < np.abs(own - color).sum()


@pytest.mark.parametrize("angle", [35, 80])
@pytest.mark.parametrize("kind", KINDS)
def test_the_side_that_the_light_comes_from_is_the_brighter_one(
    kind: SceneKind, angle: float
) -> None:
    def lean(picture: Pixels) -> float:
        half = picture.shape[1] // 2
        return float(luma(picture[:, half:]).mean() - luma(picture[:, :half]).mean())

    from_right, from_left = (painted(kind, angle=side * angle) for side in (1, -1))
    assert lean(from_right) - lean(from_left) > 8
    wall = slice(0, 80)
    assert lean(from_right[wall]) > 2
    assert lean(from_left[wall]) < -2


@pytest.mark.parametrize("kind", [SceneKind.STUDIO, SceneKind.PODIUM])
def test_light_from_the_other_side_gives_the_mirror_image(kind: SceneKind) -> None:
    from_left = painted(kind, angle=-50).astype(np.int16)
    from_right = painted(kind, angle=50).astype(np.int16)
    assert np.abs(from_left - from_right[:, ::-1]).max() <= 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_is_the_same_at_every_size(kind: SceneKind) -> None:
    small = painted(kind, 300, 240)
    large = painted(kind, 1800, 1440)
    shrunk = np.asarray(cv2.resize(large, (300, 240), interpolation=cv2.INTER_AREA), np.uint8)
    difference = np.abs(shrunk.astype(np.float64) - small)
    assert difference.mean() < 2
    assert np.abs(smooth(shrunk, 0.01) - smooth(small, 0.01)).max() < 8
    # What another seed does to the same picture is more than what the size does.
    if kind in TEXTURED[1:]:
        other = painted(kind, 300, 240, seed=2).astype(np.float64)
        assert np.abs(other - small).mean() > 2 * difference.mean()


@pytest.mark.parametrize("kind", TABLES)
def test_the_horizon_is_behind_the_product_and_above_its_base(kind: SceneKind) -> None:
    """Where a wall of one colour meets a floor of another."""
    picture = painted(kind, color=Color(40, 60, 150))
    saturation = np.ptp(picture.astype(np.int16).mean(axis=1), axis=1)
    steepest = int(np.argmax(np.diff(saturation)))
    assert round(0.6 * 200) < steepest < round(0.8 * 200)


def test_the_podium_is_under_the_product_and_wider_than_it() -> None:
    picture = luma(painted(SceneKind.PODIUM, 480, 400))
    base = round(PRODUCT_SHARES[3] * 400)
    step = np.abs(np.diff(smooth(picture[base].astype(np.uint8)[None], 0.002)[0]))
    edges = np.flatnonzero(step > 4)
    assert edges.min() < 0.3 * 480 - 4
    assert edges.max() > 0.7 * 480 + 4


def test_lines_on_the_floor_converge_on_the_vanishing_row() -> None:
    stage = Stage(800, 600, Box(300, 100, 500, 450))

    def two_lines(canvas: Canvas) -> Pixels:
        texture = np.full((canvas.rows, canvas.columns, 3), 200, np.uint8)
        for place in (-0.2, 0.2):
            column = round((place + canvas.width / 2) * canvas.texels_across)
            texture[:, column - 3 : column + 3] = 0
        return texture

    rows, columns = stage.grid()
    ones = np.ones((rows.size, columns.size, 3), np.float32)
    paint = floor_rows(stage, Floor(two_lines, "two lines", ones, 0 * ones), 250 * ones)

    def gap(row: int) -> float:
        line = paint(row, row + 1)[0, :, 0]
        left, right = (np.average(np.arange(400), weights=200 - half) for half in np.split(line, 2))
        assert left == pytest.approx(399 - right, abs=1)
        return float(right + 400 - left)

    assert gap(450) == pytest.approx(0.4 * stage.unit_px, rel=0.01)
    for row in (400, 500, 590):
        assert gap(row) == pytest.approx(gap(450) * stage.scale(row + 0.5), rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (16, 16), (16, 700), (700, 16), (3, 41)])
def test_odd_sizes_are_filled_too(kind: SceneKind, width: int, height: int) -> None:
    picture = painted(kind, width, height)
    assert picture.shape == (height, width, 3)
    assert picture.min() > 15


@given(
    kind=st.sampled_from(KINDS),
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    sides=st.tuples(*[st.floats(0, 1)] * 4),
    angle=st.floats(-80, 80),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_any_product_anywhere_gets_its_scene(
    kind: SceneKind,
    size: tuple[int, int],
    sides: tuple[float, float, float, float],
    angle: float,
    seed: int,
) -> None:
    width, height = size
    left, right = sorted(round(side * width) for side in sides[:2])
    top, bottom = sorted(round(side * height) for side in sides[2:])
    picture = paint_scene(Scene(kind, seed), width, height, Box(left, top, right, bottom), angle)
    assert picture.shape == (height, width, 3)
    assert picture.min() > 15


@pytest.mark.parametrize("kind", KINDS)
def test_every_scene_says_what_suits_it(kind: SceneKind) -> None:
    staging = suits(kind)
    assert 0 < staging.shadow_opacity <= 1
    assert 0 <= staging.reflection <= 1


def test_only_polished_floors_mirror_clearly() -> None:
    assert suits(SceneKind.MARBLE).reflection == max(suits(kind).reflection for kind in KINDS)
    assert suits(SceneKind.WOOD).reflection == suits(SceneKind.FABRIC).reflection == 0
