import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.encode import PictureFormat
from imaging.framing.frame import Frame, FrameLimits
from imaging.presets.load import MARKETPLACES, PresetDataError, load_presets, parse_presets
from imaging.presets.preset import Preset
from imaging.presets.rules import (
    BackgroundRule,
    BoundsRule,
    FormatRule,
    Importance,
    RuleName,
    WholeProductRule,
    amount,
    sentence,
)
from imaging.presets.table import as_markdown
from imaging.types import WHITE
from tools.presets_table import with_tables

PRESETS = load_presets()
EVERY = pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
LIMITS = FrameLimits(max_side_px=10_000, max_pixels=64_000_000)
RENDERING = """
background = "#FFFFFF"
aspect_ratio = 1.0
scale = 0.8
side_px = 1000
max_upscale = 1.0
format = "JPEG"
quality = 90
"""
SHOP = f"""
[shop]
summary = "A shop."
source = "https://shop.example/rules"
[shop.rendering]
{RENDERING}
[[shop.rules]]
rule = "longest-side"
importance = "required"
at_least = 500
at_most = 2000
note = "for zoom"
"""
RULE = '\n[[shop.rules]]\nrule = "{}"\nimportance = "{}"\n{}\n'


def rule_of(preset: Preset, name: RuleName, importance: Importance) -> BoundsRule:
    (rule,) = (r for r in preset.rules if (r.name, r.importance) == (name, importance))
    assert isinstance(rule, BoundsRule)
    return rule


def test_the_four_marketplaces_are_there_in_order() -> None:
    assert list(PRESETS) == ["amazon-main", "ebay", "google-merchant", "shopify"]
    assert all(name == preset.name for name, preset in PRESETS.items())


@EVERY
def test_a_preset_says_what_it_is_for_and_where_its_rules_are_from(preset: Preset) -> None:
    assert preset.summary.endswith(".")
    assert re.fullmatch(r"https://[a-z.]+\.com/\S+", preset.source)


def test_the_names_of_rules_are_those_that_the_interface_lists() -> None:
    assert {name.value for name in RuleName} == {
        *("format", "background", "fill", "width", "height", "shortest-side", "longest-side"),
        *("pixels", "bytes", "upscaling", "whole-product"),
    }


@EVERY
def test_every_preset_rules_format_enlargement_and_the_whole_product(preset: Preset) -> None:
    names = {rule.name for rule in preset.rules}
    assert names >= {RuleName.FORMAT, RuleName.UPSCALING, RuleName.WHOLE_PRODUCT}


@EVERY
def test_advice_lies_within_the_requirement(preset: Preset) -> None:
    bounds = [rule for rule in preset.rules if isinstance(rule, BoundsRule)]
    advice = [rule for rule in bounds if rule.importance is Importance.ADVISED]
    assert advice
    for inner in advice:
        for outer in bounds:
            if outer.name is inner.name:
                figures = (inner.at_least, inner.at_most)
                assert all(outer.holds(figure) for figure in figures if figure is not None)


@EVERY
def test_what_a_preset_renders_keeps_its_own_rules_even_if_a_box_is_rounded(preset: Preset) -> None:
    how = preset.rendering
    side_px = how.side_px
    for rule in preset.rules:
        match rule:
            case FormatRule():
                assert how.picture_format in rule.formats
            case BackgroundRule():
                assert how.background == rule.color
            case BoundsRule(name=RuleName.FILL):
                # A product of a hundred pixels, and a pixel either way.
                assert rule.holds(100 * how.scale - 1)
                assert rule.holds(100 * how.scale + 1)
            case BoundsRule(name=RuleName.SHORTEST_SIDE | RuleName.LONGEST_SIDE):
                assert rule.holds(side_px)
            case BoundsRule(name=RuleName.PIXELS):
                assert rule.holds(side_px**2)
            case BoundsRule(name=RuleName.UPSCALING):
                assert rule.holds(how.max_upscale)
            case _:
                pass


def test_amazon_requires_pure_white_a_full_frame_and_size_for_zoom() -> None:
    preset = PRESETS["amazon-main"]
    background, formats = (
        next(rule for rule in preset.rules if isinstance(rule, kind))
        for kind in (BackgroundRule, FormatRule)
    )
    assert background == BackgroundRule(Importance.REQUIRED, WHITE, transparent=False, at_most=0)
    assert formats == FormatRule(Importance.REQUIRED, (PictureFormat.JPEG, PictureFormat.PNG))
    assert rule_of(preset, RuleName.FILL, Importance.REQUIRED).at_least == 85
    side = rule_of(preset, RuleName.LONGEST_SIDE, Importance.REQUIRED)
    assert (side.at_least, side.at_most) == (1000, 10_000)
    assert WholeProductRule(Importance.REQUIRED) in preset.rules


def test_a_preset_gives_the_frame_that_it_asks_for() -> None:
    assert PRESETS["amazon-main"].frame(LIMITS) == Frame(
        LIMITS, width_px=1600, aspect_ratio=1.0, scale=0.88, max_upscale=1.0, shrinks=True
    )


@settings(max_examples=50)
@given(
    preset=st.sampled_from(list(PRESETS.values())),
    max_side_px=st.integers(16, 5000),
    max_pixels=st.integers(256, 20_000_000),
)
def test_a_frame_stays_within_its_limits(preset: Preset, max_side_px: int, max_pixels: int) -> None:
    side_px = preset.frame(FrameLimits(max_side_px, max_pixels)).width_px
    assert side_px <= max_side_px
    assert side_px**2 <= max_pixels
    larger_px = side_px + 1
    assert larger_px > min(max_side_px, preset.rendering.side_px) or larger_px**2 > max_pixels


