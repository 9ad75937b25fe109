"""A TIFF file as the other formats' files are: opened by its header, loaded when asked to."""

from io import BytesIO
from typing import IO, Any, Final, cast

import cv2
import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from imaging.decode.tiff.directory import broken, read_directory
from imaging.decode.tiff.layout import FAXES, Extra, Layout, Packing, Photometric, read_layout
from imaging.decode.tiff.samples import read_samples, read_subsampled
from imaging.decode.tiff.unpack import opened, parts_of
from imaging.types import Pixels

_PROFILE: Final = 34675
_COLOR_MAP: Final = 320
_MODES: Final = {Photometric.WHITE_IS_ZERO: "L", Photometric.BLACK_IS_ZERO: "L",
                 Photometric.CMYK: "CMYK"}  # fmt: skip
_BYTE: Final = 256
# Description, maker, model, author, copyright, and where EXIF's and GPS's own tags are. What
# software has written the file is no loss.
_EXIF_TAGS: Final = {270, 271, 272, 315, 33432, 34665, 34853}


class TiffFile(ImageFile):
    """A TIFF file.

    Attributes:
        layout: How its samples are laid out.
        alpha: (H, W) uint8, 255 opaque, once it is loaded; None where it has no transparency.
    """

    format = "TIFF"
    format_description = "TIFF"

    def _open(self) -> None:
        self.layout = read_layout(read_directory(cast("IO[bytes]", self.fp).read()))
        self.alpha: Pixels | None = None
        self._mode = _MODES.get(self.layout.photometric, "RGB")
        self._size = self.layout.width_px, self.layout.height_px
        if profile := self.layout.directory.text(_PROFILE):
            self.info["icc_profile"] = profile
        self.tile = []
        self._is_loaded = False

    def load(self) -> Any:
        """Read the pixels, as they lie in the file."""
        if not self._is_loaded:
            colors, self.alpha = _read(self.layout)
            self.im, self._mode = colors.im, colors.mode
            self._is_loaded = True
        return super().load()

    def getexif(self) -> Image.Exif:
        """Return the file's own tags; none of a file that says nothing but how it is laid out.

        Raises:
            OSError: They cannot be read.
        """
        directory = self.layout.directory
        exif = Image.Exif()
        if directory.big and directory.order == ">":
            if directory.entries.keys() & _EXIF_TAGS:
                raise OSError("tags of a big-endian BigTIFF file are not read")
            return exif
        exif.bigtiff, exif.endian = directory.big, directory.order
        exif.load_from_fp(BytesIO(directory.data), directory.at)
        return exif


def _read(layout: Layout) -> tuple[Image.Image, Pixels | None]:
    """Return the colours, of mode L, RGB or CMYK, and the alpha if there is one."""
    photometric = layout.photometric
    if layout.packing in (Packing.JPEG, *FAXES):
        image = opened(layout, parts_of(layout))
        if photometric is Photometric.WHITE_IS_ZERO:
            image = Image.fromarray(255 - np.asarray(image.convert("L")))
        return image, None
    if photometric is Photometric.YCBCR and layout.subsampling != (1, 1):
        return _from_luma_chroma(read_subsampled(layout)), None
    which = _alpha_sample(layout)
    wanted = [*range(layout.colors), *([] if which is None else [which])]
    samples = read_samples(layout, wanted)
    colors, alpha = samples[..., : layout.colors], None
    if which is not None:
        alpha = np.ascontiguousarray(samples[..., layout.colors])
        if layout.extra is None and not alpha.any():
            alpha = None  # nobody would have written a picture that does not show
        elif layout.extra and Extra.ASSOCIATED in layout.extra:
            colors = _divided(colors, alpha)
    return _colored(layout, np.ascontiguousarray(colors)), alpha


def _alpha_sample(layout: Layout) -> int | None:
    """Return which sample is the alpha: the first that is called so, or is called nothing."""
    if layout.extra is None:
        return layout.colors
    for n, kind in enumerate(layout.extra):
        if kind in (Extra.ASSOCIATED, Extra.UNASSOCIATED, Extra.COREL):
            return layout.colors + n
    return None


def _divided(colors: Pixels, alpha: Pixels) -> Pixels:
    """Return premultiplied colours as they are without their alpha."""
    shares = cv2.merge((alpha,) * colors.shape[2])
    divided = np.asarray(cv2.divide(np.ascontiguousarray(colors), shares, scale=255), np.uint8)
    return divided.reshape(colors.shape)


def _colored(layout: Layout, samples: Pixels) -> Image.Image:
    match layout.photometric:
        case Photometric.BLACK_IS_ZERO:
            return Image.fromarray(samples[..., 0])
        case Photometric.WHITE_IS_ZERO:
            return Image.fromarray(255 - samples[..., 0])
        case Photometric.RGB:
            return Image.fromarray(samples)
        case Photometric.CMYK:
            return Image.fromarray(samples, "CMYK")
        case Photometric.YCBCR:
            return _from_luma_chroma(samples)
        case Photometric.PALETTE:
            return Image.fromarray(_palette(layout)[samples[..., 0]])


def _palette(layout: Layout) -> Pixels:
    """Return (2**bits, 3) uint8, sRGB."""
    values = layout.directory.numbers(_COLOR_MAP)
    entries = 2**layout.bits
    if len(values) < 3 * entries:
        raise broken(f"its palette has {len(values)} values; {layout.bits} bits need {3 * entries}")
    colors = np.array(values[: 3 * entries]).reshape(3, entries).T
    # Some writers fill the lower half of each value alone.
    return np.asarray(colors >> 8 if colors.max() >= _BYTE else colors, np.uint8)


def _from_luma_chroma(samples: Pixels) -> Image.Image:
    return Image.fromarray(samples, "YCbCr").convert("RGB")
