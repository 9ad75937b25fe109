"""Where the product goes in a frame: examples of every rule, and what holds for all of them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from imaging.errors import InvalidOptionError
from imaging.framing.frame import (
    MIN_SIDE_PX,
    Frame,
    FrameLimits,
    Length,
    Margins,
    Placement,
    cut_off,
    place_in_frame,
)
from imaging.types import Box, Sides

LIMITS = FrameLimits(max_side_px=10_000, max_pixels=64_000_000)
HUGE = FrameLimits(max_side_px=10**9, max_pixels=10**18)
# A photo of 1000x800 with the product off its middle.
PHOTO = (1000, 800)
PRODUCT = Box(300, 200, 700, 500)
TENTHS = Margins(Length(0.1), Length(0.1), Length(0.1), Length(0.1))
TWENTIES = Margins(Length(px=20), Length(px=20), Length(px=20), Length(px=20))


def frame(width_px: int = 0, height_px: int = 0, **wishes: Any) -> Frame:
    return Frame(LIMITS, width_px, height_px, **wishes)


def place(wanted: Frame, product: Box = PRODUCT, photo: tuple[int, int] = PHOTO) -> Placement:
    return place_in_frame(wanted, *photo, product, product)


def canvas(placement: Placement) -> tuple[int, int]:
    return placement.width_px, placement.height_px


def is_inside(inner: Box, outer: Box) -> bool:
    return (
        outer.left <= inner.left < inner.right <= outer.right
        and outer.top <= inner.top < inner.bottom <= outer.bottom
    )


def test_cut_off_names_the_sides_that_the_product_touches() -> None:
    assert cut_off(Box(0, 1, 1000, 799), 1000, 800) == Sides(
        left=True, top=False, right=True, bottom=False
    )
    assert cut_off(Box(1, 0, 999, 800), 1000, 800) == Sides(
        left=False, top=True, right=False, bottom=True
    )


def test_a_frame_that_asks_for_nothing_is_the_photo_s_own() -> None:
    visible = Box(290, 180, 720, 510)
    assert place_in_frame(frame(), *PHOTO, PRODUCT, visible) == Placement(
        1000, 800, source=visible, target=visible, product=PRODUCT, magnification=1.0
    )


@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        (frame(500, 300), (500, 300)),
        (frame(500), (500, 400)),
        (frame(0, 400), (500, 400)),
        (frame(500, aspect_ratio=2), (500, 250)),
        (frame(0, 500, aspect_ratio=2), (1000, 500)),
        (frame(aspect_ratio=1), (1000, 1000)),
        (frame(aspect_ratio=2), (1600, 800)),
        (frame(scale=0.5), (1000, 800)),
        (frame(margins=TENTHS, max_upscale=3), (1000, 800)),
        (frame(margins=TENTHS, aspect_ratio=1, max_upscale=3), (1000, 1000)),
        (frame(crop=True), (400, 300)),
        (frame(crop=True, margins=TENTHS), (480, 360)),
        (frame(crop=True, margins=TWENTIES), (440, 340)),
        (frame(crop=True, scale=0.5), (800, 600)),
        (frame(crop=True, margins=TENTHS, scale=0.5), (800, 600)),
        (frame(crop=True, margins=TENTHS, scale=0.9), (480, 360)),
        (frame(crop=True, aspect_ratio=1), (400, 400)),
        (frame(crop=True, margins=TENTHS, aspect_ratio=2), (720, 360)),
        (frame(crop=True, scale=0.5, aspect_ratio=0.5), (800, 1600)),
        (frame(800, crop=True), (800, 600)),
        (frame(840, crop=True, margins=TWENTIES), (840, 640)),
        (frame(0, 600, crop=True, scale=0.5), (800, 600)),
        (frame(800, crop=True, aspect_ratio=1), (800, 800)),
    ],
)
def test_a_frame_s_size_is_as_asked_and_otherwise_as_what_is_framed_needs(
    wanted: Frame, size: tuple[int, int]
) -> None:
    placement = place(wanted)
    assert canvas(placement) == size
    assert placement.notes == ()


@pytest.mark.parametrize(
    ("wanted", "product"),
    [
        (frame(500, 500, crop=True), Box(0, 62, 500, 437)),
        (frame(500, 500, scale=0.8), Box(50, 100, 450, 400)),
        (frame(500, 500, margins=TWENTIES), Box(20, 78, 480, 423)),
        (frame(500, 500, margins=TWENTIES, scale=0.8), Box(50, 100, 450, 400)),
        (frame(480, 480, margins=TENTHS), Box(40, 90, 440, 390)),
        (frame(500, 500, scale=0.8, position=(0, 1)), Box(0, 200, 400, 500)),
        (frame(500, 500, scale=0.8, position=(0.25, 0)), Box(25, 0, 425, 300)),
        (frame(500, 500, margins=TWENTIES, position=(0.5, 1)), Box(20, 135, 480, 480)),
        (frame(500, 500), Box(150, 150, 350, 300)),
        (frame(500, 500, position=(0, 1)), Box(0, 350, 200, 500)),
        (frame(500, 500, position=(0.5, 0.5)), Box(150, 175, 350, 325)),
        (frame(position=(1, 0)), Box(600, 0, 1000, 300)),
    ],
)
def test_the_product_is_as_large_as_asked_and_where_it_was_asked_for(
    wanted: Frame, product: Box
) -> None:
    assert place(wanted).product == product


def test_a_tight_crop_is_the_product_and_nothing_else() -> None:
    for product in (PRODUCT, Box(3, 5, 997, 38), Box(400, 11, 431, 790)):
        for wanted in (frame(crop=True), frame(777, crop=True), frame(0, 397, crop=True)):
            placement = place(replace(wanted, limits=HUGE, max_upscale=40), product)
            assert placement.product == Box(0, 0, *canvas(placement))


def test_a_tiny_product_s_own_frame_has_the_least_side() -> None:
    placement = place(frame(crop=True), Box(10, 10, 15, 100))
    assert canvas(placement) == (MIN_SIDE_PX, 90)
    assert placement.product == Box(6, 0, 11, 90)
    assert placement.magnification == 1


@pytest.mark.parametrize(
    ("wanted", "product", "placed"),
    [
        # Flush where it is cut off, with the margin on the other side.
        (
            frame(500, 500, margins=TWENTIES, position=(1, 0.5)),
            Box(0, 200, 400, 500),
            Box(0, 70, 480, 430),
        ),
        (frame(500, 500, scale=0.8), Box(600, 200, 1000, 500), Box(100, 100, 500, 400)),
        (frame(500, 500, scale=0.8), Box(300, 500, 700, 800), Box(50, 200, 450, 500)),
        # The whole photo goes to that side.
        (frame(500, 500), Box(300, 500, 700, 800), Box(150, 350, 350, 500)),
        (frame(500, 500, position=(0, 0.3)), Box(300, 0, 700, 300), Box(0, 0, 200, 150)),
        # From end to end, whatever the scale.
        (frame(500, 500, scale=0.8), Box(0, 200, 1000, 500), Box(0, 175, 500, 325)),
        (frame(500, 300), Box(0, 200, 1000, 500), Box(0, 50, 500, 200)),
        (frame(600, 1000, margins=TENTHS), Box(300, 0, 700, 800), Box(50, 0, 550, 1000)),
        (frame(crop=True, scale=0.5), Box(0, 200, 1000, 500), Box(0, 150, 1000, 450)),
        (frame(crop=True, margins=TWENTIES), Box(0, 200, 1000, 500), Box(0, 20, 1000, 320)),
        (frame(aspect_ratio=2), Box(0, 200, 1000, 500), Box(0, 50, 1000, 350)),
        (frame(700, crop=True), Box(0, 0, 1000, 800), Box(0, 0, 700, 560)),
    ],
)
def test_a_product_that_the_photo_cuts_off_stays_at_the_frame_s_side(
    wanted: Frame, product: Box, placed: Box
) -> None:
    placement = place(wanted, product)
    assert placement.product == placed
    assert placement.notes == ()


def test_a_product_that_cannot_reach_from_end_to_end_is_placed_with_a_note() -> None:
    placement = place(frame(1000, 300), Box(0, 100, 1000, 700))
    assert placement.product == Box(312, 38, 687, 263)
    (note,) = placement.notes
    assert note == (
        "the photo cuts the product off at both ends of its width, but it takes only 375 of the "
        "frame's 1000 px there: to fill them it would have to be 1 times its size in the photo, "
        "and the frame's other side is too short for that"
    )


def test_a_product_that_may_not_be_enlarged_from_end_to_end_is_placed_with_one_note() -> None:
    placement = place(frame(3000, 3000, scale=0.8), Box(0, 200, 1000, 500))
    assert placement.magnification == 2
    assert placement.product == Box(500, 1200, 2500, 1800)
    (note,) = placement.notes
    assert "only 2000 of the frame's 3000 px" in note
    assert "3 times its size in the photo, and the limit is 2" in note


def test_beyond_the_largest_magnification_the_product_is_smaller_with_a_note() -> None:
    placement = place(frame(1600, 1600, scale=0.85))
    assert canvas(placement) == (1600, 1600)
    assert placement.magnification == 2
    assert placement.product == Box(400, 500, 1200, 1100)
    (note,) = placement.notes
    assert note == (
        "the frame asks for the product at 3.4 times its size in the photo; the limit is 2, so it "
        "fills 50 % of the frame instead of 85 %"
    )


def test_the_whole_photo_is_not_enlarged_beyond_the_limit_either() -> None:
    placement = place(frame(4000, 3200))
    assert placement.magnification == 2
    assert placement.product == Box(1600, 1200, 2400, 1800)
    assert len(placement.notes) == 1


def test_a_frame_that_shrinks_keeps_its_margins_in_pixels_and_says_so() -> None:
    wanted = frame(2000, 2000, margins=TWENTIES, scale=0.98, shrinks=True)
    placement = place(wanted)
    assert canvas(placement) == (840, 840)
    assert placement.magnification == 2
    assert placement.product == Box(20, 120, 820, 720)
    (note,) = placement.notes
    assert note == (
        "the frame asks for the product at 4.9 times its size in the photo; the limit is 2, so the "
        "frame is 840x840 instead of 2000x2000 pixels"
    )


def test_a_frame_shrinks_until_a_product_reaches_from_end_to_end() -> None:
    placement = place(frame(3000, 1500, scale=0.8, shrinks=True), Box(0, 200, 1000, 500))
    assert canvas(placement) == (2000, 1000)
    assert placement.product == Box(0, 200, 2000, 800)


def test_scale_holds_in_a_free_frame_whose_ends_the_product_may_not_reach() -> None:
    placement = place(frame(0, 3200, crop=True, scale=0.5), Box(300, 0, 500, 800))
    assert canvas(placement) == (1600, 3200)
    assert placement.product == Box(600, 800, 1000, 2400)


def test_a_frame_does_not_shrink_for_a_product_that_would_not_reach_its_ends_there() -> None:
    placement = place(
        frame(16, 17, scale=0.5, max_upscale=1, shrinks=True), Box(3, 0, 13, 16), (16, 16)
    )
    assert canvas(placement) == (16, 17)
    assert placement.product == Box(6, 4, 11, 12)
    (note,) = placement.notes
    assert "only 8 of the frame's 17 px" in note


def test_a_faint_edge_is_taken_along_as_far_as_the_frame_holds_it() -> None:
    visible = Box(200, 190, 900, 600)
    placement = place_in_frame(frame(crop=True), *PHOTO, PRODUCT, visible)
    assert placement.source == PRODUCT
    assert placement.target == placement.product == Box(0, 0, 400, 300)
    placement = place_in_frame(frame(crop=True, margins=TWENTIES), *PHOTO, PRODUCT, visible)
    assert placement.source == Box(280, 190, 720, 520)
    assert placement.target == Box(0, 10, 440, 340)


def test_a_product_thinner_than_a_pixel_after_scaling_is_still_a_product() -> None:
    placement = place(frame(64, 64, scale=0.85), Box(200, 0, 201, 400), (400, 400))
    assert (placement.product.width, placement.product.height) == (1, 64)


def test_a_frame_beyond_the_limits_is_refused_with_both_figures() -> None:
    with pytest.raises(InvalidOptionError, match=r"20000x200 pixels; the limits are 10000") as side:
        place(frame(crop=True, scale=0.05), Box(1, 1, 1001, 11), (1002, 100))
    assert side.value.field == "frame"
    assert side.value.figures["value_px"] == "20000"
    with pytest.raises(InvalidOptionError, match=r"9000x9000 pixels; .* 64000000 in all"):
        place(frame(9000, 9000))


def test_margins_that_leave_no_room_are_refused_with_the_figures() -> None:
    margins = Margins(left=Length(px=300), right=Length(0.5, px=199))
    with pytest.raises(InvalidOptionError, match=r"499 px and 50% .* width of 501 px") as caught:
        place(frame(500, 500, margins=margins))
    assert caught.value.field == "margin"
    assert caught.value.figures == {"limit_px": "500", "value_px": "501"}


def test_a_least_side_that_breaks_the_aspect_ratio_is_noted() -> None:
    placement = place(frame(50, aspect_ratio=10))
    assert canvas(placement) == (50, MIN_SIDE_PX)
    (note,) = placement.notes
    assert note == (
        "the frame is 50x16 pixels and not of the aspect ratio 10: its sides have at least 16 "
        "pixels"
    )


Case = tuple[Frame, tuple[int, int], Box, Box]


def sides(side_px: int, *, cut: bool) -> st.SearchStrategy[tuple[int, int]]:
    """Where a product lies along one side of the photo."""
    within = st.integers(1, side_px - 1)
    if cut:
        return st.one_of(
            within.map(lambda stop: (0, stop)),
            within.map(lambda start: (start, side_px)),
            st.just((0, side_px)),
        )
    start = st.integers(1, side_px - 2)
    return start.flatmap(lambda at: st.tuples(st.just(at), st.integers(at + 1, side_px - 1)))


@st.composite
def cases(draw: st.DrawFn, cuts: st.SearchStrategy[bool]) -> Case:
    photo = (draw(st.integers(16, 700)), draw(st.integers(16, 700)))
    (left, right), (top, bottom) = (draw(sides(side_px, cut=draw(cuts))) for side_px in photo)
    product = Box(left, top, right, bottom)
    halo = st.integers(0, 40)
    visible = Box(
        max(left - draw(halo), 0),
        max(top - draw(halo), 0),
        min(right + draw(halo), photo[0]),
        min(bottom + draw(halo), photo[1]),
    )
    length = st.builds(Length, share=st.floats(0, 2), px=st.integers(0, 60))
    side = st.one_of(st.just(0), st.integers(MIN_SIDE_PX, 1500))
    wanted = Frame(
        HUGE,
        draw(side),
        draw(side),
        aspect_ratio=draw(st.none() | st.floats(0.1, 10)),
        crop=draw(st.booleans()),
        margins=draw(st.none() | st.builds(Margins, length, length, length, length)),
        scale=draw(st.none() | st.floats(0.05, 1)),
        position=draw(st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1))),
        max_upscale=draw(st.sampled_from([1.0, 1.5, 2.0, 8.0])),
        shrinks=draw(st.booleans()),
    )
    return wanted, photo, product, visible


def placed(case: Case) -> Placement:
    """Place a case, or give it up if its margins leave no room."""
    wanted, photo, product, visible = case
    try:
        return place_in_frame(wanted, *photo, product, visible)
    except InvalidOptionError as error:
        assert wanted.margins is not None
        assert error.field == "margin"
        assert int(error.figures["value_px"]) > int(error.figures["limit_px"])
        reject()


def is_around_product(wanted: Frame) -> bool:
    return wanted.crop or wanted.margins is not None or wanted.scale is not None


@settings(deadline=None, max_examples=200)
@given(case=cases(st.booleans()))
def test_nothing_is_clipped_and_the_product_keeps_its_shape(case: Case) -> None:
    wanted, _, product, visible = case
    placement = placed(case)
    whole = Box(0, 0, *canvas(placement))
    assert is_inside(placement.product, placement.target)
    assert is_inside(placement.target, whole)
    assert is_inside(product, placement.source)
    assert is_inside(placement.source, visible)
    magnification = placement.magnification
    assert 0 < magnification <= wanted.max_upscale
    for now_px, before_px in zip(
        (placement.product.width, placement.product.height),
        (product.width, product.height),
        strict=True,
    ):
        assert now_px == pytest.approx(max(magnification * before_px, 1), abs=0.51)
    # What lies beside the product stays where it was, seen from the product.
    for beside, beside_before in zip(
        zip(placement.target, placement.product, strict=True),
        zip(placement.source, product, strict=True),
        strict=True,
    ):
        shift = beside_before[1] - beside_before[0]
        assert beside[1] - beside[0] == pytest.approx(magnification * shift, abs=0.51)


@settings(deadline=None, max_examples=200)
@given(case=cases(st.booleans()))
def test_a_frame_is_of_the_size_and_the_shape_that_were_asked_for(case: Case) -> None:
    wanted, *_ = case
    placement = placed(case)
    width_px, height_px = canvas(placement)
    assert min(width_px, height_px) >= MIN_SIDE_PX
    asked = (wanted.width_px or width_px, wanted.height_px or height_px)
    if wanted.shrinks:
        assert width_px <= asked[0]
        assert height_px <= asked[1]
        if (width_px, height_px) != asked:
            assert placement.notes
            assert placement.magnification == wanted.max_upscale
    else:
        assert (width_px, height_px) == asked
    ratio = wanted.aspect_ratio
    if ratio and not (wanted.width_px and wanted.height_px) and not placement.notes:
        assert min(abs(width_px - height_px * ratio), abs(height_px - width_px / ratio)) <= 0.5


@settings(deadline=None, max_examples=200)
@given(case=cases(st.booleans()))
def test_a_cut_side_is_flush_and_the_other_sides_keep_margin_scale_and_position(case: Case) -> None:
    wanted, photo, product, _ = case
    placement = placed(case)
    cut = cut_off(product, *photo)
    margins = wanted.margins or Margins()
    x = (cut.left, cut.right, margins.left, margins.right, product.width, placement.width_px)
    y = (cut.top, cut.bottom, margins.top, margins.bottom, product.height, placement.height_px)
    spans = []
    for index, (cut_before, cut_after, before, after, product_px, side_px) in enumerate((x, y)):
        start, stop = placement.product[index], placement.product[index + 2]
        free_px = side_px - (stop - start)
        if cut_before and cut_after:
            spans.append(free_px == 0)
            assert free_px == 0 or placement.notes
            continue
        if cut_before or cut_after:
            assert (start if cut_before else side_px - stop) == 0
        needed = [
            0 if is_cut else each.px + each.share * placement.magnification * product_px
            for is_cut, each in ((cut_before, before), (cut_after, after))
        ]
        if is_around_product(wanted):
            assert start > needed[0] - 1
            assert side_px - stop > needed[1] - 1
        if not (cut_before or cut_after) and (wanted.position or is_around_product(wanted)):
            share = wanted.position[index] if wanted.position else 0.5
            room_px = free_px - sum(needed)
            assert start == pytest.approx(needed[0] + share * room_px, abs=1.01)
    if wanted.scale and not any(spans):
        assert placement.product.width <= max(wanted.scale * placement.width_px, 1) + 1
        assert placement.product.height <= max(wanted.scale * placement.height_px, 1) + 1


@settings(deadline=None, max_examples=200)
@given(case=cases(st.just(value=False)))
def test_the_product_is_as_large_as_the_frame_and_the_limit_let_it(case: Case) -> None:
    wanted, photo, product, _ = case
    placement = placed(case)
    if placement.magnification == wanted.max_upscale or (
        wanted.width_px == wanted.height_px == 0 and (wanted.crop or not is_around_product(wanted))
    ):
        assert placement.magnification >= 1
        return
    framed = (product.width, product.height) if is_around_product(wanted) else photo
    margins = wanted.margins or Margins()
    slack = []
    for framed_px, side_px, pair in (
        (framed[0], placement.width_px, (margins.left, margins.right)),
        (framed[1], placement.height_px, (margins.top, margins.bottom)),
    ):
        now_px = placement.magnification * framed_px
        room_px = (side_px - sum(each.px for each in pair)) / (1 + sum(each.share for each in pair))
        slack.append(min(room_px, (wanted.scale or 1) * side_px) - now_px)
    assert min(slack) == pytest.approx(0, abs=0.51)