@pytest.mark.parametrize(("ratio", "width_px"), [("0.5", 500), ("2.0", 1000)])
def test_the_longest_side_is_the_presets_whatever_the_shape(ratio: str, width_px: int) -> None:
    text = SHOP.replace("aspect_ratio = 1.0", f"aspect_ratio = {ratio}")
    assert parse_presets(text)["shop"].frame(LIMITS).width_px == width_px


def test_the_day_of_the_comparison_may_be_given_or_left_out() -> None:
    assert parse_presets(SHOP)["shop"].checked_on is None
    text = SHOP.replace("summary", "checked_on = 2026-01-31\nsummary")
    assert parse_presets(text)["shop"].checked_on == date(2026, 1, 31)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[shop]", "[shop", "no TOML"),
        ("summary", "sumary", "sumary is not known"),
        ('summary = "A shop."', "", "summary is None"),
        ('"A shop."', '""', "summary is ''"),
        ("https://", "http://", "not an https address"),
        ("summary", 'checked_on = "2026-01-31"\nsummary', "not a date"),
        ("summary", "checked_on = 2026-01-31T00:00:00Z\nsummary", "not a date"),
        ("scale = 0.8", "scale = 1.1", "scale is 1.1, outside 0.05 to 1"),
        ("scale = 0.8", "scale = nan", "not a number"),
        ("quality = 90", "quality = true", "quality is True, not a number"),
        ("max_upscale = 1.0", "max_upscale = 0.5", "max_upscale is 0.5, outside"),
        ('"#FFFFFF"', '"white"', "not #RRGGBB"),
        ('"JPEG"', '"GIF"', "'GIF' is no format"),
        ("longest-side", "longest", "'longest' is not a valid RuleName"),
        ('"required"', '"wanted"', "'wanted' is not a valid Importance"),
        ("at_least = 500\nat_most = 2000", "", "at_least or at_most is missing"),
        ("at_least = 500", "at_least = 5000", "at_least 5000 is above at_most 2000"),
        ("at_least = 500", 'at_least = "500"', "not a number"),
        ("at_least = 500", "at_lest = 500", "at_lest is not known"),
        ("side_px = 1000", "side_px = 3000", "breaks the preset's own rule that the longest side"),
    ],
)
def test_broken_data_are_refused_by_name(old: str, new: str, message: str) -> None:
    assert old in SHOP
    with pytest.raises(PresetDataError, match=re.escape(message)):
        parse_presets(SHOP.replace(old, new))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (RULE.format("longest-side", "advised", "at_least = 400"), "is advised to be at least 400"),
        (RULE.format("longest-side", "required", "at_least = 400"), "same name and importance"),
        (RULE.format("fill", "advised", "at_least = 85"), "the product's share of the frame be"),
        (RULE.format("upscaling", "advised", "at_most = 0.5"), "the magnification be"),
        (RULE.format("format", "required", 'formats = ["PNG"]'), "the file's format be PNG"),
        (RULE.format("format", "required", "formats = []"), "formats are missing"),
        (
            RULE.format(
                "background", "required", 'color = "#000000"\ntransparent = false\nat_most = 0'
            ),
            "the border be pure #000000",
        ),
        (
            RULE.format("background", "required", 'color = "#FFFFFF"\nat_most = 0'),
            "transparent is None, not a bool",
        ),
        (RULE.format("whole-product", "required", "at_most = 1"), "at_most is not known"),
    ],
)
def test_rules_that_contradict_each_other_are_refused(rule: str, message: str) -> None:
    with pytest.raises(PresetDataError, match=re.escape(message)):
        parse_presets(SHOP + rule)


def test_a_preset_needs_a_name_for_machines_and_rules() -> None:
    with pytest.raises(PresetDataError, match="no preset's name"):
        parse_presets(SHOP.replace("shop", "Shop"))
    with pytest.raises(PresetDataError, match="rules are missing"):
        parse_presets(SHOP[: SHOP.index("[[")])


def test_rules_read_as_sentences() -> None:
    (rule,) = parse_presets(SHOP)["shop"].rules
    assert sentence(rule) == "The longest side must be 500 to 2000 px for zoom."
    advice = BoundsRule(RuleName.FILL, Importance.ADVISED, at_least=75)
    assert sentence(advice) == "The product's share of the frame should be at least 75 %."
    whole = WholeProductRule(Importance.REQUIRED)
    assert sentence(whole) == "The product must be cut off by no side of the photo."
    background = BackgroundRule(Importance.REQUIRED, WHITE, transparent=True, at_most=2)
    assert sentence(background) == "The border must be within 2 levels of #FFFFFF or transparent."


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 px"),
        (1000, "1000 px"),
        (10_000, "10,000 px"),
        (87.9375, "87.938 px"),
        (0.5, "0.5 px"),
    ],
)
def test_figures_read_well(value: float, text: str) -> None:
    assert amount(value, "px") == text


def test_the_table_sets_requirements_apart_from_advice() -> None:
    table = as_markdown(parse_presets(SHOP + RULE.format("fill", "advised", "at_least = 75")))
    assert "| longest-side | **500 to 2000 px for zoom** |" in table
    assert "| fill | at least 75 % |" in table
    assert "| `shop` | #FFFFFF | 1000 px, 1:1 | 80 % | no | JPEG, quality 90 |" in table


def test_the_document_has_the_tables_that_the_data_give() -> None:
    document = (MARKETPLACES.parents[2] / "docs" / "presets.md").read_text()
    assert with_tables(document) == document
    with pytest.raises(ValueError, match="0 places for the presets"):
        with_tables("nothing")
