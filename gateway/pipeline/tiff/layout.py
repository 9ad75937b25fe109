"""How a TIFF file's samples are laid out, and which layouts are read: all others are named."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from gateway.errors import InvalidPhotoError
from gateway.pipeline.limits import FIELD
from gateway.pipeline.tiff.directory import Directory, broken


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


COLORS: Final = {
    Photometric.WHITE_IS_ZERO: 1,
    Photometric.BLACK_IS_ZERO: 1,
    Photometric.RGB: 3,
    Photometric.PALETTE: 1,
    Photometric.CMYK: 4,
    Photometric.YCBCR: 3,
}
_PHOTOMETRICS: Final = {
    **{0: "grey, white is zero,", 1: "grey", 2: "RGB", 3: "palette colours", 4: "a stencil"},
    **{5: "CMYK", 6: "YCbCr", 8: "CIE L*a*b*", 9: "ICC L*a*b*", 10: "ITU L*a*b*"},
    **{32803: "a camera's raw mosaic", 34892: "a camera's raw colours"},
    **{32844: "LogL", 32845: "LogLuv"},
}
_PACKINGS: Final = {
    **{1: "not compressed", 2: "CCITT run lengths", 3: "CCITT fax 3", 4: "CCITT fax 4"},
    **{5: "LZW", 6: "old-style JPEG", 7: "JPEG", 8: "deflate", 32946: "deflate"},
    **{32766: "NeXT run lengths", 32773: "PackBits", 32809: "ThunderScan", 32909: "PixarLog"},
    **{34661: "JBIG", 34676: "SGI Log", 34677: "SGI Log", 34712: "JPEG 2000", 34887: "LERC"},
    **{34892: "lossy JPEG", 34925: "LZMA", 50000: "Zstandard", 50001: "WebP"},
    **{50002: "JPEG XL", 52546: "JPEG XL"},
}
_EXTRAS: Final = {
    0: "a sample of no stated meaning", 1: "premultiplied alpha", 2: "alpha", 999: "alpha"
}  # fmt: skip
_FORMATS: Final = {2: "signed", 3: "floating-point", 4: "", 5: "complex", 6: "complex"}
_PREDICTED: Final = {Packing.LZW, Packing.DEFLATE, Packing.OLD_DEFLATE, Packing.ZSTD}
_FAX: Final = {Packing.CCITT_RLE, Packing.CCITT_FAX3, Packing.CCITT_FAX4}
_MOST_BITS: Final = 16
_BYTE_BITS: Final = 8
_WHOLE_BITS: Final = {8, 16, 32}
_MOST_EXTRA: Final = 8
_UNSIGNED: Final = {1, 4}
_SUBSAMPLINGS: Final = {1, 2, 4}
# Rec. 601, in thousandths, as all but a few files have it.
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
    packing = number(259, 1)
    samples = number(277, 3 if packing == Packing.JPEG and number(262, 0) in (2, 6) else 1)
    photometric = number(262, 2 if samples >= COLORS[Photometric.RGB] else 1)
    bits = directory.numbers(258) or (1,)
    formats = directory.numbers(339) or (1,)
    named = directory.numbers(338) if 338 in directory.entries else None  # noqa: PLR2004
    extra = samples - COLORS.get(photometric, samples)  # type: ignore[call-overload]
    tiled = 322 in directory.entries  # noqa: PLR2004
    across, down = (*directory.numbers(530)[:2], 2, 2)[:2]
    planar = number(284, 1) == 2 and samples > 1  # noqa: PLR2004
    words = _described(directory, samples, photometric, packing, planar=planar)

    def unread(what: str) -> InvalidPhotoError:
        return InvalidPhotoError(f"the photo is a TIFF file of {words}; {what}", field=FIELD)

    if photometric not in COLORS:
        raise unread(f"{_named(_PHOTOMETRICS, photometric, 'colours')} is not read")
    if packing not in iter(Packing):
        raise unread(f"compression by {_named(_PACKINGS, packing, 'method')} is not read")
    if any(each not in _UNSIGNED for each in formats):
        kind = next(_FORMATS.get(each, "unknown") for each in formats if each not in _UNSIGNED)
        raise unread(f"{kind} samples are not read, since their range is not known")
    if len(set(bits[:samples])) != 1:
        raise unread("samples of different widths are not read")
    if not 1 <= bits[0] <= _MOST_BITS and bits[0] not in _WHOLE_BITS:
        raise unread(f"samples of {bits[0]} bits are not read; 1 to 16 and 32 bits are")
    if not 0 <= extra <= _MOST_EXTRA:
        raise unread(f"{samples} samples a pixel are not read")
    layout = Layout(
        directory=directory,
        width_px=width_px,
        height_px=height_px,
        photometric=Photometric(photometric),
        bits=bits[0],
        samples=samples,
        extra=None if named is None and extra else ((*named, *(0,) * extra) if named else (0,) * extra)[:extra],
        planar=planar,
        packing=Packing(packing),
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
    if (why := _unread(layout, directory)) is not None:
        raise unread(why)
    return layout


def _unread(layout: Layout, directory: Directory) -> str | None:
    """Tell what of a layout is not read though each of its properties is, if anything."""
    bits, photometric, packing = layout.bits, layout.photometric, layout.packing
    extra = layout.samples - layout.colors
    premultiplied = bool(layout.extra) and Extra.ASSOCIATED in layout.extra
    match photometric:
        case Photometric.PALETTE if bits > _BYTE_BITS:
            return f"a palette of {bits} bits is not read; up to 8 are"
        case Photometric.CMYK if directory.number(332, 1) != 1:
            return "inks other than cyan, magenta, yellow and black are not read"
        case Photometric.YCBCR if bits != _BYTE_BITS or extra or layout.planar:
            return "of YCbCr, only three samples of 8 bits in one plane are read"
        case Photometric.YCBCR if not set(layout.subsampling) <= _SUBSAMPLINGS:
            return "subsampling of {} by {} is not read".format(*layout.subsampling)
        case _:
            pass
    if photometric not in (Photometric.RGB, Photometric.BLACK_IS_ZERO) and premultiplied:
        return "premultiplied alpha is read of RGB and of grey whose black is zero alone"
    if packing in _FAX and (bits, layout.samples) != (1, 1):
        return "CCITT compression is of one bit a pixel"
    if packing is Packing.JPEG and (bits != _BYTE_BITS or extra or layout.planar):
        return "with JPEG compression, 8 bits in one plane and no further sample are read"
    if packing is Packing.JPEG and photometric is Photometric.PALETTE:
        return "a palette with JPEG compression is not read"
    if layout.predicts and bits not in _WHOLE_BITS:
        return f"a predictor is read for 8, 16 and 32 bits, not for {bits}"
    return None


def _described(
    directory: Directory, samples: int, photometric: int, packing: int, *, planar: bool
) -> str:
    """Return a layout in words, such as "16-bit RGB with alpha, in planes, LZW"."""
    bits = directory.number(258, 1)
    kind = _FORMATS.get(directory.number(339, 1), "")
    colors = _named(_PHOTOMETRICS, photometric, "colours")
    extra = samples - COLORS.get(photometric, samples)  # type: ignore[call-overload]
    named = directory.numbers(338)
    beside = [_EXTRAS.get(each, "a further sample") for each in named[: max(extra, 0)]]
    if extra > len(beside):
        beside.append(f"{extra - len(beside)} further of {samples} samples")
    parts = (
        f"{bits}-bit {kind} {colors}".replace("  ", " ")
        + (f" with {' and '.join(beside[:3])}" if beside else ""),
        "in planes" if planar else "",
        _named(_PACKINGS, packing, "compression"),
        "big-endian" if directory.order == ">" else "little-endian",
        "BigTIFF" if directory.big else "",
    )
    return ", ".join(filter(None, parts)).replace(",,", ",")


def _named(names: dict[int, str], number: int, what: str) -> str:
    return names.get(number, f"{what} {number}")
