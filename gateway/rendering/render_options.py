"""The options of a render, read and checked by `gateway.rpc.requests.reader`."""

from dataclasses import dataclass

from gateway.rendering.decoding.mask_files import MaskFiles
from imaging.compose.backgrounds.file import BackgroundFile
from imaging.compose.composition import Background, Content, Staging
from imaging.encode import PictureFormat
from imaging.framing.frame import Frame
from imaging.matting.own_cut import CutChoice
from imaging.matting.region import Region
from imaging.presets.preset import Preset


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What to make of a photo.

    Attributes:
        model: The model to cut with.
        background: What stands behind the product; a file is decoded on the way.
        frame: The frame for the product; None keeps the photo's.
        staging: How the product sits before its background.
        content: What the file shows.
        cut: Where the cut comes from.
        region: Where in the photo the product is; None: anywhere.
        masks: The masks that correct the cut, to be decoded on the way.
        cleans: Whether islands and pinholes of the cut are cleaned.
        picture_format: The file to answer with.
        quality: Of JPEG, WebP and AVIF, 1 to 100.
        resolution_dpi: What the file says its resolution is, pixels per inch.
        keep_metadata: Whether the photo's EXIF data go into the file.
        preset: The rules to judge the file by; None for no verdict.
    """

    model: str
    background: Background | BackgroundFile
    frame: Frame | None
    staging: Staging
    content: Content
    cut: CutChoice
    region: Region | None
    masks: MaskFiles
    cleans: bool
    picture_format: PictureFormat
    quality: int
    resolution_dpi: int
    keep_metadata: bool
    preset: Preset | None

    @property
    def marked_by(self) -> tuple[str, ...]:
        """What the request corrects the cut by: "region", "keep" and "erase"; empty: nothing."""
        given = {
            "region": self.region,
            "keep": self.masks.keep,
            "erase": self.masks.erase,
        }
        return tuple(name for name, value in given.items() if value)
