"""Whatever the photo, the cut, the frame and the background: what compositing never breaks."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from imaging.compose.backgrounds.paint import paint_background
from imaging.compose.compose import compose
from imaging.compose.composition import (
    Background,
    BackgroundPicture,
    Blur,
    Content,
    LinearGradient,
    Look,
    RadialGradient,
    Scene,
    SceneKind,
    ShadowKind,
    Staging,
    Transparent,
)
from imaging.errors import InvalidOptionError, NoForegroundError
from imaging.framing.frame import Frame, FrameLimits, Length, Margins, place_in_frame
from imaging.matting.refine import box_of
from imaging.types import WHITE, Color, Cut, Photo, Sides

LIMITS = FrameLimits(max_side_px=10_000, max_pixels=64_000_000)
BARE = Staging(shadow=ShadowKind.NONE, reflection=0.0)
PRODUCT_ALPHA = 128


@st.composite
def cuts(draw: st.DrawFn) -> tuple[Photo, Cut]:
    """Draw a photo of noise and a cut of soft ellipses in it, some over the border."""
    width, height = draw(st.integers(16, 90)), draw(st.integers(16, 90))
    chance = np.random.default_rng(draw(st.integers(0, 1000)))
    rgb = chance.integers(0, 256, (height, width, 3), np.uint8)
    alpha = np.zeros((height, width), np.uint8)
    rows, columns = np.mgrid[:height, :width]
    for _ in range(draw(st.integers(1, 3))):
        x, y = draw(st.floats(0, width)), draw(st.floats(0, height))
        radius_x, radius_y = draw(st.floats(1, width / 2)), draw(st.floats(1, height / 2))
        far = np.hypot((columns - x) / radius_x, (rows - y) / radius_y)
        alpha = np.maximum(alpha, np.clip(255 * (1.5 - far), 0, 255).astype(np.uint8))
    assume(alpha.max() >= PRODUCT_ALPHA)
    return Photo(rgb), Cut(rgb, alpha, confidence=1.0)


lengths = st.builds(Length, share=st.floats(0, 1), px=st.integers(0, 20))
frames = st.builds(
    Frame,
    st.just(LIMITS),
    width_px=st.sampled_from([0, 64, 150]),
    height_px=st.sampled_from([0, 80, 130]),
    crop=st.booleans(),
    margins=st.none() | st.builds(Margins, lengths, lengths, lengths, lengths),
    scale=st.none() | st.floats(0.1, 1),
    position=st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1)),
    max_upscale=st.sampled_from([1.0, 2.0, 8.0]),
)
BACKGROUNDS: list[Background] = [
    WHITE,
    Color(12, 200, 7),
    LinearGradient((Color(0, 0, 0), WHITE)),
    RadialGradient((WHITE, Color(90, 0, 30))),
    BackgroundPicture(Photo(np.tile(np.arange(200, dtype=np.uint8)[:, None, None], (1, 70, 3)))),
    Blur(),
    *(Scene(kind) for kind in SceneKind),
]


def mask_of(cut: Cut, photo: Photo, look: Look) -> npt.NDArray[np.uint8]:
    return compose(cut, photo, replace(look, content=Content.MASK)).pixels


@given(cuts(), st.sampled_from(BACKGROUNDS))
@settings(max_examples=60, deadline=None)
def test_in_the_photos_own_frame_opaque_is_the_photo_and_transparent_the_background(
    drawn: tuple[Photo, Cut], background: Background
) -> None:
    photo, cut = drawn
    pixels = compose(cut, photo, Look(background, staging=BARE)).pixels
    assert pixels.shape == photo.rgb.shape
    opaque, empty = cut.alpha == 255, cut.alpha == 0
    assert (pixels[opaque] == photo.rgb[opaque]).all()
    alone = behind(background, photo, cut, None)
    assert (pixels[empty] == alone[empty]).all()


def behind(
    background: Background, photo: Photo, cut: Cut, frame: Frame | None
) -> npt.NDArray[np.uint8]:
    product = box_of(cut.alpha, PRODUCT_ALPHA)
    visible = box_of(cut.alpha, 1)
    assert product
    assert visible
    placement = place_in_frame(
        frame or Frame(LIMITS), photo.width_px, photo.height_px, product, visible
    )
    return paint_background(background, placement, photo, cut, BARE.light_angle_deg)


@given(cuts(), frames, st.sampled_from(BACKGROUNDS))
@settings(max_examples=150, deadline=None)
def test_in_any_frame_nothing_is_clipped_and_the_exterior_is_the_background(
    drawn: tuple[Photo, Cut], frame: Frame, background: Background
) -> None:
    photo, cut = drawn
    look = Look(background, frame, BARE)
    try:
        composition = compose(cut, photo, look)
    except InvalidOptionError as error:
        # Margins that leave no room for the product are refused by name.
        assert error.field == "margin"
        reject()
    mask = mask_of(cut, photo, look)
    height, width = mask.shape
    assert composition.pixels.shape == (height, width, 3)
    box = composition.product
    assert 0 <= box.left < box.right <= width
    assert 0 <= box.top < box.bottom <= height
    # Resampling may soften a thin tip below one half, never carry it farther.
    found = box_of(mask, PRODUCT_ALPHA)
    if found:
        slack = 1 + composition.magnification
        assert found.left >= box.left - slack
        assert found.top >= box.top - slack
        assert found.right <= box.right + slack
        assert found.bottom <= box.bottom + slack
    alone = behind(background, photo, cut, frame)
    assert (composition.pixels[mask == 0] == alone[mask == 0]).all()


@given(cuts(), st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_a_crop_at_the_photos_scale_moves_pixels_and_changes_none(
    drawn: tuple[Photo, Cut], margin_px: int
) -> None:
    photo, cut = drawn
    sides = Length(px=margin_px)
    frame = Frame(LIMITS, crop=True, margins=Margins(sides, sides, sides, sides))
    look = Look(Transparent(), frame)
    composition = compose(cut, photo, look)
    product = box_of(cut.alpha, PRODUCT_ALPHA)
    assert product
    assume(min(product.width, product.height) >= 16)
    assert composition.magnification == 1
    box = composition.product
    assert (box.width, box.height) == (product.width, product.height)
    inside = cut.alpha[product.slices]
    placed = composition.pixels[box.slices]
    assert (placed[..., 3] == inside).all()
    assert (placed[..., :3][inside == 255] == photo.rgb[product.slices][inside == 255]).all()


@given(cuts())
@settings(max_examples=30, deadline=None)
def test_sides_that_cut_the_product_off_are_told(drawn: tuple[Photo, Cut]) -> None:
    photo, cut = drawn
    seen = cut.alpha >= PRODUCT_ALPHA
    touched = Sides(*(bool(side.any()) for side in (seen[:, 0], seen[0], seen[:, -1], seen[-1])))
    assert compose(cut, photo, Look()).cut_off == touched


def square_cut() -> tuple[Photo, Cut]:
    """A grey square of 40 in a photo of 100x80."""
    rgb = np.full((80, 100, 3), 90, np.uint8)
    alpha = np.zeros((80, 100), np.uint8)
    alpha[20:60, 30:70] = 255
    return Photo(rgb), Cut(rgb, alpha, confidence=1.0)


def test_a_mask_is_the_matte_and_an_alpha_a_black_picture_that_carries_it() -> None:
    photo, cut = square_cut()
    mask = compose(cut, photo, Look(content=Content.MASK)).pixels
    assert (mask == cut.alpha).all()
    stencil = compose(cut, photo, Look(content=Content.ALPHA)).pixels
    assert (stencil[..., 3] == cut.alpha).all()
    assert not stencil[..., :3].any()


def test_nothing_of_the_old_background_is_left_under_the_transparency() -> None:
    photo, cut = square_cut()
    cut.alpha[20, 30] = 1
    clear = compose(cut, photo, Look(Transparent())).pixels
    assert (clear[cut.alpha > 0][:, :3] == 90).all()
    assert (clear[cut.alpha == 0] == (255, 255, 255, 0)).all()
    assert (photo.rgb == 90).all()


@pytest.mark.parametrize("kind", [ShadowKind.CONTACT, ShadowKind.DROP])
def test_a_shadow_darkens_what_is_behind_and_never_the_product(kind: ShadowKind) -> None:
    photo, cut = square_cut()
    plain = compose(cut, photo, Look(staging=BARE)).pixels
    shaded = compose(cut, photo, Look(staging=Staging(shadow=kind))).pixels
    opaque = cut.alpha == 255
    assert (shaded[opaque] == plain[opaque]).all()
    assert (shaded <= plain).all()
    assert (shaded < plain)[~opaque].any()
    clear = compose(cut, photo, Look(Transparent(), staging=Staging(shadow=kind))).pixels
    assert (clear[..., 3] >= cut.alpha).all()
    assert (clear[..., 3] > cut.alpha).any()


def test_a_scene_brings_its_own_shadow_unless_there_shall_be_none() -> None:
    photo, cut = square_cut()
    scene = Scene(SceneKind.STUDIO)
    suited = compose(cut, photo, Look(scene)).pixels.astype(int)
    bare = compose(cut, photo, Look(scene, staging=BARE)).pixels.astype(int)
    below = np.s_[56:70, 30:70]
    assert suited[below].mean() < bare[below].mean() - 2


def test_a_reflection_lies_below_the_product_alone() -> None:
    photo, cut = square_cut()
    plain = compose(cut, photo, Look(staging=BARE)).pixels
    staging = replace(BARE, reflection=0.5)
    mirrored = compose(cut, photo, Look(staging=staging)).pixels
    changed = np.argwhere((mirrored != plain).any(axis=2))
    assert changed.size
    assert changed[:, 0].min() >= 60


def test_a_photo_without_a_background_to_blur_is_noted() -> None:
    photo, cut = square_cut()
    assert compose(cut, photo, Look(Blur())).notes == ()
    (note,) = compose(replace(cut, alpha=np.full_like(cut.alpha, 255)), photo, Look(Blur())).notes
    assert "no background to blur" in note


def test_colours_move_towards_the_backgrounds() -> None:
    photo, cut = square_cut()
    red = Color(230, 90, 60)
    plain = compose(cut, photo, Look(red, staging=BARE)).pixels[40, 50].astype(int)
    moved = compose(cut, photo, Look(red, staging=replace(BARE, color_match=1.0))).pixels[40, 50]
    assert moved[0] - plain[0] > moved[2] - plain[2]


def test_a_cut_without_a_product_is_refused() -> None:
    photo, cut = square_cut()
    faint = Cut(cut.foreground, cut.alpha // 3, confidence=0.0)
    with pytest.raises(NoForegroundError):
        compose(faint, photo, Look())
