import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imaging.encode import DEFAULT_QUALITY, PictureFormat, encode_picture
from imaging.presets.load import load_presets
from imaging.presets.preset import Preset
from imaging.presets.rules import (
    BackgroundRule,
    BoundsRule,
    FormatRule,
    Importance,
    Rule,
    RuleName,
    WholeProductRule,
)
from imaging.presets.verdict import Check, Verdict, judge
from imaging.types import WHITE, Box, Pixels, Sides
from tests.support.pictures import RED, encode, encode_image

PRESETS = load_presets()
AMAZON, GOOGLE, EBAY, SHOPIFY = (
    PRESETS[name] for name in ("amazon-main", "google-merchant", "ebay", "shopify")
)
NO_SIDES = Sides(left=False, top=False, right=False, bottom=False)
EVERY_FORMAT = pytest.mark.parametrize("picture_format", PictureFormat)
REQUIRED, ADVISED = Importance.REQUIRED, Importance.ADVISED


def preset_of(*rules: Rule) -> Preset:
    return dataclasses.replace(AMAZON, name="shop", rules=rules)


def product_box(width: int, height: int, fill: float = 0.88) -> Box:
    side = round(fill * min(width, height))
    left, top = (width - side) // 2, (height - side) // 2
    return Box(left, top, left + side, top + side)


def packshot(width: int, height: int | None = None, fill: float = 0.88) -> Pixels:
    height = height or width
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[product_box(width, height, fill).slices] = RED
    return pixels


def verdict_on(
    preset: Preset,
    pixels: Pixels,
    picture_format: PictureFormat = PictureFormat.PNG,
    *,
    product: Box | None = None,
    magnification: float = 1.0,
    cut_off: Sides = NO_SIDES,
) -> Verdict:
    height, width = pixels.shape[:2]
    picture = encode_picture(pixels, picture_format, DEFAULT_QUALITY)
    box = product or product_box(width, height)
    return judge(preset, picture, picture_format, box, magnification, cut_off)


def check_of(verdict: Verdict, rule: str, importance: Importance = REQUIRED) -> Check:
    (check,) = (c for c in verdict.checks if (c.rule, c.importance) == (rule, importance))
    return check


def test_a_good_packshot_keeps_every_rule_of_every_marketplace() -> None:
    for preset in PRESETS.values():
        how = preset.rendering
        pixels = packshot(how.side_px, fill=how.scale)
        box = product_box(how.side_px, how.side_px, how.scale)
        verdict = verdict_on(preset, pixels, how.picture_format, product=box)
        assert verdict.complies
        assert all(check.passed for check in verdict.checks), verdict
        assert verdict.preset == preset.name


def test_checks_come_in_the_presets_order() -> None:
    verdict = verdict_on(AMAZON, packshot(64))
    assert [(check.rule, check.importance) for check in verdict.checks] == [
        (rule.name.value, rule.importance) for rule in AMAZON.rules
    ]


@pytest.mark.parametrize(
    ("preset", "rule", "importance", "size", "passed"),
    [
        (AMAZON, "longest-side", REQUIRED, (999, 500), False),
        (AMAZON, "longest-side", REQUIRED, (500, 1000), True),
        (AMAZON, "longest-side", REQUIRED, (1001, 40), True),
        (AMAZON, "longest-side", REQUIRED, (10_000, 20), True),
        (AMAZON, "longest-side", REQUIRED, (20, 10_001), False),
        (AMAZON, "longest-side", ADVISED, (1599, 40), False),
        (AMAZON, "longest-side", ADVISED, (1600, 40), True),
        (GOOGLE, "shortest-side", REQUIRED, (499, 600), False),
        (GOOGLE, "shortest-side", REQUIRED, (600, 500), True),
        (GOOGLE, "shortest-side", REQUIRED, (501, 501), True),
        (GOOGLE, "shortest-side", ADVISED, (1600, 1499), False),
        (GOOGLE, "shortest-side", ADVISED, (1500, 1500), True),
        (EBAY, "longest-side", REQUIRED, (499, 499), False),
        (EBAY, "longest-side", REQUIRED, (500, 20), True),
        (SHOPIFY, "longest-side", REQUIRED, (5000, 20), True),
        (SHOPIFY, "longest-side", REQUIRED, (20, 5001), False),
        (SHOPIFY, "longest-side", ADVISED, (2047, 20), False),
    ],
)
def test_sizes_at_their_bounds(
    preset: Preset, rule: str, importance: Importance, size: tuple[int, int], *, passed: bool
) -> None:
    check = check_of(verdict_on(preset, packshot(*size)), rule, importance)
    assert check.passed is passed
    assert check.measured == (min(size) if rule == "shortest-side" else max(size))
    assert check.unit == "px"


