"""What a request says of the file to answer with."""

from typing import Final

from gateway.rpc.requests.checks import one_of, out_of_range, within
from imaging.compose.composition import Content
from imaging.encode import DEFAULT_RESOLUTION_DPI, PictureFormat
from imaging.errors import InvalidOptionError
from packshot.v1 import packshot_pb2 as pb

_MAX_QUALITY: Final = 100
_MAX_RESOLUTION_DPI: Final = 2400

FORMATS: "Final[dict[pb.ImageFormat.ValueType, PictureFormat]]" = {
    pb.IMAGE_FORMAT_PNG: PictureFormat.PNG,
    pb.IMAGE_FORMAT_JPEG: PictureFormat.JPEG,
    pb.IMAGE_FORMAT_WEBP: PictureFormat.WEBP,
    pb.IMAGE_FORMAT_AVIF: PictureFormat.AVIF,
}
_CONTENTS: Final[dict[int, Content]] = {
    pb.CONTENT_UNSPECIFIED: Content.PICTURE,
    pb.CONTENT_PICTURE: Content.PICTURE,
    pb.CONTENT_MASK: Content.MASK,
    pb.CONTENT_ALPHA: Content.ALPHA,
    pb.CONTENT_LAYERS: Content.LAYERS,
}


def read_content(output: pb.Output) -> Content:
    """Read what the file shall show.

    Raises:
        InvalidOptionError: Its number is unknown.
    """
    return one_of("output.content", output.content, _CONTENTS)


def read_format(output: pb.Output, *, by_default: PictureFormat, alpha: bool) -> PictureFormat:
    """Read the file's format.

    Args:
        output: What the request says.
        by_default: The format if it says nothing.
        alpha: Whether the picture has an alpha channel that the format must hold.

    Raises:
        InvalidOptionError: Its number is unknown, or the format has no alpha channel.
    """
    if output.format == pb.IMAGE_FORMAT_UNSPECIFIED:
        return by_default
    picture_format = FORMATS.get(output.format)
    if picture_format is None:
        known = ", ".join(known.value for known in PictureFormat)
        raise out_of_range("output.format", output.format, known)
    if alpha and not picture_format.has_alpha:
        raise InvalidOptionError(
            "JPEG cannot be transparent: choose PNG, WebP or AVIF, or a background",
            field="output.format",
        )
    return picture_format


def read_quality(output: pb.Output, picture_format: PictureFormat, *, by_default: int) -> int:
    """Read the quality.

    Raises:
        InvalidOptionError: It is out of range, or the format has none.
    """
    if output.quality and picture_format is PictureFormat.PNG:
        raise InvalidOptionError(
            f"PNG is lossless and has no quality; the request says {output.quality}",
            field="output.quality",
            figures={"value": output.quality},
        )
    return within("output.quality", output.quality or by_default, 1, _MAX_QUALITY, unset=0)


def read_resolution(output: pb.Output) -> int:
    """Read the resolution, pixels per inch.

    Raises:
        InvalidOptionError: It is out of range.
    """
    resolution_dpi = output.resolution_dpi or DEFAULT_RESOLUTION_DPI
    return within("output.resolution_dpi", resolution_dpi, 1, _MAX_RESOLUTION_DPI, unset=0)
