"""A marketplace's preset: its rules, and how to render so that they are kept."""

from dataclasses import dataclass
from datetime import date
from math import isqrt

from imaging.encode import PictureFormat
from imaging.framing.frame import Frame, FrameLimits
from imaging.presets.rules import Rule
from imaging.types import Color


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a preset fills in where a request leaves it open.

    Attributes:
        background: The colour behind the product.
        aspect_ratio: Of the frame, width over height.
        scale: Share of the frame that the product takes along the tighter side, above 0 to 1.
        side_px: The frame's longest side.
        max_upscale: Largest factor from the photo's pixels to the frame's. At 1 a small photo gives
            a small picture: invented pixels are no size.
        picture_format: The file's format.
        quality: The file's quality, 1 to 100.
    """

    background: Color
    aspect_ratio: float
    scale: float
    side_px: int
    max_upscale: float
    picture_format: PictureFormat
    quality: int


@dataclass(frozen=True, slots=True)
class Preset:
    """A marketplace's rules for a picture.

    Attributes:
        name: As callers name it.
        summary: What it is for, a sentence.
        source: Address of the marketplace's own rules.
        checked_on: The day on which the rules were last compared with their source; None: not yet.
        rendering: How to render for it by default.
        rules: Its rules, in the order in which they are judged.
    """

    name: str
    summary: str
    source: str
    checked_on: date | None
    rendering: Rendering
    rules: tuple[Rule, ...]

    def frame(self, limits: FrameLimits) -> Frame:
        """Return the frame that the preset asks for.

        Args:
            limits: What a frame may be. A preset that would go beyond them has its frame reduced to
                them; the verdict then says if that is too small.

        Returns:
            The frame; it gets smaller rather than the product in it if the photo has too few
            pixels.
        """
        ratio = self.rendering.aspect_ratio
        longest_px = min(self.rendering.side_px, limits.max_side_px)
        width_px = int(min(longest_px, longest_px * ratio))
        if width_px * round(width_px / ratio) > limits.max_pixels:
            width_px = isqrt(int(limits.max_pixels * ratio))
        return Frame(
            limits=limits,
            width_px=width_px,
            aspect_ratio=ratio,
            scale=self.rendering.scale,
            max_upscale=self.rendering.max_upscale,
            shrinks=True,
        )