def test_width_height_and_pixels_are_measured_on_the_file() -> None:
    rules = [
        BoundsRule(RuleName.WIDTH, REQUIRED, at_least=64, at_most=64),
        BoundsRule(RuleName.HEIGHT, REQUIRED, at_most=31),
        BoundsRule(RuleName.PIXELS, REQUIRED, at_most=64 * 32),
    ]
    checks = verdict_on(preset_of(*rules), packshot(64, 32)).checks
    assert [(check.measured, check.passed) for check in checks] == [
        (64, True),
        (32, False),
        (64 * 32, True),
    ]


def test_the_largest_file_allowed_is_still_allowed() -> None:
    pixels = packshot(64)
    size = len(encode_picture(pixels, PictureFormat.PNG, DEFAULT_QUALITY))
    for limit, passed in ((size - 1, False), (size, True)):
        rule = BoundsRule(RuleName.BYTES, REQUIRED, at_most=limit)
        verdict = verdict_on(preset_of(rule), pixels)
        assert verdict.complies is passed
        assert verdict.checks[0].measured == size


@EVERY_FORMAT
def test_a_white_border_is_exact_in_every_format(picture_format: PictureFormat) -> None:
    check = check_of(verdict_on(AMAZON, packshot(1000), picture_format), "background")
    assert (check.passed, check.measured, check.at_most) == (True, 0, 0)


@EVERY_FORMAT
def test_off_white_is_not_white(picture_format: PictureFormat) -> None:
    pixels = np.minimum(packshot(1000), 254).astype(np.uint8)
    verdict = verdict_on(AMAZON, pixels, picture_format)
    check = check_of(verdict, "background")
    assert not verdict.complies
    assert not check.passed
    assert 1 <= check.measured <= 3


@pytest.mark.parametrize("at", [(0, 7), (63, 9), (5, 0), (8, 63), (0, 0), (63, 63)])
def test_one_pixel_of_one_channel_on_any_side_is_seen(at: tuple[int, int]) -> None:
    pixels = packshot(64)
    pixels[(*at, 1)] = 254
    assert check_of(verdict_on(AMAZON, pixels), "background").measured == 1


def test_what_lies_inside_the_border_is_no_background() -> None:
    pixels = packshot(64)
    pixels[1:-1, 1:-1] = 0
    assert check_of(verdict_on(AMAZON, pixels), "background").passed


def test_a_product_flush_to_the_border_breaks_the_background() -> None:
    pixels = packshot(64)
    pixels[40:, 20:40] = RED
    check = check_of(verdict_on(AMAZON, pixels), "background")
    assert not check.passed
    assert check.measured == 255 - min(RED)


@pytest.mark.parametrize("levels", [2, 3])
def test_a_tolerance_is_kept_to(levels: int) -> None:
    rule = BackgroundRule(REQUIRED, WHITE, transparent=False, at_most=2)
    pixels = np.full((32, 32, 3), 255 - levels, np.uint8)
    assert verdict_on(preset_of(rule), pixels).complies is (levels <= 2)


@pytest.mark.parametrize("picture_format", [f for f in PictureFormat if f.has_alpha])
@pytest.mark.parametrize("hidden", [0, 255])
def test_transparency_is_a_background_only_where_the_marketplace_takes_it(
    picture_format: PictureFormat, hidden: int
) -> None:
    alpha = np.zeros((600, 600), np.uint8)
    alpha[product_box(600, 600).slices] = 255
    pixels = np.dstack([np.full((600, 600, 3), hidden, np.uint8), alpha])
    assert check_of(verdict_on(GOOGLE, pixels, picture_format), "background", ADVISED).passed
    check = check_of(verdict_on(EBAY, pixels, picture_format), "background", ADVISED)
    assert (check.passed, check.measured) == (False, 255)


def test_faint_remains_on_a_transparent_border_count_as_they_look_on_white() -> None:
    pixels = np.zeros((600, 600, 4), np.uint8)
    pixels[0, 0, 3] = 51
    check = check_of(verdict_on(GOOGLE, pixels), "background", ADVISED)
    assert (check.passed, check.measured) == (False, 51)


