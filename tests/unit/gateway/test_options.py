"""Every option that is out of range or contradicts another is refused by its name."""

import math
from collections.abc import Callable

import pytest

from gateway.rendering.render_options import RenderOptions
from gateway.rpc.requests.reader import OptionReader
from imaging.compose.backgrounds.file import BackgroundFile
from imaging.compose.composition import (
    Blur,
    Content,
    Fit,
    LinearGradient,
    Point,
    RadialGradient,
    Scene,
    SceneKind,
    ShadowKind,
    Transparent,
)
from imaging.encode import PictureFormat
from imaging.errors import InvalidOptionError
from imaging.framing.frame import Length, Margins
from imaging.presets.load import load_presets
from imaging.types import WHITE, Color
from packshot.v1 import packshot_pb2 as pb

NAN = math.nan


@pytest.fixture(scope="module")
def read() -> Callable[[pb.RenderRequest], RenderOptions]:
    return OptionReader("matte", 64_000_000, load_presets()).read


def background(**kind: object) -> pb.RenderRequest:
    return pb.RenderRequest(background=pb.Background(**kind))  # type: ignore[arg-type]


def gradient(**fields: object) -> pb.RenderRequest:
    return background(gradient=pb.Gradient(**fields))  # type: ignore[arg-type]


def frame(**fields: object) -> pb.RenderRequest:
    return pb.RenderRequest(frame=pb.Frame(**fields))  # type: ignore[arg-type]


def staging(**fields: object) -> pb.RenderRequest:
    return pb.RenderRequest(staging=pb.Staging(**fields))  # type: ignore[arg-type]


def output(**fields: object) -> pb.RenderRequest:
    return pb.RenderRequest(output=pb.Output(**fields))  # type: ignore[arg-type]


def mask(**fields: object) -> pb.RenderRequest:
    output = pb.Output(content=pb.CONTENT_MASK)
    return pb.RenderRequest(output=output, **fields)  # type: ignore[arg-type]


TWO = ["#000000", "#FFFFFF"]
BAD = [
    (pb.RenderRequest(model="../../etc"), "model"),
    (pb.RenderRequest(preset="etsy"), "preset"),
    (pb.RenderRequest(cleaning=9), "cleaning"),  # type: ignore[arg-type]
    (background(color="white"), "background.color"),
    (gradient(colors=["#000000"]), "background.gradient.colors"),
    (gradient(colors=["#000000"] * 9), "background.gradient.colors"),
    (gradient(colors=["#000000", "red"]), "background.gradient.colors"),
    (gradient(colors=TWO, shape=7), "background.gradient.shape"),
    (gradient(colors=TWO, angle_deg=361.0), "background.gradient.angle_deg"),
    (gradient(colors=TWO, angle_deg=NAN), "background.gradient.angle_deg"),
    (
        gradient(colors=TWO, shape=pb.GRADIENT_SHAPE_RADIAL, center=pb.Position(x_percent=101)),
        "background.gradient.center.x_percent",
    ),
    (background(picture=pb.BackgroundPicture(fit=9)), "background.picture.fit"),  # type: ignore[arg-type]
    (background(picture=pb.BackgroundPicture(color="#12")), "background.picture.color"),
    (
        background(picture=pb.BackgroundPicture(position=pb.Position(y_percent=-1))),
        "background.picture.position.y_percent",
    ),
    (background(blur=pb.Blur(strength_percent=21)), "background.blur.strength_percent"),
    (background(scene=pb.Scene(kind=77)), "background.scene.kind"),  # type: ignore[arg-type]
    (background(scene=pb.Scene(color="blue")), "background.scene.color"),
    (frame(width_px=15, height_px=100), "frame.width_px"),
    (frame(width_px=99, height_px=10_001), "frame.height_px"),
    (frame(scale=1.01), "frame.scale"),
    (frame(scale=-0.5), "frame.scale"),
    (frame(scale=NAN), "frame.scale"),
    (frame(aspect_ratio=11), "frame.aspect_ratio"),
    (frame(aspect_ratio=1, width_px=99, height_px=99), "frame.aspect_ratio"),
    (frame(max_upscale=0.5), "frame.max_upscale"),
    (frame(max_upscale=9), "frame.max_upscale"),
    (frame(position=pb.Position(x_percent=NAN)), "frame.position.x_percent"),
    (frame(margin=pb.Margins(top=pb.Length(px=5001))), "frame.margin.top.px"),
    (frame(margin=pb.Margins(left=pb.Length(percent=501))), "frame.margin.left.percent"),
    (frame(margin=pb.Margins(right=pb.Length(percent=-1))), "frame.margin.right.percent"),
    (staging(shadow=9), "staging.shadow"),
    (staging(shadow_opacity=1.1), "staging.shadow_opacity"),
    (staging(light_angle_deg=81.0), "staging.light_angle_deg"),
    (staging(reflection=-0.1), "staging.reflection"),
    (staging(color_match=2), "staging.color_match"),
    (
        pb.RenderRequest(
            background=pb.Background(transparent=pb.Transparent()),
            staging=pb.Staging(reflection=0.5),
        ),
        "staging.reflection",
    ),
    (
        pb.RenderRequest(
            background=pb.Background(transparent=pb.Transparent()),
            staging=pb.Staging(color_match=0.5),
        ),
        "staging.color_match",
    ),
    (output(format=99), "output.format"),
    (output(quality=101), "output.quality"),
    (output(quality=5, format=pb.IMAGE_FORMAT_PNG), "output.quality"),
    (output(resolution_dpi=2401), "output.resolution_dpi"),
    (output(content=9), "output.content"),
    (output(content=pb.CONTENT_ALPHA, format=pb.IMAGE_FORMAT_JPEG), "output.format"),
    (
        pb.RenderRequest(
            background=pb.Background(transparent=pb.Transparent()),
            output=pb.Output(format=pb.IMAGE_FORMAT_JPEG),
        ),
        "output.format",
    ),
    (mask(preset="ebay"), "preset"),
    (mask(background=pb.Background(color="#000000")), "background"),
    (mask(staging=pb.Staging(shadow=pb.SHADOW_KIND_DROP)), "staging"),
]


