"""Cleaning: what is stray goes, what is fine structure stays, and edges are left alone."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.rendered_scenes import render_scene, small_matte
from imaging.matting.clean import HOLE_SHARE, clean_matte
from imaging.resample import resample
from imaging.types import Pixels

SIDE = 256
FINER = 8


def canvas() -> Pixels:
    return np.zeros((SIDE * FINER, SIDE * FINER), np.uint8)


def at_matte_size(drawn: Pixels) -> Pixels:
    return small_matte(drawn, SIDE)


def cells(*values: float) -> tuple[int, ...]:
    return tuple(round(FINER * value) for value in values)


def disk(drawn: Pixels, x: float, y: float, radius: float, value: int = 255) -> None:
    cv2.circle(drawn, cells(x, y), cells(radius)[0], value, -1, cv2.LINE_AA)


def ring(drawn: Pixels, x: float, y: float, radius: float, width: float) -> None:
    cv2.circle(drawn, cells(x, y), cells(radius)[0], 255, cells(width)[0], cv2.LINE_AA)


def body() -> Pixels:
    """A large plain product in the middle."""
    drawn = canvas()
    disk(drawn, 128, 128, 70)
    return drawn


def chain() -> Pixels:
    drawn = canvas()
    for link in range(14):
        axes = cells(9, 4) if link % 2 else cells(8, 5)
        cv2.ellipse(drawn, cells(20 + 16 * link, 128), axes, 0, 0, 360, 255, cells(2)[0])
    disk(drawn, 128, 170, 30)
    return drawn


def wheel() -> Pixels:
    drawn = canvas()
    ring(drawn, 128, 128, 90, 6)
    disk(drawn, 128, 128, 8)
    for angle in np.linspace(0, 2 * np.pi, 28, endpoint=False):
        end = 128 + 90 * np.cos(angle), 128 + 90 * np.sin(angle)
        cv2.line(drawn, cells(128, 128), cells(*end), 255, cells(0.7)[0], cv2.LINE_AA)
    return drawn


def necklace() -> Pixels:
    """Beads that nothing seems to hold, and a pendant that weighs 1000 times as much as one."""
    drawn = canvas()
    for angle in np.linspace(0.2 * np.pi, 1.8 * np.pi, 70) + np.pi / 2:
        disk(drawn, 128 + 80 * np.cos(angle), 108 + 80 * np.sin(angle), 1)
    disk(drawn, 128, 205, 35)
    return drawn


def hair() -> Pixels:
    drawn = body()
    rng = np.random.default_rng(3)
    for angle in rng.uniform(-np.pi, 0, 120):
        root = 128 + 68 * np.cos(angle), 128 + 68 * np.sin(angle)
        tip = 128 + 110 * np.cos(angle + 0.1), 128 + 110 * np.sin(angle + 0.1)
        cv2.line(drawn, cells(*root), cells(*tip), 255, int(rng.integers(1, 4)), cv2.LINE_AA)
    return drawn


def mug() -> Pixels:
    drawn = canvas()
    cv2.rectangle(drawn, cells(60, 60), cells(150, 200), 255, -1)
    ring(drawn, 150, 125, 35, 8)
    return drawn


def dots() -> Pixels:
    """A pattern of separate dots is the product itself."""
    drawn = canvas()
    for x in range(40, 220, 20):
        for y in range(40, 220, 20):
            disk(drawn, x, y, 3)
    return drawn


def colander() -> Pixels:
    """Perforated all over, with holes of two cells across at whatever offset."""
    drawn = body()
    for row in range(13):
        for column in range(13):
            disk(drawn, 90.1 + 6.3 * column, 90.4 + 6.3 * row, 1.05, 0)
    return drawn


def pair() -> Pixels:
    """A box and an ear stud beside it."""
    drawn = body()
    disk(drawn, 240, 30, 3)
    return drawn


def letters() -> Pixels:
    drawn = canvas()
    for row, word in enumerate(("BOARD", "e80%&", "abgq")):
        where = cells(10, 80 * row + 70)
        cv2.putText(drawn, word, where, cv2.FONT_HERSHEY_SIMPLEX, 20, 255, 60, cv2.LINE_AA)
    return drawn


@pytest.mark.parametrize(
    "draw", [body, chain, wheel, necklace, hair, mug, dots, colander, pair, letters]
)
def test_fine_structure_and_true_holes_stay_as_they_are(draw: Callable[[], Pixels]) -> None:
    matte = at_matte_size(draw())
    assert matte.max() == 255
    assert (clean_matte(matte) == matte).all()


@pytest.mark.parametrize("number", range(3))
def test_a_scene_of_hair_spokes_and_holes_stays_as_it_is(number: int) -> None:
    matte = small_matte(render_scene(number, 1024).alpha, SIDE)
    assert np.abs(clean_matte(matte).astype(int) - matte).sum() <= 0.0005 * matte.sum()


@pytest.mark.parametrize(("radius", "value"), [(1.5, 255), (4, 40), (8, 20)])
def test_a_small_or_faint_island_goes_and_nothing_else_changes(radius: float, value: int) -> None:
    drawn = body()
    product = at_matte_size(drawn)
    disk(drawn, 230, 24, radius, value)
    matte = at_matte_size(drawn)
    assert (matte != product).any()
    assert (clean_matte(matte) == product).all()


def test_an_island_takes_its_faint_rim_along() -> None:
    product = at_matte_size(body())
    blob = np.zeros_like(product)
    blob[24, 230] = 255
    blob = np.asarray(cv2.GaussianBlur(blob, (0, 0), 1.2), np.uint8)
    assert (clean_matte(np.maximum(product, blob)) == product).all()


def test_a_crumb_near_the_product_stays() -> None:
    drawn = body()
    disk(drawn, 128, 52, 1)
    matte = at_matte_size(drawn)
    assert (clean_matte(matte) == matte).all()


def test_a_cable_on_faint_alpha_keeps_the_plug_at_its_end() -> None:
    drawn = body()
    cv2.line(drawn, cells(190, 90), cells(240, 20), 60, cells(1)[0])
    disk(drawn, 240, 20, 2)
    matte = at_matte_size(drawn)
    assert (clean_matte(matte) == matte).all()


@pytest.mark.parametrize(("radius", "depth"), [(0.5, 0), (3, 100), (5, 170), (5, 230)])
def test_a_pinhole_and_a_shallow_dip_are_closed_and_nothing_else_changes(
    radius: float, depth: int
) -> None:
    drawn = body()
    product = at_matte_size(drawn)
    disk(drawn, 110.5, 120.5, radius, depth)
    matte = at_matte_size(drawn)
    cleaned = clean_matte(matte)
    assert (matte[matte != product] < 250).any()
    assert cleaned[80:170, 80:170].min() >= 250
    unchanged = matte == product
    assert (cleaned[unchanged] == matte[unchanged]).all()


@pytest.mark.parametrize(("radius", "depth"), [(1.1, 0), (5, 0), (5, 50), (20, 150)])
def test_a_hole_that_is_deep_or_large_stays(radius: float, depth: int) -> None:
    drawn = body()
    disk(drawn, 110, 120, radius, depth)
    matte = at_matte_size(drawn)
    assert (clean_matte(matte) == matte).all()


def test_a_dip_behind_a_thin_wall_stays() -> None:
    matte = at_matte_size(body())
    x = int(np.flatnonzero(matte[128] == 255)[0]) + 2
    matte[126:131, x : x + 4] = 140
    assert (clean_matte(matte) == matte).all()


@given(value=st.integers(0, 255), height=st.integers(1, 40), width=st.integers(1, 40))
@settings(deadline=None, max_examples=30)
def test_a_matte_of_one_value_stays_as_it_is(value: int, height: int, width: int) -> None:
    """The empty one, too."""
    matte = np.full((height, width), value, np.uint8)
    cleaned = clean_matte(matte)
    assert cleaned.dtype == np.uint8
    assert (cleaned == value).all()


def test_a_matte_that_is_faint_throughout_stays_as_it_is() -> None:
    faint = at_matte_size(wheel()) // 2
    faint[10:12, 10:12] = 90
    assert (clean_matte(faint) == faint).all()


@st.composite
def mattes(draw: st.DrawFn) -> Pixels:
    """Soft blobs, specks and dips of every depth, on mattes of any shape."""
    height, width = draw(st.integers(1, 150)), draw(st.integers(1, 150))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    matte = np.zeros((height, width), np.uint8)
    for _ in range(draw(st.integers(0, 12))):
        middle = int(rng.integers(width)), int(rng.integers(height))
        axes = int(rng.integers(1, 60)), int(rng.integers(1, 60))
        cv2.ellipse(matte, middle, axes, 0, 0, 360, int(rng.integers(256)), -1)
    for _ in range(draw(st.integers(0, 30))):
        middle = int(rng.integers(width)), int(rng.integers(height))
        cv2.circle(matte, middle, int(rng.integers(0, 5)), int(rng.integers(256)), -1)
    if draw(st.booleans()):
        matte = np.asarray(cv2.GaussianBlur(matte, (0, 0), 1), np.uint8)
    return matte


@given(matte=mattes())
@settings(deadline=None, max_examples=150)
def test_cleaning_twice_is_cleaning_once(matte: Pixels) -> None:
    cleaned = clean_matte(matte)
    assert (clean_matte(cleaned) == cleaned).all()


@given(matte=mattes())
@settings(deadline=None, max_examples=100)
def test_a_cell_is_emptied_or_raised_to_a_level_or_left_alone(matte: Pixels) -> None:
    before = matte.copy()
    cleaned = clean_matte(matte)
    assert (matte == before).all()
    assert set(np.unique(cleaned[cleaned < matte])) <= {0}
    assert set(np.unique(cleaned[cleaned > matte])) <= {160, 208, 250}
    # Each hole is small; holes of the three levels may touch, and a matte may have many of them.
    raised = (cleaned > matte).astype(np.uint8)
    _, _, figures, _ = cv2.connectedComponentsWithStats(raised, connectivity=4)
    assert (figures[1:, cv2.CC_STAT_AREA] <= 3 * HOLE_SHARE * matte.size).all()


@given(matte=mattes(), turns=st.integers(0, 3), flipped=st.booleans())
@settings(deadline=None, max_examples=60)
def test_cleaning_commutes_with_turns_and_flips(
    matte: Pixels, turns: int, *, flipped: bool
) -> None:
    def turned(pixels: Pixels) -> Pixels:
        return np.ascontiguousarray(np.rot90(pixels[:, ::-1] if flipped else pixels, turns))

    assert (clean_matte(turned(matte)) == turned(clean_matte(matte))).all()


@pytest.mark.photos
def test_reference_mattes_of_real_photos_are_left_alone(evaluation_photos: Path) -> None:
    paths = sorted(evaluation_photos.glob("*.matte.png"))
    assert paths
    for path in paths:
        matte = resample(np.asarray(Image.open(path).convert("L")), SIDE, SIDE)
        cleaned = clean_matte(matte)
        changed = np.abs(cleaned.astype(int) - matte)
        assert changed.sum() <= 0.001 * matte.sum(), path.name
        assert ((cleaned >= 128) != (matte >= 128)).mean() <= 0.0001, path.name


def test_the_samples_reference_mattes_are_left_alone(root: Path) -> None:
    paths = sorted((root / "samples").glob("*.matte.png"))
    assert paths
    for path in paths:
        matte = resample(np.asarray(Image.open(path).convert("L")), SIDE, SIDE)
        assert np.abs(clean_matte(matte).astype(int) - matte).sum() <= 0.001 * matte.sum(), (
            path.name
        )
