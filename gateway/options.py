"""A request's options, from protobuf to the renderer's own words, each checked."""

import re
from dataclasses import dataclass
from typing import Final

from gateway.errors import InvalidOptionError
from gateway.pipeline.arrays import WHITE, Color
from gateway.pipeline.encode import DEFAULT_QUALITY, DEFAULT_RESOLUTION_DPI, PictureFormat
from gateway.pipeline.frame import MIN_SIDE_PX, Frame
from gateway.renderer import RenderOptions
from packshot.v1 import packshot_pb2 as pb

DEFAULT_FILL: Final = 0.85
_MIN_FILL: Final = 0.05
_MAX_SIDE_PX: Final = 10_000
_MAX_QUALITY: Final = 100
_MAX_RESOLUTION_DPI: Final = 2400

FORMATS: "Final[dict[pb.ImageFormat.ValueType, PictureFormat]]" = {
    pb.IMAGE_FORMAT_PNG: PictureFormat.PNG,
    pb.IMAGE_FORMAT_JPEG: PictureFormat.JPEG,
    pb.IMAGE_FORMAT_WEBP: PictureFormat.WEBP,
    pb.IMAGE_FORMAT_AVIF: PictureFormat.AVIF,
}


@dataclass(frozen=True, slots=True)
class OptionReader:
    """Reads the options of a request.

    Attributes:
        default_model: The model of a request that names none.
        max_pixels: Most pixels that a frame may have.
    """

    default_model: str
    max_pixels: int

    def read(self, request: pb.RenderRequest) -> RenderOptions:
        """Check a request's options and fill in what it leaves open.

        Raises:
            InvalidOptionError: An option is unknown, out of range or contradicts another.
        """
        background = _read_background(request.background)
        picture_format = _read_format(request.output.format, transparent=background is None)
        return RenderOptions(
            model=_read_model(request.model) or self.default_model,
            background=background,
            frame=self._read_frame(request.frame) if request.HasField("frame") else None,
            picture_format=picture_format,
            quality=_read_quality(request.output.quality, picture_format),
            resolution_dpi=_read_resolution(request.output.resolution_dpi),
            keep_metadata=request.output.keep_metadata,
        )

    def _read_frame(self, frame: pb.Frame) -> Frame:
        width_px, height_px = frame.width_px, frame.height_px
        if (width_px == 0) != (height_px == 0):
            raise _out_of_range("frame", f"{width_px}x{height_px}", "both sides, or both 0")
        for name, side_px in (("width_px", width_px), ("height_px", height_px)):
            if side_px and not MIN_SIDE_PX <= side_px <= _MAX_SIDE_PX:
                allowed = f"{MIN_SIDE_PX} to {_MAX_SIDE_PX}"
                raise _out_of_range(f"frame.{name}", side_px, allowed)
        fill = frame.fill or DEFAULT_FILL
        if not _MIN_FILL <= fill <= 1:  # NaN, too, is outside
            raise _out_of_range("frame.fill", frame.fill, f"{_MIN_FILL} to 1, or 0")
        return Frame(width_px, height_px, fill, _MAX_SIDE_PX, self.max_pixels)


def _read_model(name: str) -> str:
    # Triton's model names are folder names: nothing else is worth asking it for.
    if name and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", name):
        raise _out_of_range("model", repr(name[:128]), "letters, digits, '_', '-' and '.'")
    return name


def _read_background(background: pb.Background) -> Color | None:
    match background.WhichOneof("kind"):
        case "transparent":
            return None
        case "color":
            return _read_color(background.color)
        case _:
            return WHITE


def _read_color(text: str) -> Color:
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        raise _out_of_range("background.color", repr(text[:32]), "'#RRGGBB'")
    return Color(*bytes.fromhex(text[1:]))


def _read_format(number: "pb.ImageFormat.ValueType", *, transparent: bool) -> PictureFormat:
    if number == pb.IMAGE_FORMAT_UNSPECIFIED:
        return PictureFormat.PNG if transparent else PictureFormat.JPEG
    picture_format = FORMATS.get(number)
    if picture_format is None:
        raise _out_of_range("output.format", number, ", ".join(f.value for f in PictureFormat))
    if transparent and not picture_format.has_alpha:
        raise InvalidOptionError(
            "JPEG cannot be transparent: choose PNG, WebP or AVIF, or a background colour",
            field="output.format",
        )
    return picture_format


def _read_quality(quality: int, picture_format: PictureFormat) -> int:
    if quality and picture_format is PictureFormat.PNG:
        raise InvalidOptionError(
            f"PNG is lossless and has no quality; the request says {quality}",
            field="output.quality",
            figures={"value": quality},
        )
    if quality > _MAX_QUALITY:
        raise _out_of_range("output.quality", quality, f"1 to {_MAX_QUALITY}, or 0")
    return quality or DEFAULT_QUALITY


def _read_resolution(resolution_dpi: int) -> int:
    if resolution_dpi > _MAX_RESOLUTION_DPI:
        allowed = f"1 to {_MAX_RESOLUTION_DPI}, or 0"
        raise _out_of_range("output.resolution_dpi", resolution_dpi, allowed)
    return resolution_dpi or DEFAULT_RESOLUTION_DPI


def _out_of_range(field: str, value: object, allowed: str) -> InvalidOptionError:
    return InvalidOptionError(
        f"{field} is {value}; allowed: {allowed}",
        field=field,
        figures={"allowed": allowed, "value": value},
    )
