"""How a TIFF file's samples are laid out, and which layouts are read: all others are named."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from imaging.decode.limits import FIELD
from imaging.decode.tiff.directory import Directory, broken
from imaging.decode.tiff.words import Samples, described, packing_name, photometric_name
from imaging.errors import InvalidPhotoError


class Photometric(IntEnum):
    """What the samples mean, of what is read."""

    WHITE_IS_ZERO = 0
    BLACK_IS_ZERO = 1
    RGB = 2
    PALETTE = 3
    CMYK = 5
    YCBCR = 6


class Packing(IntEnum):
    """How the data are packed, of what is read."""

    NONE = 1
    CCITT_RLE = 2
    CCITT_FAX3 = 3
    CCITT_FAX4 = 4
    LZW = 5
    JPEG = 7
    DEFLATE = 8
    OLD_DEFLATE = 32946
    PACKBITS = 32773
    ZSTD = 50000


class Extra(IntEnum):
    """What a sample beside the colours means."""

    UNSPECIFIED = 0
    ASSOCIATED = 1
    UNASSOCIATED = 2
    COREL = 999
    """What Corel Draw writes for an alpha."""


COLORS: Final[dict[int, int]] = {
    Photometric.WHITE_IS_ZERO: 1,
    Photometric.BLACK_IS_ZERO: 1,
    Photometric.RGB: 3,
    Photometric.PALETTE: 1,
    Photometric.CMYK: 4,
    Photometric.YCBCR: 3,
}
_KNOWN_PACKINGS: Final = frozenset(each.value for each in Packing)
_PREDICTED: Final = {Packing.LZW, Packing.DEFLATE, Packing.OLD_DEFLATE, Packing.ZSTD}
FAXES: Final = {Packing.CCITT_RLE, Packing.CCITT_FAX3, Packing.CCITT_FAX4}
_MOST_BITS: Final = 16
_BYTE_BITS: Final = 8
_WHOLE_BITS: Final = {8, 16, 32}
_MOST_EXTRA: Final = 8
_WITH_PREMULTIPLIED: Final = {Photometric.RGB, Photometric.BLACK_IS_ZERO}
_SUBSAMPLINGS: Final = {1, 2, 4}
_REDUCED: Final = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """How a TIFF file's samples are laid out.

    Attributes:
        directory: The tags.
        width_px: The picture's width.
        height_px: The picture's height.
        photometric: What the samples mean.
        bits: Of each sample.
        samples: Of each pixel, the extra ones included.
        extra: What each extra sample means; None: the file does not say so.
        planar: Whether each sample has a plane of its own.
        packing: How the data are packed.
        predicts: Whether each sample is stored as its difference from the one to its left.
        low_bit_first: Whether each byte is filled from its lowest bit on.
        tiled: Whether the parts are tiles; else they are strips.
        part_width_px: Width of a part.
        part_rows: Rows of a part.
        subsampling: Of YCbCr, across and down.
        orientation: As EXIF has it.
    """

    directory: Directory
    width_px: int
    height_px: int
    photometric: Photometric
    bits: int
    samples: int
    extra: tuple[int, ...] | None
    planar: bool
    packing: Packing
    predicts: bool
    low_bit_first: bool
    tiled: bool
    part_width_px: int
    part_rows: int
    subsampling: tuple[int, int]
    orientation: int

    @property
    def colors(self) -> int:
        """Samples that are colours."""
        return COLORS[self.photometric]

    @property
    def parts_across(self) -> int:
        """Parts beside each other."""
        return -(-self.width_px // self.part_width_px)

    @property
    def parts_down(self) -> int:
        """Parts above each other."""
        return -(-self.height_px // self.part_rows)


def read_layout(directory: Directory) -> Layout:
    """Read how a file's samples are laid out.

    Raises:
        InvalidPhotoError: The layout is none of those that are read, and is named.
        PhotoLimitError: The file claims too many values of a tag.
    """
    number = directory.number
    width_px, height_px = number(256, 0), number(257, 0)
    if not width_px or not height_px:
        raise broken("it does not state its width and height")
    if number(254, 0) == _REDUCED:
        raise InvalidPhotoError(
            "the file's first picture is a preview of another one, as in a camera's raw file",
            field=FIELD,
        )
    sizes = Samples.of(directory)
    for why in _unknown(directory, sizes):
        raise _unread(directory, sizes, why)
    extra = sizes.count - COLORS[Photometric(sizes.photometric)]
    named = directory.numbers(338) if 338 in directory.entries else None  # noqa: PLR2004
    tiled = 322 in directory.entries  # noqa: PLR2004
    across, down = (*directory.numbers(530)[:2], 2, 2)[:2]
    packing = Packing(sizes.packing)
    layout = Layout(
        directory=directory,
        width_px=width_px,
        height_px=height_px,
        photometric=Photometric(sizes.photometric),
        bits=sizes.bits,
        samples=sizes.count,
        extra=None if named is None and extra else (*(named or ()), *(0,) * extra)[:extra],
        planar=sizes.planar,
        packing=packing,
        predicts=packing in _PREDICTED and number(317, 1) == 2,  # noqa: PLR2004
        low_bit_first=number(266, 1) == 2,  # noqa: PLR2004
        tiled=tiled,
        part_width_px=number(322, 0) if tiled else width_px,
        part_rows=number(323, 0) if tiled else min(number(278, height_px), height_px),
        subsampling=(across, down),
        orientation=number(274, 1),
    )
    if not layout.part_width_px or not layout.part_rows:
        raise broken("its strips or tiles have no pixels")
    for why in _incompatible(layout):
        raise _unread(directory, sizes, why)
    return layout


def _unread(directory: Directory, sizes: Samples, why: str) -> InvalidPhotoError:
    words = described(directory, sizes, COLORS)
    return InvalidPhotoError(f"the photo is a TIFF file of {words}; {why}", field=FIELD)


def _unknown(directory: Directory, sizes: Samples) -> Iterator[str]:
    """Yield which of a layout's properties is none of those that are read."""
    if sizes.photometric not in COLORS:
        yield f"{photometric_name(sizes.photometric)} is not read"
    if sizes.packing not in _KNOWN_PACKINGS:
        yield f"compression by {packing_name(sizes.packing)} is not read"
    if sizes.format_name:
        yield f"{sizes.format_name} samples are not read, since their range is not known"
    if len(set(directory.numbers(258)[: sizes.count])) > 1:
        yield "samples of different widths are not read"
    if not 1 <= sizes.bits <= _MOST_BITS and sizes.bits not in _WHOLE_BITS:
        yield f"samples of {sizes.bits} bits are not read; 1 to 16 and 32 bits are"
    least = COLORS[Photometric(sizes.photometric)]
    if not least <= sizes.count <= least + _MOST_EXTRA:
        yield f"{sizes.count} samples a pixel are not read"


