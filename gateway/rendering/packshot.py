"""The result of a render."""

from dataclasses import dataclass

from gateway.observability.labels import Stage
from imaging.encode import PictureFormat
from imaging.presets.verdict import Verdict
from imaging.types import Box, Sides


@dataclass(frozen=True, slots=True)
class Packshot:
    """The finished picture and how it came about.

    Attributes:
        picture: The file.
        picture_format: Its format.
        width_px: Its width.
        height_px: Its height.
        product: The product's box in it.
        magnification: Factor from the photo's pixels to the picture's.
        cut_off: The sides of the photo that cut the product off.
        confidence: How sure the model is of its cut, 0 to 1; 1 for a cut that the photo brought.
        keeps_own_cut: Whether the cut is the one that the photo brought.
        model: The model that made the cut; empty if none did.
        model_version: That model's version.
        photo_pixels: Pixels of the photo.
        stages_s: Seconds that each stage took.
        total_s: Seconds from beginning to end, waiting included.
        notes: Options that could not be followed, a sentence each.
        verdict: Whether the file complies with its preset; None without one.
        matte: The matte's file where the packshot is made of layers; else empty.
    """

    picture: bytes
    picture_format: PictureFormat
    width_px: int
    height_px: int
    product: Box
    magnification: float
    cut_off: Sides
    confidence: float
    keeps_own_cut: bool
    model: str
    model_version: str
    photo_pixels: int
    stages_s: dict[Stage, float]
    total_s: float
    notes: tuple[str, ...]
    verdict: Verdict | None
    matte: bytes = b""
