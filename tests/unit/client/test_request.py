"""Options to requests: every option, every field of the interface, and what is refused."""

from pathlib import Path
from typing import get_args

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from packshot import (
    BackgroundPicture,
    Blur,
    LinearGradient,
    RadialGradient,
    RenderOptions,
    Scene,
)
from packshot import _options as options_module
from packshot import _words as words_module
from packshot._options import Background
from packshot._request import to_request
from packshot.v1 import packshot_pb2 as pb

ALL_10 = pb.Length(px=10)
SQUARE = pb.Frame(aspect_ratio=1, scale=0.85)

BACKGROUNDS: list[tuple[Background, pb.Background]] = [
    ("white", pb.Background(color="#FFFFFF")),
    ("#1a2B3c", pb.Background(color="#1a2B3c")),
    ("transparent", pb.Background(transparent=pb.Transparent())),
    ("blur", pb.Background(blur=pb.Blur())),
    (Blur(0.5), pb.Background(blur=pb.Blur(strength_percent=0.5))),
    (
        LinearGradient(["white", "#000000"], 0),
        pb.Background(
            gradient=pb.Gradient(
                shape=pb.GRADIENT_SHAPE_LINEAR, colors=["#FFFFFF", "#000000"], angle_deg=0
            )
        ),
    ),
    (
        RadialGradient(("#111111", "#222222", "#333333"), "25% 75%"),
        pb.Background(
            gradient=pb.Gradient(
                shape=pb.GRADIENT_SHAPE_RADIAL,
                colors=["#111111", "#222222", "#333333"],
                center=pb.Position(x_percent=25, y_percent=75),
            )
        ),
    ),
    (
        BackgroundPicture(b"file"),
        pb.Background(
            picture=pb.BackgroundPicture(
                picture=b"file",
                fit=pb.FIT_FILL,
                position=pb.Position(x_percent=50, y_percent=50),
                color="#FFFFFF",
            )
        ),
    ),
    (
        BackgroundPicture(b"file", fit="stretch", position=(0, 100), color="#010203"),
        pb.Background(
            picture=pb.BackgroundPicture(
                picture=b"file",
                fit=pb.FIT_STRETCH,
                position=pb.Position(x_percent=0, y_percent=100),
                color="#010203",
            )
        ),
    ),
    (Scene(), pb.Background(scene=pb.Scene(kind=pb.SCENE_KIND_STUDIO))),
    (
        Scene("wood", seed=7, color="#aabbcc"),
        pb.Background(scene=pb.Scene(kind=pb.SCENE_KIND_WOOD, seed=7, color="#aabbcc")),
    ),
]

FRAMES: list[tuple[RenderOptions, pb.Frame]] = [
    ({"square": True}, SQUARE),
    ({"square": True, "aspect": 1}, SQUARE),
    ({"square": True, "size": 90}, pb.Frame(width_px=90, height_px=90, scale=0.85)),
    (
        {"square": True, "size": (90, None)},
        pb.Frame(width_px=90, aspect_ratio=1, scale=0.85),
    ),
    ({"square": True, "crop": True}, pb.Frame(aspect_ratio=1, crop=True)),
    ({"square": True, "scale": 0.5}, pb.Frame(aspect_ratio=1, scale=0.5)),
    (
        {"square": True, "margin": 10},
        pb.Frame(
            aspect_ratio=1,
            margin=pb.Margins(left=ALL_10, top=ALL_10, right=ALL_10, bottom=ALL_10),
        ),
    ),
    ({"size": 80}, pb.Frame(width_px=80, height_px=80)),
    ({"size": (80, 40)}, pb.Frame(width_px=80, height_px=40)),
    ({"size": (None, 40), "aspect": 1.5}, pb.Frame(height_px=40, aspect_ratio=1.5)),
    ({"size": (80, 0)}, pb.Frame(width_px=80)),
    ({"aspect": 0.75}, pb.Frame(aspect_ratio=0.75)),
    ({"crop": True}, pb.Frame(crop=True)),
    (
        {"margin": "1% 2px 3.5% 0"},
        pb.Frame(
            margin=pb.Margins(
                top=pb.Length(percent=1),
                right=pb.Length(px=2),
                bottom=pb.Length(percent=3.5),
                left=pb.Length(px=0),
            )
        ),
    ),
    ({"scale": 0.9}, pb.Frame(scale=0.9)),
    ({"position": "center"}, pb.Frame(position=pb.Position(x_percent=50, y_percent=50))),
    ({"position": (0, 0)}, pb.Frame(position=pb.Position())),
    ({"max_upscale": 4}, pb.Frame(max_upscale=4)),
    ({"max_pixels": 250_000}, pb.Frame(max_pixels=250_000)),
]

