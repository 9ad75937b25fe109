"""The grammars of the command line's options."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot import BackgroundPicture, Blur, LinearGradient, RadialGradient, Scene
from packshot._cli_specs import parse_aspect, parse_background, parse_size
from packshot._options import Background


@pytest.mark.parametrize(
    ("text", "background"),
    [
        ("transparent", "transparent"),
        ("white", "white"),
        ("#1A2b3C", "#1A2b3C"),
        ("blur", "blur"),
        ("blur:0.5", Blur(0.5)),
        ("gradient:#111111,white", LinearGradient(("#111111", "white"))),
        (
            "gradient:#111111,white,#333333@90",
            LinearGradient(("#111111", "white", "#333333"), 90.0),
        ),
        ("gradient:#111111,white@-45.5", LinearGradient(("#111111", "white"), -45.5)),
        ("radial:#111111,#222222", RadialGradient(("#111111", "#222222"))),
        ("radial:#111111,#222222@25% 75%", RadialGradient(("#111111", "#222222"), "25% 75%")),
        ("scene:podium", Scene("podium")),
        ("scene:marble:42", Scene("marble", seed=42)),
    ],
)
def test_a_background_is_read(text: str, background: Background) -> None:
    assert parse_background(text) == background


def test_a_background_s_file_is_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wall.jpg").write_bytes(b"wall")
    (tmp_path / "white").write_bytes(b"not the colour")
    (tmp_path / "odd:name.jpg").write_bytes(b"odd")
    monkeypatch.chdir(tmp_path)
    assert parse_background("wall.jpg") == BackgroundPicture(b"wall")
    assert parse_background("odd:name.jpg") == BackgroundPicture(b"odd")
    assert parse_background("./white") == BackgroundPicture(b"not the colour")
    assert parse_background("white") == "white"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nosuch.jpg", "'nosuch.jpg' is no file and none of transparent"),
        ("", "'' is no file"),
        ("blur:soft", "'soft' is not a strength"),
        ("blur:", "'' is not a strength"),
        ("gradient:#111111,#222222@up", "'up' is not an angle"),
        ("gradient:#111111,#222222@", "'' is not an angle"),
        ("scene:beach", "'beach' is no scene; known: studio, table"),
        ("scene:", "'' is no scene"),
        ("scene:wood:x", "'x' is no seed"),
        ("scene:wood:-1", "'-1' is no seed"),
        ("scene:wood:", "'' is no seed"),
    ],
)
def test_any_other_background_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_background(text)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_size_is_read(width: int, height: int) -> None:
    assert parse_size(str(width)) == (width, width)
    assert parse_size(f"{width}x{height}") == (width, height)
    assert parse_size(f"{width}x") == (width, None)
    assert parse_size(f"x{height}") == (None, height)


@pytest.mark.parametrize("text", ["", "x", "huge", "3x4x5", "3.5", "3 by 4"])
def test_any_other_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is none of N\|WxH"):
        parse_size(text)


def test_an_aspect_is_read() -> None:
    assert parse_aspect("4:5") == 0.8
    assert parse_aspect("1.5") == 1.5


@pytest.mark.parametrize("text", ["", "wide", "4:", ":3", "4:0", "4:3:2"])
def test_any_other_aspect_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is none of W:H\|R"):
        parse_aspect(text)