@pytest.mark.parametrize(("request_", "field"), BAD, ids=[field for _, field in BAD])
def test_a_bad_option_is_refused_by_its_name(
    read: Callable[[pb.RenderRequest], RenderOptions], request_: pb.RenderRequest, field: str
) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        read(request_)
    assert caught.value.field == field
    assert field.rsplit(".", 1)[-1] in str(caught.value) or caught.value.figures == {}


def test_what_a_request_leaves_open_is_the_services_choice(
    read: Callable[[pb.RenderRequest], RenderOptions],
) -> None:
    options = read(pb.RenderRequest())
    assert (options.model, options.background, options.frame) == ("matte", WHITE, None)
    assert (options.picture_format, options.quality) == (PictureFormat.JPEG, 90)
    assert (options.content, options.cleans, options.preset) == (Content.PICTURE, True, None)


def test_backgrounds_arrive_as_they_were_asked_for(
    read: Callable[[pb.RenderRequest], RenderOptions],
) -> None:
    colors = (Color(0, 0, 0), WHITE)
    center = pb.Position(x_percent=25, y_percent=100)
    radial = gradient(colors=TWO, shape=pb.GRADIENT_SHAPE_RADIAL, center=center)
    picture = pb.BackgroundPicture(picture=b"file", fit=pb.FIT_STRETCH, color="#010203")
    scene = pb.Scene(kind=pb.SCENE_KIND_WOOD, seed=7, color="#FFFFFF")
    asked = {
        "transparent": background(transparent=pb.Transparent()),
        "linear": gradient(colors=TWO),
        "turned": gradient(colors=TWO, angle_deg=0.0),
        "radial": radial,
        "picture": background(picture=picture),
        "blur": background(blur=pb.Blur()),
        "scene": background(scene=scene),
        "default scene": background(scene=pb.Scene()),
    }
    assert {name: read(each).background for name, each in asked.items()} == {
        "transparent": Transparent(),
        "linear": LinearGradient(colors, 180.0),
        "turned": LinearGradient(colors, 0.0),
        "radial": RadialGradient(colors, Point(0.25, 1.0)),
        "picture": BackgroundFile(b"file", Fit.STRETCH, Point(0.5, 0.5), Color(1, 2, 3)),
        "blur": Blur(0.02),
        "scene": Scene(SceneKind.WOOD, 7, WHITE),
        "default scene": Scene(SceneKind.STUDIO),
    }