STAGINGS: list[tuple[RenderOptions, pb.Staging]] = [
    ({"shadow": "none"}, pb.Staging(shadow=pb.SHADOW_KIND_NONE)),
    ({"shadow": "contact"}, pb.Staging(shadow=pb.SHADOW_KIND_CONTACT)),
    ({"shadow": "drop"}, pb.Staging(shadow=pb.SHADOW_KIND_DROP)),
    ({"shadow_opacity": 0}, pb.Staging(shadow_opacity=0)),
    ({"light_angle": 0}, pb.Staging(light_angle_deg=0)),
    ({"reflection": 0.25}, pb.Staging(reflection=0.25)),
    ({"color_match": 0.5}, pb.Staging(color_match=0.5)),
]

OUTPUTS: list[tuple[RenderOptions, pb.Output]] = [
    ({"content": "picture"}, pb.Output(content=pb.CONTENT_PICTURE)),
    ({"content": "mask"}, pb.Output(content=pb.CONTENT_MASK)),
    ({"content": "alpha"}, pb.Output(content=pb.CONTENT_ALPHA)),
    ({"format": "avif"}, pb.Output(format=pb.IMAGE_FORMAT_AVIF)),
    ({"quality": 70}, pb.Output(quality=70)),
    ({"dpi": 300}, pb.Output(resolution_dpi=300)),
    ({"keep_metadata": True}, pb.Output(keep_metadata=True)),
]

CASES: list[tuple[RenderOptions, pb.RenderRequest]] = [
    ({"model": "other"}, pb.RenderRequest(model="other")),
    ({"priority": "bulk"}, pb.RenderRequest(priority=pb.PRIORITY_BULK)),
    ({"idempotency_key": "k-1"}, pb.RenderRequest(idempotency_key="k-1")),
    ({"preset": "bazaar"}, pb.RenderRequest(preset="bazaar")),
    ({"square": True, "preset": "b"}, pb.RenderRequest(preset="b", frame=pb.Frame(aspect_ratio=1))),
    ({"cut": "keep"}, pb.RenderRequest(cut=pb.CUT_KEEP)),
    ({"cut": "refine"}, pb.RenderRequest(cut=pb.CUT_REFINE)),
    ({"cut": "auto"}, pb.RenderRequest(cut=pb.CUT_AUTO)),
    (
        {"region": "10, 20px,300,400"},
        pb.RenderRequest(
            region=pb.Region(
                left=pb.Coordinate(px=10),
                top=pb.Coordinate(px=20),
                right=pb.Coordinate(px=310),
                bottom=pb.Coordinate(px=420),
            )
        ),
    ),
    (
        {"region": (0, "12.5%", "50%", "25%")},
        pb.RenderRequest(
            region=pb.Region(
                left=pb.Coordinate(percent=0),
                top=pb.Coordinate(percent=12.5),
                right=pb.Coordinate(percent=50),
                bottom=pb.Coordinate(percent=37.5),
            )
        ),
    ),
    ({"keep_mask": b"keep"}, pb.RenderRequest(hints=pb.Hints(keep_mask=b"keep"))),
    ({"erase_mask": b"erase"}, pb.RenderRequest(hints=pb.Hints(erase_mask=b"erase"))),
    ({"clean": True}, pb.RenderRequest(cleaning=pb.CLEANING_ON)),
    ({"clean": False}, pb.RenderRequest(cleaning=pb.CLEANING_OFF)),
    *(
        (RenderOptions(background=said), pb.RenderRequest(background=sent))
        for said, sent in BACKGROUNDS
    ),
    *((options, pb.RenderRequest(frame=frame)) for options, frame in FRAMES),
    *((options, pb.RenderRequest(staging=staging)) for options, staging in STAGINGS),
    *((options, pb.RenderRequest(output=output)) for options, output in OUTPUTS),
]


@pytest.mark.parametrize(("options", "expected"), CASES, ids=[str(case[0]) for case in CASES])
def test_every_option_becomes_its_field_and_no_other(
    options: RenderOptions, expected: pb.RenderRequest
) -> None:
    expected.photo = b"photo"
    assert to_request(b"photo", options) == expected


def test_the_cases_hold_every_option() -> None:
    used = {name for options, _ in CASES for name in options}
    assert used == RenderOptions.__annotations__.keys()


def test_every_field_of_the_request_can_be_reached() -> None:
    reached = {field for options, _ in CASES for field in fields_set(to_request(b"photo", options))}
    assert reached == fields_of(pb.RenderRequest.DESCRIPTOR)


def fields_of(message: Descriptor) -> set[str]:
    """Full names of a message's fields and of its fields' fields."""
    names = {field.full_name for field in message.fields}
    return names.union(
        *(fields_of(field.message_type) for field in message.fields if field.message_type)
    )


def fields_set(message: Message) -> set[str]:
    names = set()
    for field, value in message.ListFields():
        names.add(field.full_name)
        if isinstance(value, Message):
            names |= fields_set(value)
    return names


@pytest.mark.parametrize(
    ("literal", "words"),
    [
        (options_module.FormatName, words_module.FORMATS),
        (options_module.ContentName, words_module.CONTENTS),
        (options_module.FitName, words_module.FITS),
        (options_module.SceneName, words_module.SCENES),
        (options_module.ShadowName, words_module.SHADOWS),
    ],
)
def test_the_typed_words_are_the_interface_s(literal: object, words: dict[str, int]) -> None:
    assert get_args(literal) == tuple(words)
    assert sorted(words.values()) == list(range(1, len(words) + 1))


