"""Margins and positions as callers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot._lengths import to_margins, to_position
from packshot.v1 import packshot_pb2 as pb

PIXELS = st.integers(0, 5000).map(lambda px: (f"{px}px", pb.Length(px=px)))
BARE = st.integers(0, 5000).map(lambda px: (str(px), pb.Length(px=px)))
PERCENTS = st.decimals(0, 500, places=2).map(lambda p: (f"{p}%", pb.Length(percent=float(p))))
LENGTHS = st.one_of(PIXELS, BARE, PERCENTS)


@given(st.one_of([st.lists(LENGTHS, min_size=n, max_size=n) for n in (1, 2, 4)]))
def test_margins_are_read_as_css_reads_them(lengths: list[tuple[str, pb.Length]]) -> None:
    margins = to_margins(" ".join(text for text, _ in lengths))
    expected = [length for _, length in lengths]
    top, right, bottom, left = {
        1: expected * 4,
        2: expected * 2,
        4: expected,
    }[len(expected)]
    assert margins == pb.Margins(left=left, top=top, right=right, bottom=bottom)


@given(st.integers(0, 5000))
def test_a_number_is_pixels_on_every_side(px: int) -> None:
    assert to_margins(px) == to_margins(f"{px}px")


@pytest.mark.parametrize(
    "margin",
    [
        "",
        "1 2 3",
        "1 2 3 4 5",
        "wide",
        "10 %",
        "10em",
        "-5px",
        "1.5px",
        "5%px",
        "%",
        "\uff11px",
        -5,
        0.5,
    ],
)
def test_any_other_margin_is_refused(margin: int | str) -> None:
    with pytest.raises(ValueError, match=r"margin is .*; allowed: pixels, or one, two or four"):
        to_margins(margin)


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_position_is_across_and_down(x_percent: int, y_percent: int) -> None:
    expected = pb.Position(x_percent=x_percent, y_percent=y_percent)
    assert to_position("position", (x_percent, y_percent)) == expected
    assert to_position("position", f"{x_percent}% {y_percent}%") == expected


def test_a_position_s_short_forms() -> None:
    assert to_position("position", "center") == to_position("position", (50, 50))
    assert to_position("position", "12.5%") == to_position("position", (12.5, 12.5))


@pytest.mark.parametrize(
    "position", ["", "left", "10", "10px 20px", "1% 2% 3%", "10% 20px", (1, 2, 3), (1,)]
)
def test_any_other_position_is_refused(position: str | tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"center is .*; allowed: 'center', '25%'"):
        to_position("center", position)