@EVERY_FORMAT
def test_formats_are_told_by_the_file(picture_format: PictureFormat) -> None:
    taken = {
        AMAZON.name: {PictureFormat.JPEG, PictureFormat.PNG},
        GOOGLE.name: {PictureFormat.JPEG, PictureFormat.PNG, PictureFormat.WEBP},
        EBAY.name: set(PictureFormat),
        SHOPIFY.name: {PictureFormat.JPEG, PictureFormat.PNG, PictureFormat.WEBP},
    }
    for preset in PRESETS.values():
        check = check_of(verdict_on(preset, packshot(32), picture_format), "format")
        assert check.passed is (picture_format in taken[preset.name])
        assert (check.unit, check.measured) == ("", float(check.passed))


def test_a_file_that_is_not_what_it_is_declared_as_fails() -> None:
    picture = encode_picture(packshot(32), PictureFormat.PNG, DEFAULT_QUALITY)
    verdict = judge(AMAZON, picture, PictureFormat.JPEG, product_box(32, 32), 1.0, NO_SIDES)
    check = check_of(verdict, "format")
    assert not check.passed
    assert check.explanation.startswith("the file's format is PNG, declared as JPEG;")


def test_a_format_that_the_service_never_answers_in_fails_by_name() -> None:
    picture = encode(packshot(32), "BMP")
    verdict = judge(AMAZON, picture, PictureFormat.PNG, product_box(32, 32), 1.0, NO_SIDES)
    assert "the file's format is BMP" in check_of(verdict, "format").explanation


def test_what_is_no_picture_is_an_error() -> None:
    with pytest.raises(ValueError, match="no known format"):
        judge(AMAZON, b"text", PictureFormat.PNG, Box(0, 0, 1, 1), 1.0, NO_SIDES)
    broken = encode_picture(packshot(64), PictureFormat.JPEG, DEFAULT_QUALITY)[:-200]
    with pytest.raises(OSError, match="truncated"):
        judge(AMAZON, broken, PictureFormat.JPEG, Box(0, 0, 1, 1), 1.0, NO_SIDES)


@pytest.mark.parametrize("mode", ["L", "LA", "P"])
def test_every_kind_of_pixels_can_be_judged(mode: str) -> None:
    picture = encode_image(Image.fromarray(packshot(32)).convert(mode))
    verdict = judge(AMAZON, picture, PictureFormat.PNG, product_box(32, 32), 1.0, NO_SIDES)
    assert check_of(verdict, "background").passed


@pytest.mark.parametrize(
    ("size", "fill_percent", "passed"),
    [((849, 400), 84.9, False), ((850, 400), 85, True), ((400, 851), 85.1, True)],
)
def test_fill_is_the_share_along_the_tighter_side(
    size: tuple[int, int], fill_percent: float, *, passed: bool
) -> None:
    box = Box(50, 50, 50 + size[0], 50 + size[1])
    pixels = np.full((1000, 1000, 3), 255, np.uint8)
    pixels[box.slices] = RED
    check = check_of(verdict_on(AMAZON, pixels, product=box), "fill")
    assert check.passed is passed
    assert check.measured == pytest.approx(fill_percent)
    assert "cut" not in check.explanation


@pytest.mark.parametrize(("fill", "passed"), [(74, False), (75, True), (90, True), (91, False)])
def test_google_wants_a_margin_as_well(fill: int, *, passed: bool) -> None:
    box = Box(4, 20, 4 + fill, 50)
    pixels = np.full((100, 100, 3), 255, np.uint8)
    check = check_of(verdict_on(GOOGLE, pixels, product=box), "fill", ADVISED)
    assert check.passed is passed


def test_a_white_product_is_measured_by_its_cut_and_the_file_is_told() -> None:
    pixels = np.full((1000, 1000, 3), 255, np.uint8)
    pixels[300:700, 300:700] = 240
    check = check_of(verdict_on(AMAZON, pixels), "fill")
    assert check.passed
    assert check.measured == 88
    assert "is 88 % by the cut, while 40 % stands out from the background;" in check.explanation


@EVERY_FORMAT
def test_the_noise_of_a_lossy_file_is_no_disagreement(picture_format: PictureFormat) -> None:
    check = check_of(verdict_on(AMAZON, packshot(1000), picture_format), "fill")
    assert "cut" not in check.explanation