def _incompatible(layout: Layout) -> Iterator[str]:
    """Yield what of a layout is not read though each of its properties is."""
    bits, photometric, packing = layout.bits, layout.photometric, layout.packing
    extra = layout.samples - layout.colors
    byte_samples = bits == _BYTE_BITS and not extra and not layout.planar
    if photometric is Photometric.PALETTE and bits > _BYTE_BITS:
        yield f"a palette of {bits} bits is not read; up to 8 are"
    if photometric is Photometric.CMYK and layout.directory.number(332, 1) != 1:
        yield "inks other than cyan, magenta, yellow and black are not read"
    if photometric is Photometric.YCBCR and not byte_samples:
        yield "of YCbCr, three samples of 8 bits in one plane are read"
    if photometric is Photometric.YCBCR and not set(layout.subsampling) <= _SUBSAMPLINGS:
        yield "subsampling of {} by {} is not read".format(*layout.subsampling)
    if photometric is Photometric.YCBCR and layout.predicts and layout.subsampling != (1, 1):
        yield "a predictor of subsampled YCbCr is not read"
    if photometric not in _WITH_PREMULTIPLIED and Extra.ASSOCIATED in (layout.extra or ()):
        yield "premultiplied alpha is read of RGB and of grey whose black is zero"
    if packing in FAXES and (bits, layout.samples) != (1, 1):
        yield "CCITT compression is read of one bit a pixel"
    if packing is Packing.JPEG and (not byte_samples or photometric is Photometric.PALETTE):
        yield "with JPEG compression, colours of 8 bits in one plane and no further sample are read"
    if layout.predicts and bits not in _WHOLE_BITS:
        yield f"a predictor is read for 8, 16 and 32 bits, not for {bits}"
