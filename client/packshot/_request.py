"""The request of one render, from the callers' options to the interface's message."""

import re
import uuid
from operator import index
from typing import SupportsIndex, TypeGuard, TypeVar

from packshot._lengths import to_margins, to_position
from packshot._options import (
    Background,
    BackgroundPicture,
    Blur,
    LinearGradient,
    Photo,
    RadialGradient,
    RenderOptions,
    Scene,
)
from packshot._photo import photo_bytes
from packshot._region import to_region
from packshot._words import CONTENTS, CUTS, FITS, FORMATS, PRIORITIES, SCENES, SHADOWS, value_of
from packshot.v1 import packshot_pb2 as pb

_SQUARE_SCALE = 0.85
# What the interface's fields can hold; the service has a limit of its own.
_MOST_PX = 2**32 - 1
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")

_Number = TypeVar("_Number", int, float)


def to_request(photo: Photo, options: RenderOptions) -> pb.RenderRequest:
    """Build the request of one render.

    Args:
        photo: The photo's file: its bytes, its path, or open.
        options: As `RenderOptions` documents them.

    Raises:
        OSError: The photo, the background picture or a mask cannot be read.
        TypeError: There is no such option, or the photo is none.
        ValueError: A value is none that the option can have, or two options contradict each other.
    """
    request = to_template(options)
    request.photo = photo_bytes(photo)
    return request


def to_template(options: RenderOptions) -> pb.RenderRequest:
    """Build what the requests of many photos share; it reads the background picture and the masks.

    Raises:
        OSError: The background picture or a mask cannot be read.
        TypeError: There is no such option.
        ValueError: A value is none that the option can have, or two options contradict each other.
    """
    unknown = sorted(options.keys() - RenderOptions.__annotations__.keys())
    if unknown:
        raise TypeError(f"no such option: {', '.join(unknown)}")
    background, region = options.get("background"), options.get("region")
    hints = _to_hints(options)
    frame, output, staging = _to_frame(options), _to_output(options), _to_staging(options)
    return pb.RenderRequest(
        model=_nonempty("model", options.get("model")),
        preset=_nonempty("preset", options.get("preset")),
        background=None if background is None else _to_background(background),
        # What says nothing stays unset: it is the preset's to decide.
        frame=frame if frame.ByteSize() else None,
        output=output if output.ByteSize() else None,
        staging=staging if staging.ByteSize() else None,
        cut=_to_cut(options),
        region=None if region is None else to_region(region),
        hints=hints if hints.ByteSize() else None,
        cleaning=_to_cleaning(options),
        priority=_to_priority(options),
        idempotency_key=_nonempty("idempotency_key", options.get("idempotency_key")),
    )


def to_named_request(photo: Photo, options: RenderOptions, *, repeated: bool) -> pb.RenderRequest:
    """Build the request of one render, with a key of its own if it may be sent more than once.

    Args:
        photo: As `to_request` takes it.
        options: As `to_request` takes them.
        repeated: Whether the channel repeats calls.
    """
    request = to_request(photo, options)
    if repeated and not request.idempotency_key:
        request.idempotency_key = uuid.uuid4().hex
    return request


def to_metadata(options: RenderOptions) -> tuple[tuple[str, str], ...]:
    """Return what a call says ahead of its photo, so that it can be refused before it is sent."""
    priority = options.get("priority")
    return (("packshot-priority", priority),) if priority else ()


def _to_background(background: Background) -> pb.Background:
    match background:
        case str():
            return _to_named_background(background)
        case LinearGradient() | RadialGradient():
            return pb.Background(gradient=_to_gradient(background))
        case BackgroundPicture():
            return pb.Background(picture=_to_picture(background))
        case Blur(strength):
            return pb.Background(blur=pb.Blur(strength_percent=_nonzero("strength", strength)))
        case Scene():
            return pb.Background(scene=_to_scene(background))
        case _:
            raise TypeError(f"background is a {type(background).__name__}")


def _to_named_background(name: str) -> pb.Background:
    if name == "transparent":
        return pb.Background(transparent=pb.Transparent())
    if name == "blur":
        return pb.Background(blur=pb.Blur())
    return pb.Background(color=_to_color("background", name, "transparent", "blur"))


def _to_gradient(gradient: LinearGradient | RadialGradient) -> pb.Gradient:
    colors = [_to_color("colors", color) for color in gradient.colors]
    if isinstance(gradient, LinearGradient):
        return pb.Gradient(shape=pb.GRADIENT_SHAPE_LINEAR, colors=colors, angle_deg=gradient.angle)
    center = to_position("center", gradient.center)
    return pb.Gradient(shape=pb.GRADIENT_SHAPE_RADIAL, colors=colors, center=center)


def _to_picture(background: BackgroundPicture) -> pb.BackgroundPicture:
    return pb.BackgroundPicture(
        picture=photo_bytes(background.picture),
        fit=value_of("fit", background.fit, FITS),
        position=to_position("position", background.position),
        color=_to_color("color", background.color),
    )


def _to_scene(scene: Scene) -> pb.Scene:
    return pb.Scene(
        kind=value_of("kind", scene.kind, SCENES),
        seed=scene.seed,
        color="" if scene.color is None else _to_color("color", scene.color),
    )