def test_a_frame_arrives_as_it_was_asked_for(
    read: Callable[[pb.RenderRequest], RenderOptions],
) -> None:
    asked = frame(
        width_px=400,
        aspect_ratio=2,
        crop=True,
        margin=pb.Margins(left=pb.Length(percent=10), bottom=pb.Length(px=30)),
        scale=0.5,
        position=pb.Position(x_percent=50, y_percent=0),
        max_upscale=3,
    )
    found = read(asked).frame
    assert found
    assert (found.width_px, found.height_px, found.aspect_ratio, found.crop) == (400, 0, 2, True)
    assert found.margins == Margins(left=Length(share=0.1), bottom=Length(px=30))
    assert (found.scale, found.position, found.max_upscale) == (0.5, (0.5, 0.0), 3)
    assert not found.shrinks


def test_a_light_from_straight_above_is_not_the_default_one(
    read: Callable[[pb.RenderRequest], RenderOptions],
) -> None:
    assert read(staging(light_angle_deg=0.0)).staging.light_angle_deg == 0
    assert read(staging()).staging.light_angle_deg == -35
    assert read(staging(shadow=pb.SHADOW_KIND_NONE)).staging.shadow is ShadowKind.NONE
    assert read(staging()).staging.shadow is None


def test_a_preset_fills_in_what_is_open_and_nothing_else(
    read: Callable[[pb.RenderRequest], RenderOptions],
) -> None:
    preset = load_presets()["amazon-main"]
    alone = read(pb.RenderRequest(preset="amazon-main"))
    assert alone.preset == preset
    assert alone.background == preset.rendering.background
    assert alone.frame
    assert alone.frame.scale == preset.rendering.scale
    own = pb.RenderRequest(
        preset="amazon-main",
        background=pb.Background(color="#102030"),
        frame=pb.Frame(crop=True),
        output=pb.Output(format=pb.IMAGE_FORMAT_WEBP, quality=40),
    )
    mixed = read(own)
    assert mixed.background == Color(0x10, 0x20, 0x30)
    assert mixed.frame
    assert (mixed.frame.crop, mixed.frame.scale) == (True, preset.rendering.scale)
    assert mixed.frame.shrinks
    assert (mixed.picture_format, mixed.quality) == (PictureFormat.WEBP, 40)


def test_a_size_of_the_requests_own_is_kept_beside_a_preset(
    read: Callable[[pb.RenderRequest], RenderOptions],
) -> None:
    larger = read(pb.RenderRequest(preset="amazon-main", frame=pb.Frame(width_px=3000))).frame
    assert larger
    assert (larger.width_px, larger.height_px, larger.aspect_ratio) == (3000, 0, 1)
    assert (larger.scale, larger.shrinks) == (0.88, False)
    both = pb.Frame(width_px=3000, height_px=2000)
    oblong = read(pb.RenderRequest(preset="amazon-main", frame=both)).frame
    assert oblong
    assert (oblong.width_px, oblong.height_px, oblong.aspect_ratio) == (3000, 2000, None)


def test_what_needs_an_alpha_channel_is_a_png_unless_told_otherwise(
    read: Callable[[pb.RenderRequest], RenderOptions],
) -> None:
    clear = pb.Background(transparent=pb.Transparent())
    for request in (
        pb.RenderRequest(background=clear),
        pb.RenderRequest(background=clear, preset="google-merchant"),
        output(content=pb.CONTENT_ALPHA),
        output(content=pb.CONTENT_MASK),
    ):
        assert read(request).picture_format is PictureFormat.PNG
    assert read(output(content=pb.CONTENT_MASK, format=pb.IMAGE_FORMAT_JPEG)).picture_format is (
        PictureFormat.JPEG
    )
