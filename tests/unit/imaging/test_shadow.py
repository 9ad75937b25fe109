"""Properties of shadows, over sizes, places and lights, and what they look like on known shapes."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imaging.compose.composition import ShadowKind
from imaging.compose.staging.shade import over_shadow, shade, under
from imaging.compose.staging.shadow import cast_shadow
from imaging.types import Box, Pixels

THROWN = st.sampled_from([ShadowKind.CONTACT, ShadowKind.DROP])
SIDES = st.integers(1, 60)
ANGLES = st.floats(-80, 80)


def noise(seed: int, *shape: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@st.composite
def products(draw: st.DrawFn) -> tuple[Pixels, Box]:
    """Noise in a box anywhere in a small frame, up to its borders."""
    height, width = draw(SIDES), draw(SIDES)
    left, right = sorted((draw(st.integers(0, width - 1)), draw(st.integers(0, width - 1))))
    top, bottom = sorted((draw(st.integers(0, height - 1)), draw(st.integers(0, height - 1))))
    box = Box(left, top, right + 1, bottom + 1)
    alpha = np.zeros((height, width), np.uint8)
    alpha[box.slices] = noise(draw(st.integers(0, 9)), box.height, box.width)
    return alpha, box


def standing(side_px: int = 600) -> tuple[Pixels, Box]:
    """Draw a barrel of a mug: an ellipse of a base, straight sides, no handle."""
    alpha = np.zeros((side_px, side_px), np.uint8)
    left, right, top, bottom = (side_px * share // 60 for share in (20, 40, 15, 42))
    alpha[top:bottom, left:right] = 255
    middle, half = (left + right) // 2, (right - left) // 2
    cv2.ellipse(alpha, (middle, bottom), (half, half // 5), 0, 0, 180, 255, -1)
    found = cv2.boundingRect(alpha)
    return alpha, Box(found[0], found[1], found[0] + found[2], found[1] + found[3])


def ball(side_px: int = 600) -> tuple[Pixels, Box]:
    alpha = np.zeros((side_px, side_px), np.uint8)
    cv2.circle(alpha, (side_px // 2, side_px // 2), side_px // 5, 255, -1)
    found = cv2.boundingRect(alpha)
    return alpha, Box(found[0], found[1], found[0] + found[2], found[1] + found[3])


def sides(density: Pixels, product: Box) -> tuple[int, int]:
    """Sum what lies left and right of the product's middle, leaving out a middle column."""
    half = density.shape[1] // 2
    assert product.left + product.right == 2 * half
    return int(density[:, :half].sum()), int(density[:, half:].sum())


@given(product=products(), kind=THROWN, opacity=st.floats(0, 1), angle=ANGLES)
@settings(deadline=None, max_examples=60)
def test_a_shadow_has_its_frame_s_size_and_is_nowhere_darker_than_asked_for(
    product: tuple[Pixels, Box], kind: ShadowKind, opacity: float, angle: float
) -> None:
    density = cast_shadow(*product, kind, opacity, angle)
    assert density.shape == product[0].shape
    assert density.dtype == np.uint8
    assert density.max() <= round(255 * opacity) + 1


@given(product=products(), kind=THROWN, angle=ANGLES, opacities=st.tuples(*[st.floats(0, 1)] * 2))
@settings(deadline=None, max_examples=40)
def test_a_higher_opacity_is_nowhere_lighter(
    product: tuple[Pixels, Box],
    kind: ShadowKind,
    angle: float,
    opacities: tuple[float, float],
) -> None:
    lower, higher = (cast_shadow(*product, kind, each, angle) for each in sorted(opacities))
    assert (lower <= higher).all()


@given(product=products(), kind=THROWN, angle=ANGLES)
@example(product=standing(1500), kind=ShadowKind.CONTACT, angle=-35)
@example(product=standing(1500), kind=ShadowKind.DROP, angle=60)
@settings(deadline=None, max_examples=40)
def test_mirroring_product_and_light_mirrors_the_shadow(
    product: tuple[Pixels, Box], kind: ShadowKind, angle: float
) -> None:
    alpha, box = product
    width_px = alpha.shape[1]
    mirrored_box = Box(width_px - box.right, box.top, width_px - box.left, box.bottom)
    density = cast_shadow(alpha, box, kind, 0.8, angle)
    mirrored = cast_shadow(np.ascontiguousarray(alpha[:, ::-1]), mirrored_box, kind, 0.8, -angle)
    assert np.abs(density.astype(int) - mirrored[:, ::-1]).max() <= 3


@pytest.mark.parametrize("kind", [ShadowKind.CONTACT, ShadowKind.DROP])
@pytest.mark.parametrize("opacity", [0.2, 0.6, 1.0])
@pytest.mark.parametrize("side_px", [60, 600, 1500])
def test_the_darkest_place_has_the_opacity(kind: ShadowKind, opacity: float, side_px: int) -> None:
    density = cast_shadow(*standing(side_px), kind, opacity, -35)
    assert density.max() == pytest.approx(255 * opacity, abs=3)


@pytest.mark.parametrize("kind", [ShadowKind.CONTACT, ShadowKind.DROP])
@pytest.mark.parametrize("angle", [15, 35, 70])
def test_a_shadow_falls_away_from_the_light(kind: ShadowKind, angle: float) -> None:
    alpha, box = standing()
    # The drawn ellipse is a pixel wider on the right: centred anew.
    box = Box(200, box.top, 400, box.bottom)
    alpha[:, 400:] = 0
    for light, darker in ((-angle, 1), (angle, 0)):
        both = sides(cast_shadow(alpha, box, kind, 0.6, light), box)
        assert both[darker] > 1.05 * both[1 - darker]


