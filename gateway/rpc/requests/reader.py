"""Reads the options of a request: a preset fills in what is unset, contradictions are refused."""

import re
from dataclasses import dataclass
from typing import Final

from gateway.rendering.render_options import RenderOptions
from gateway.rpc.requests.background import read_background
from gateway.rpc.requests.checks import one_of, out_of_range
from gateway.rpc.requests.frame import MAX_SIDE_PX, read_frame
from gateway.rpc.requests.marks import read_masks, read_region
from gateway.rpc.requests.output import read_content, read_format, read_quality, read_resolution
from gateway.rpc.requests.staging import read_staging
from imaging.compose.backgrounds.file import BackgroundFile
from imaging.compose.composition import Background, Content, Transparent
from imaging.encode import DEFAULT_QUALITY, PictureFormat
from imaging.errors import InvalidOptionError
from imaging.framing.frame import Frame, FrameLimits
from imaging.matting.own_cut import CutChoice
from imaging.presets.preset import Preset
from imaging.types import WHITE
from packshot.v1 import packshot_pb2 as pb

_CUTS: Final[dict[int, CutChoice]] = {
    pb.CUT_UNSPECIFIED: CutChoice.AUTO,
    pb.CUT_KEEP: CutChoice.KEEP,
    pb.CUT_REFINE: CutChoice.REFINE,
    pb.CUT_AUTO: CutChoice.AUTO,
}
_CLEANS: Final[dict[int, bool]] = {
    pb.CLEANING_UNSPECIFIED: True,
    pb.CLEANING_ON: True,
    pb.CLEANING_OFF: False,
}


@dataclass(frozen=True, slots=True)
class OptionReader:
    """Reads the options of a request.

    Attributes:
        default_model: The model of a request that names none.
        max_pixels: Most pixels that a frame may have.
        presets: The marketplaces' presets, by name.
    """

    default_model: str
    max_pixels: int
    presets: dict[str, Preset]

    def read(self, request: pb.RenderRequest) -> RenderOptions:
        """Check a request's options and fill in what it leaves open.

        Raises:
            InvalidOptionError: An option is unknown, out of range or contradicts another.
        """
        preset = self._read_preset(request.preset)
        content = read_content(request.output)
        if content is not Content.PICTURE:
            _check_bare(request, content)
        background = (
            Transparent() if content is Content.LAYERS else _read_background(request, preset)
        )
        if isinstance(background, Transparent):
            _check_behind_nothing(request.staging)
        picture_format = _read_format(request.output, content, background, preset)
        cut = one_of("cut", request.cut, _CUTS)
        return RenderOptions(
            model=_read_model(request.model) or self.default_model,
            background=background,
            frame=self._read_frame(request, preset),
            staging=read_staging(request.staging),
            content=content,
            cut=cut,
            region=read_region(request),
            masks=read_masks(request, cut),
            cleans=one_of("cleaning", request.cleaning, _CLEANS),
            picture_format=picture_format,
            quality=read_quality(
                request.output,
                picture_format,
                by_default=preset.rendering.quality if preset else DEFAULT_QUALITY,
            ),
            resolution_dpi=read_resolution(request.output),
            keep_metadata=request.output.keep_metadata,
            preset=preset,
        )

    def _read_preset(self, name: str) -> Preset | None:
        if not name:
            return None
        if name not in self.presets:
            raise out_of_range("preset", repr(name[:64]), ", ".join(sorted(self.presets)))
        return self.presets[name]

    def _read_frame(self, request: pb.RenderRequest, preset: Preset | None) -> Frame | None:
        limits = FrameLimits(MAX_SIDE_PX, self.max_pixels)
        by_default = preset.frame(limits) if preset else None
        if request.HasField("frame"):
            return read_frame(request.frame, limits, by_default)
        return by_default


def _read_model(name: str) -> str:
    # Triton's model names are folder names: nothing else is worth asking it for.
    if name and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", name):
        raise out_of_range("model", repr(name[:128]), "letters, digits, '_', '-' and '.'")
    return name


def _read_background(
    request: pb.RenderRequest, preset: Preset | None
) -> Background | BackgroundFile:
    return read_background(request.background) or (preset.rendering.background if preset else WHITE)


def _read_format(
    output: pb.Output,
    content: Content,
    background: Background | BackgroundFile,
    preset: Preset | None,
) -> PictureFormat:
    alpha = content is Content.ALPHA or (
        content is Content.PICTURE and isinstance(background, Transparent)
    )
    by_default = preset.rendering.picture_format if preset else PictureFormat.JPEG
    if content is Content.LAYERS:
        return _layers_format(output)
    if content is not Content.PICTURE or (alpha and not by_default.has_alpha):
        by_default = PictureFormat.PNG
    return read_format(output, by_default=by_default, alpha=alpha)


def _layers_format(output: pb.Output) -> PictureFormat:
    picture_format = read_format(output, by_default=PictureFormat.JPEG, alpha=False)
    if picture_format not in {PictureFormat.JPEG, PictureFormat.PNG}:
        raise out_of_range("output.format", picture_format.value, "JPEG and PNG for layers")
    return picture_format


def _check_bare(request: pb.RenderRequest, content: Content) -> None:
    """Refuse what belongs to a picture where a mask is asked for; layers may have a shadow."""
    given = {
        "preset": bool(request.preset),
        "background": request.HasField("background"),
        "staging": request.HasField("staging") and content is not Content.LAYERS,
    }
    for name, is_given in given.items():
        if is_given:
            raise InvalidOptionError(
                f"output.content is {content.value}, which has no {name}: leave {name} unset",
                field=name,
            )


def _check_behind_nothing(staging: pb.Staging) -> None:
    """Refuse what needs a background where there is none; a shadow does not."""
    for name, value in (
        ("reflection", staging.reflection),
        ("color_match", staging.color_match),
    ):
        if value > 0:
            raise InvalidOptionError(
                f"staging.{name} is {value:g}, but a transparent background has nothing for it: "
                "choose a background, or leave it unset",
                field=f"staging.{name}",
                figures={"value": value},
            )