def test_on_transparency_a_white_product_stands_out() -> None:
    alpha = np.zeros((500, 500), np.uint8)
    alpha[product_box(500, 500).slices] = 255
    pixels = np.dstack([np.full((500, 500, 3), 255, np.uint8), alpha])
    assert "cut" not in check_of(verdict_on(GOOGLE, pixels), "fill", ADVISED).explanation


@pytest.mark.parametrize(
    ("magnification", "passed"), [(0.3, True), (1.0, True), (1.0004, True), (1.001, False)]
)
def test_enlarging_is_advised_against_but_complies(magnification: float, *, passed: bool) -> None:
    verdict = verdict_on(AMAZON, packshot(1000), magnification=magnification)
    assert check_of(verdict, "upscaling", ADVISED).passed is passed
    assert verdict.complies


@pytest.mark.parametrize("side", Sides._fields)
def test_a_product_that_the_photo_cuts_off_is_not_whole(side: str) -> None:
    cut_off = NO_SIDES._replace(**{side: True})
    verdict = verdict_on(AMAZON, packshot(1000), cut_off=cut_off)
    check = check_of(verdict, "whole-product")
    assert not verdict.complies
    assert (check.passed, check.measured, check.at_most, check.unit) == (False, 1, 0, "sides")
    assert f"on 1 of 4 sides: {side}; it must show all of it" in check.explanation
    assert verdict_on(EBAY, packshot(1000), cut_off=cut_off).complies


def test_explanations_name_rule_measure_and_bound() -> None:
    verdict = verdict_on(AMAZON, packshot(471))
    side = check_of(verdict, "longest-side")
    assert side.explanation == (
        "the longest side is 471 px; 1000 to 10,000 px are required for zoom"
    )
    assert (side.at_least, side.at_most) == (1000, 10_000)
    advice = check_of(verdict, "longest-side", ADVISED)
    assert advice.explanation == "the longest side is 471 px; at least 1600 px are advised"
    most = BoundsRule(RuleName.WIDTH, REQUIRED, at_most=100)
    (check,) = verdict_on(preset_of(most), packshot(471)).checks
    assert check.explanation == "the width is 471 px; at most 100 px are allowed"
    pixels = packshot(64)
    pixels[0, 0] = 250
    assert check_of(verdict_on(AMAZON, pixels), "background").explanation == (
        "the border differs from #FFFFFF by up to 5 of 255 levels; pure #FFFFFF is required"
    )


RULES = st.one_of(
    st.builds(
        BoundsRule,
        st.sampled_from([RuleName.WIDTH, RuleName.HEIGHT, RuleName.FILL, RuleName.BYTES]),
        st.sampled_from(Importance),
        at_least=st.integers(0, 120),
        at_most=st.just(2**20),
    ),
    st.builds(
        FormatRule,
        st.sampled_from(Importance),
        st.lists(st.sampled_from(PictureFormat), min_size=1).map(tuple),
    ),
    st.builds(
        BackgroundRule,
        st.sampled_from(Importance),
        st.just(WHITE),
        st.booleans(),
        st.integers(0, 9),
    ),
    st.builds(WholeProductRule, st.sampled_from(Importance)),
)


@settings(max_examples=100, deadline=None)
@given(
    rules=st.lists(RULES, max_size=6),
    picture_format=st.sampled_from(PictureFormat),
    level=st.integers(245, 255),
    size=st.tuples(st.integers(16, 80), st.integers(16, 80)),
    cut_off=st.builds(Sides, *[st.booleans()] * 4),
)
def test_a_file_complies_exactly_if_it_keeps_every_requirement(
    rules: list[Rule],
    picture_format: PictureFormat,
    level: int,
    size: tuple[int, int],
    cut_off: Sides,
) -> None:
    pixels = np.minimum(packshot(*size), level).astype(np.uint8)
    verdict = verdict_on(preset_of(*rules), pixels, picture_format, cut_off=cut_off)
    assert verdict.complies is all(c.passed for c in verdict.checks if c.importance is REQUIRED)
    assert len(verdict.checks) == len(rules)
    for check in verdict.checks:
        least = check.at_least is None or check.measured >= check.at_least
        most = check.at_most is None or check.measured <= check.at_most
        assert check.passed is (least and most) or check.rule == "format"