def _to_frame(options: RenderOptions) -> pb.Frame:
    width_px, height_px = _to_sides(options)
    aspect, scale = options.get("aspect"), options.get("scale")
    crop, margin = options.get("crop") or False, options.get("margin")
    position = options.get("position")
    if options.get("square"):
        aspect = None if width_px and height_px else 1.0
        if scale is None and margin is None and not crop and not options.get("preset"):
            scale = _SQUARE_SCALE
    return pb.Frame(
        width_px=width_px,
        height_px=height_px,
        scale=_nonzero("scale", scale),
        aspect_ratio=_nonzero("aspect", aspect),
        crop=crop,
        margin=None if margin is None else to_margins(margin),
        position=None
        if position is None or position == "original"
        else to_position("position", position),
        max_upscale=_nonzero("max_upscale", options.get("max_upscale")),
        max_pixels=_nonzero("max_pixels", options.get("max_pixels")),
    )


def _to_sides(options: RenderOptions) -> tuple[int, int]:
    """Read a frame's width and height, 0 where they follow from something else."""
    size, aspect = options.get("size"), options.get("aspect")
    width, height = _sides_of(size)
    width_px, height_px = width or 0, height or 0
    if 0 in {width, height} and not width_px and not height_px:
        raise ValueError(f"size is {size!r}; leave it out for the default")
    both = width_px and height_px
    if options.get("square") and aspect not in {None, 1}:
        raise ValueError(f"square contradicts an aspect of {aspect}")
    if options.get("square") and both and width_px != height_px:
        raise ValueError(f"square contradicts a size of {width_px}x{height_px}")
    if not options.get("square") and aspect is not None and both:
        raise ValueError(f"aspect contradicts a size of {width_px}x{height_px}: give one side")
    return width_px, height_px


def _sides_of(size: object) -> tuple[int | None, int | None]:
    """Return width and height; a size that is a number is a square's.

    Raises:
        ValueError: It is neither a number nor two, or one is out of the interface's range.
    """
    match size:
        case None:
            return None, None
        case int() if _is_side(size):
            return size, size
        case [width, height] if _is_side(width) and _is_side(height):
            return width, height
    raise ValueError(
        f"size is {size!r}; allowed: whole pixels, 16 to 10000, or width and height, of which one "
        "may be None"
    )


def _is_side(side: object) -> TypeGuard[int | None]:
    return side is None or (isinstance(side, SupportsIndex) and 0 <= index(side) <= _MOST_PX)


def _to_staging(options: RenderOptions) -> pb.Staging:
    staging = pb.Staging(
        shadow_opacity=options.get("shadow_opacity"),
        light_angle_deg=options.get("light_angle"),
        reflection=options.get("reflection"),
        color_match=options.get("color_match") or 0.0,
    )
    if (shadow := options.get("shadow")) is not None:
        staging.shadow = value_of("shadow", shadow, SHADOWS)
    return staging


def _to_output(options: RenderOptions) -> pb.Output:
    output = pb.Output(
        quality=_nonzero("quality", options.get("quality")),
        resolution_dpi=_nonzero("dpi", options.get("dpi")),
        keep_metadata=options.get("keep_metadata") or False,
    )
    if (picture_format := options.get("format")) is not None:
        output.format = value_of("format", picture_format, FORMATS)
    if (content := options.get("content")) is not None:
        output.content = value_of("content", content, CONTENTS)
    return output


def _to_cut(options: RenderOptions) -> pb.Cut.ValueType:
    if (cut := options.get("cut")) is None:
        return pb.CUT_UNSPECIFIED
    return value_of("cut", cut, CUTS)


def _to_hints(options: RenderOptions) -> pb.Hints:
    keep, erase = options.get("keep_mask"), options.get("erase_mask")
    return pb.Hints(
        keep_mask=b"" if keep is None else _to_mask("keep_mask", keep),
        erase_mask=b"" if erase is None else _to_mask("erase_mask", erase),
    )


def _to_mask(name: str, mask: Photo) -> bytes:
    data = photo_bytes(mask)
    if not data:
        raise ValueError(f"{name} is empty; leave it out for none")
    return data


def _to_cleaning(options: RenderOptions) -> pb.Cleaning.ValueType:
    if (clean := options.get("clean")) is None:
        return pb.CLEANING_UNSPECIFIED
    return pb.CLEANING_ON if clean else pb.CLEANING_OFF


def _to_priority(options: RenderOptions) -> pb.Priority.ValueType:
    if (priority := options.get("priority")) is None:
        return pb.PRIORITY_UNSPECIFIED
    return value_of("priority", priority, PRIORITIES)


def _to_color(name: str, text: str, *others: str) -> str:
    if text == "white":
        return "#FFFFFF"
    if not _COLOR.fullmatch(text):
        known = ", ".join(("white", *others))
        raise ValueError(f"{name} is {text!r}; allowed: {known} and '#RRGGBB'")
    return text


def _nonzero(name: str, value: _Number | None) -> _Number:
    """Return a number as the interface takes it, where 0 stands for one that was left out."""
    if value is None:
        return 0
    if value == 0:
        raise ValueError(f"{name} is 0; leave it out for the default")
    if value < 0:
        raise ValueError(f"{name} is {value}; allowed: more than 0")
    return value


def _nonempty(name: str, value: str | None) -> str:
    """Return a name as the interface takes it, where none stands for one that was left out."""
    if value == "":
        raise ValueError(f"{name} is empty; leave it out for the default")
    return value or ""