@pytest.mark.parametrize("kind", list(ShadowKind))
def test_no_opacity_or_no_kind_or_no_product_means_no_shadow(kind: ShadowKind) -> None:
    alpha, box = standing()
    assert not cast_shadow(alpha, box, kind, 0, -35).any()
    assert not cast_shadow(np.zeros_like(alpha), box, kind, 0.6, -35).any()
    assert not cast_shadow(alpha, box, ShadowKind.NONE, 0.6, -35).any()


@pytest.mark.parametrize("angle", [-80, -35, 0, 60])
def test_a_contact_shadow_lies_around_the_base_and_fades_downwards(angle: float) -> None:
    alpha, box = standing()
    density = cast_shadow(alpha, box, ShadowKind.CONTACT, 0.8, angle)
    assert not density[: box.bottom - box.height // 2].any()
    assert not density[box.bottom + box.height // 3 :].any()
    below = density[box.bottom :, (box.left + box.right) // 2].astype(int)
    assert below[0] > 0.6 * 0.8 * 255
    assert (np.diff(below) <= 0).all()


def test_the_contact_line_is_long_under_a_flat_base_and_short_under_a_ball() -> None:
    lengths = []
    for alpha, box in (standing(), ball()):
        density = cast_shadow(alpha, box, ShadowKind.CONTACT, 1, 0)
        dark = (density > 150) & (alpha == 0)
        lengths.append(np.flatnonzero(dark.any(axis=0)).size / box.width)
    assert lengths[0] > 0.8
    assert 0.1 < lengths[1] < 0.55


def test_a_handle_touches_no_floor_and_the_feet_of_a_table_do() -> None:
    alpha, box = standing()
    base = box.bottom
    alpha[base - 120 : base - 60, 400:460] = 255
    handle = cast_shadow(alpha, box._replace(right=460), ShadowKind.CONTACT, 1, 60)
    assert handle[base - 65 : base - 40, 440:460].max() < 60

    table = np.zeros((600, 600), np.uint8)
    table[200:240, 100:500] = 255
    feet = {110: 500, 480: 500, 150: 470, 440: 470}
    for left, bottom in feet.items():
        table[240:bottom, left : left + 10] = 255
    density = cast_shadow(table, Box(100, 200, 500, 500), ShadowKind.CONTACT, 1, 0)
    for left, bottom in feet.items():
        assert density[bottom, left + 5] > 100
    assert density[500, 300] < 60


def test_a_slanted_lower_edge_touches_the_floor_all_along() -> None:
    """As that of a box seen across its corner."""
    alpha = np.zeros((600, 600), np.uint8)
    corners = np.array([[150, 200], [450, 200], [450, 380], [300, 420], [150, 380]])
    cv2.fillPoly(alpha, [corners], 255)
    density = cast_shadow(alpha, Box(150, 200, 451, 421), ShadowKind.CONTACT, 1, 0)
    for x in (180, 240, 300, 360, 420):
        lowest = int(np.flatnonzero(alpha[:, x])[-1])
        assert density[lowest + 1, x] > 120


def test_a_product_at_the_frame_s_lower_end_still_throws_its_shadow_aside() -> None:
    alpha, box = standing()
    density = cast_shadow(alpha[: box.bottom], box, ShadowKind.CONTACT, 0.8, -35)
    assert density.shape == alpha[: box.bottom].shape
    assert density[-20:, box.right + 5].max() > 10


def test_a_drop_shadow_is_the_outline_moved_down_and_softened() -> None:
    alpha, box = standing()
    density = cast_shadow(alpha, box, ShadowKind.DROP, 1, 0)
    rows = np.arange(len(alpha))[:, None]
    moved = (density * rows).sum() / density.sum() - (alpha * rows).sum() / alpha.sum()
    assert moved == pytest.approx(0.07 * box.width, abs=1)
    assert len(np.unique(density)) > 200


@given(seed=st.integers(0, 99), height=SIDES, width=SIDES, clear=st.booleans())
@settings(deadline=None, max_examples=50)
def test_shading_darkens_keeps_the_order_of_channels_and_what_no_shadow_reaches(
    seed: int, height: int, width: int, *, clear: bool
) -> None:
    background, density = noise(seed, height, width, 3), noise(seed + 1, height, width)
    density[: height // 2] = 0
    if clear:
        density[:] = 0
    shaded = background.copy()
    shade(shaded, density)
    assert (shaded[density == 0] == background[density == 0]).all()
    assert (shaded <= background).all()
    exact_dark = density[:, :, None] / 255
    chroma = background - background.min(axis=2, keepdims=True).astype(int)
    exact = background * (1 - exact_dark) + 0.15 * exact_dark * chroma
    assert np.abs(shaded - exact).max() <= 1


@given(seed=st.integers(0, 99), height=SIDES, width=SIDES)
@settings(deadline=None, max_examples=50)
def test_over_its_shadow_and_then_over_white_equals_over_a_shaded_white(
    seed: int, height: int, width: int
) -> None:
    rgb, alpha = noise(seed, height, width, 3), noise(seed + 1, height, width)
    density = noise(seed + 2, height, width)
    density[: height // 2] = 0
    alpha[height // 3 :] = 0
    colors, both = over_shadow(rgb, alpha, density)
    assert (both == under(alpha, density)).all()
    untouched = density == 0
    assert (both[untouched] == alpha[untouched]).all()
    assert (colors[untouched] == rgb[untouched]).all()
    share, white = alpha[:, :, None] / 255, 255 * (1 - density[:, :, None] / 255)
    expected = rgb * share + white * (1 - share)
    shown = both[:, :, None] / 255
    assert np.abs(colors * shown + 255 * (1 - shown) - expected).max() <= 1.5
