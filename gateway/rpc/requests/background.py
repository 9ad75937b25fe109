"""What a request says of the background."""

from typing import Final, assert_never

from gateway.rpc.requests.checks import one_of, out_of_range, read_color, read_position, within
from imaging.compose.backgrounds.file import BackgroundFile
from imaging.compose.composition import (
    MIDDLE,
    Background,
    Blur,
    Fit,
    LinearGradient,
    RadialGradient,
    Scene,
    SceneKind,
    Transparent,
)
from imaging.types import WHITE
from packshot.v1 import packshot_pb2 as pb

_COLORS: Final = (2, 8)
_DEFAULT_ANGLE_DEG: Final = 180.0
_DEFAULT_BLUR_PERCENT: Final = 2.0

_FITS: Final[dict[int, Fit]] = {
    pb.FIT_UNSPECIFIED: Fit.FILL,
    pb.FIT_FILL: Fit.FILL,
    pb.FIT_FIT: Fit.FIT,
    pb.FIT_STRETCH: Fit.STRETCH,
}
_SCENES: Final[dict[int, SceneKind]] = {
    pb.SCENE_KIND_UNSPECIFIED: SceneKind.STUDIO,
    pb.SCENE_KIND_STUDIO: SceneKind.STUDIO,
    pb.SCENE_KIND_TABLE: SceneKind.TABLE,
    pb.SCENE_KIND_PODIUM: SceneKind.PODIUM,
    pb.SCENE_KIND_WOOD: SceneKind.WOOD,
    pb.SCENE_KIND_MARBLE: SceneKind.MARBLE,
    pb.SCENE_KIND_FABRIC: SceneKind.FABRIC,
}
_RADIAL: Final[dict[int, bool]] = {
    pb.GRADIENT_SHAPE_UNSPECIFIED: False,
    pb.GRADIENT_SHAPE_LINEAR: False,
    pb.GRADIENT_SHAPE_RADIAL: True,
}


def read_background(  # noqa: PLR0911  one return a kind
    background: pb.Background,
) -> Background | BackgroundFile | None:
    """Read a background; None if the request leaves it open.

    Raises:
        InvalidOptionError: An option is unknown or out of range.
    """
    match kind := background.WhichOneof("kind"):
        case None:
            return None
        case "transparent":
            return Transparent()
        case "color":
            return read_color("background.color", background.color)
        case "gradient":
            return _read_gradient(background.gradient)
        case "picture":
            return _read_picture(background.picture)
        case "blur":
            return _read_blur(background.blur)
        case "scene":
            return _read_scene(background.scene)
        case _:
            assert_never(kind)


def _read_gradient(gradient: pb.Gradient) -> LinearGradient | RadialGradient:
    least, most = _COLORS
    if not least <= len(gradient.colors) <= most:
        allowed = f"{least} to {most} colours"
        raise out_of_range("background.gradient.colors", f"{len(gradient.colors)} colours", allowed)
    colors = tuple(read_color("background.gradient.colors", text) for text in gradient.colors)
    if one_of("background.gradient.shape", gradient.shape, _RADIAL):
        field = "background.gradient.center"
        center = gradient.center
        return RadialGradient(
            colors, read_position(field, center) if gradient.HasField("center") else MIDDLE
        )
    angle_deg = gradient.angle_deg if gradient.HasField("angle_deg") else _DEFAULT_ANGLE_DEG
    return LinearGradient(colors, within("background.gradient.angle_deg", angle_deg, -360.0, 360.0))


def _read_picture(picture: pb.BackgroundPicture) -> BackgroundFile:
    field = "background.picture"
    position = (
        read_position(f"{field}.position", picture.position)
        if picture.HasField("position")
        else MIDDLE
    )
    return BackgroundFile(
        picture.picture,
        one_of(f"{field}.fit", picture.fit, _FITS),
        position,
        read_color(f"{field}.color", picture.color) if picture.color else WHITE,
    )


def _read_blur(blur: pb.Blur) -> Blur:
    percent = blur.strength_percent or _DEFAULT_BLUR_PERCENT
    return Blur(within("background.blur.strength_percent", percent, 0.1, 20.0, unset=0.0) / 100)


def _read_scene(scene: pb.Scene) -> Scene:
    kind = one_of("background.scene.kind", scene.kind, _SCENES)
    color = read_color("background.scene.color", scene.color) if scene.color else None
    return Scene(kind, scene.seed, color)