def test_every_option_is_documented() -> None:
    documented = RenderOptions.__doc__ or ""
    assert [name for name in RenderOptions.__annotations__ if f" {name}: " not in documented] == []


def test_what_says_nothing_is_left_to_the_preset() -> None:
    nothing: RenderOptions = {
        "background": None,
        "square": False,
        "size": (None, None),
        "crop": False,
        "position": "original",
        "shadow": None,
        "color_match": 0,
        "keep_metadata": False,
        "clean": None,
        "quality": None,
    }
    assert to_request(b"photo", nothing) == pb.RenderRequest(photo=b"photo")


def test_files_are_read_from_their_paths(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(b"photo")
    (tmp_path / "wall").write_bytes(b"wall")
    (tmp_path / "mask").write_bytes(b"mask")
    with (tmp_path / "mask").open("rb") as mask:
        request = to_request(
            tmp_path / "photo",
            {
                "background": BackgroundPicture(str(tmp_path / "wall")),
                "keep_mask": mask,
                "erase_mask": tmp_path / "mask",
            },
        )
    assert request.hints == pb.Hints(keep_mask=b"mask", erase_mask=b"mask")
    assert (request.photo, request.background.picture.picture) == (b"photo", b"wall")
    with pytest.raises(FileNotFoundError):
        to_request(b"photo", {"background": BackgroundPicture(tmp_path / "none")})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"square": True, "size": (3, 4)}, "square contradicts a size of 3x4"),
        ({"square": True, "aspect": 2}, "square contradicts an aspect of 2"),
        ({"aspect": 1.5, "size": (30, 20)}, "aspect contradicts a size of 30x20"),
        ({"format": "tiff"}, "format is 'tiff'; known: png, jpeg, webp, avif"),
        ({"content": "matte"}, "content is 'matte'; known: picture, mask, alpha"),
        ({"shadow": "hard"}, "shadow is 'hard'; known: none, contact, drop"),
        ({"background": "pink"}, "background is 'pink'; allowed: white, transparent, blur and"),
        ({"background": "#12345"}, "background is '#12345'"),
        ({"background": LinearGradient(["white", "blue"])}, "colors is 'blue'; allowed: white"),
        ({"background": RadialGradient(["white"] * 2, "left")}, "center is 'left'"),
        ({"background": BackgroundPicture(b"", fit="tile")}, "fit is 'tile'; known: fill"),  # type: ignore[arg-type]
        ({"background": BackgroundPicture(b"", color="red")}, "color is 'red'"),
        ({"background": Scene("beach")}, "kind is 'beach'; known: studio, table"),  # type: ignore[arg-type]
        ({"background": Scene(color="red")}, "color is 'red'"),
        ({"background": Blur(0)}, "strength is 0"),
        ({"margin": "1 2 3"}, "margin is '1 2 3'"),
        ({"position": "top"}, "position is 'top'"),
        *(
            ({"region": region}, r"region is .*; allowed: left, top, width and height in pixels or")
            for region in (
                "1,2,3",
                "1,2,3,4,5",
                "a,2,3,4",
                "-1,2,3,4",
                (1, 2, 3, -4),
                (1, 2.5, 3, 4),
            )
        ),
        ({"region": (0, 0, 2**32, 1)}, r"region is \(0, 0, 4294967296, 1\); allowed: left"),
        ({"region": (1, 0, 2**32 - 1, 1)}, r"region is .*; allowed: left"),
        ({"region": (1, 2, 0, 4)}, r"region is \(1, 2, 0, 4\), which is empty"),
        ({"region": "0,0,50%,0%"}, "region is '0,0,50%,0%', which is empty"),
        ({"region": "10,0,50%,10"}, "region is .*; a place and the size from there are both in"),
        ({"keep_mask": b""}, "keep_mask is empty; leave it out for none"),
        ({"erase_mask": b""}, "erase_mask is empty; leave it out for none"),
        *(
            ({name: 0}, f"{name} is 0; leave it out")
            for name in ("scale", "aspect", "max_upscale", "quality", "dpi")
        ),
        *(
            ({"size": size}, r"size is .*; allowed: whole pixels, 16 to 10000")
            for size in (-1, 2**32, 0.5, "100", (100,), (100, -1), (1, 2, 3), (100, 0.5))
        ),
        *(({name: -1}, f"{name} is -1; allowed") for name in ("scale", "quality", "dpi")),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(options: RenderOptions, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_request(b"photo", options)


def test_a_background_of_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="background is a int"):
        to_request(b"photo", {"background": 3})  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    "options",
    [
        {"size": 0},
        {"size": (0, 0)},
        {"size": (0, None)},
        {"model": ""},
        {"preset": ""},
        {"idempotency_key": ""},
    ],
)
def test_nothing_that_is_given_means_the_default(options: RenderOptions) -> None:
    with pytest.raises(ValueError, match="leave it out for the default"):
        to_request(b"photo", options)
