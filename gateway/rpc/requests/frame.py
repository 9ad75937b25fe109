"""What a request says of the frame."""

from dataclasses import replace
from typing import Final

from gateway.rpc.requests.checks import out_of_range, read_position, within
from imaging.errors import InvalidOptionError
from imaging.framing.frame import MIN_SIDE_PX, Frame, FrameLimits, Length, Margins
from packshot.v1 import packshot_pb2 as pb

MAX_SIDE_PX: Final = 10_000
DEFAULT_MAX_UPSCALE: Final = 2.0
_MAX_MARGIN_PERCENT: Final = 500.0
_MAX_MARGIN_PX: Final = 5000


def read_frame(frame: pb.Frame, limits: FrameLimits, preset: Frame | None = None) -> Frame:
    """Read a frame.

    Args:
        frame: What the request says.
        limits: What a frame may be.
        preset: What is so where the request says nothing; a size of the request's own is kept
            whatever the photo has, a preset's is not.

    Raises:
        InvalidOptionError: An option is out of range or contradicts another.
    """
    _check_size(frame, limits)
    asked = preset or Frame(limits, max_upscale=DEFAULT_MAX_UPSCALE)
    if frame.width_px or frame.height_px:
        asked = replace(asked, width_px=frame.width_px, height_px=frame.height_px, shrinks=False)
        if frame.width_px and frame.height_px:
            asked = replace(asked, aspect_ratio=None)
    if frame.aspect_ratio:
        asked = replace(asked, aspect_ratio=frame.aspect_ratio)
    if frame.crop:
        asked = replace(asked, crop=True)
    if frame.HasField("margin"):
        asked = replace(asked, margins=_read_margins(frame.margin))
    if frame.scale:
        asked = replace(asked, scale=within("frame.scale", frame.scale, 0.05, 1.0, unset=0.0))
    if frame.HasField("position"):
        asked = replace(asked, position=read_position("frame.position", frame.position))
    if frame.max_upscale:
        limit = within("frame.max_upscale", frame.max_upscale, 1.0, 8.0, unset=0.0)
        asked = replace(asked, max_upscale=limit)
    if frame.max_pixels:
        most = within("frame.max_pixels", frame.max_pixels, MIN_SIDE_PX**2, 2**32 - 1, unset=0)
        asked = replace(asked, max_pixels=most)
    return asked


def _check_size(frame: pb.Frame, limits: FrameLimits) -> None:
    for name, side_px in (("width_px", frame.width_px), ("height_px", frame.height_px)):
        if side_px:
            within(f"frame.{name}", side_px, MIN_SIDE_PX, limits.max_side_px, unset=0)
    if frame.aspect_ratio:
        within("frame.aspect_ratio", frame.aspect_ratio, 0.1, 10.0, unset=0.0)
        if frame.width_px and frame.height_px:
            raise InvalidOptionError(
                f"frame.aspect_ratio is {frame.aspect_ratio:g} beside both sides, "
                f"{frame.width_px}x{frame.height_px}; give one side at most with it",
                field="frame.aspect_ratio",
                figures={"value": frame.aspect_ratio},
            )


def _read_margins(margins: pb.Margins) -> Margins:
    return Margins(
        left=_read_length("frame.margin.left", margins.left),
        top=_read_length("frame.margin.top", margins.top),
        right=_read_length("frame.margin.right", margins.right),
        bottom=_read_length("frame.margin.bottom", margins.bottom),
    )


def _read_length(field: str, length: pb.Length) -> Length:
    if length.WhichOneof("kind") == "px":
        if length.px > _MAX_MARGIN_PX:
            raise out_of_range(f"{field}.px", length.px, f"0 to {_MAX_MARGIN_PX}")
        return Length(px=length.px)
    percent = within(f"{field}.percent", length.percent, 0.0, _MAX_MARGIN_PERCENT)
    return Length(share=percent / 100)
