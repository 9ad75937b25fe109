"""The words for how a TIFF file is laid out, of those layouts too that are not read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from imaging.decode.tiff.directory import Directory

_PHOTOMETRICS: Final = {
    0: "grey, white is zero,",
    1: "grey",
    2: "RGB",
    3: "palette colours",
    4: "a stencil",
    5: "CMYK",
    6: "YCbCr",
    8: "CIE L*a*b*",
    9: "ICC L*a*b*",
    10: "ITU L*a*b*",
    32803: "a camera's raw mosaic",
    34892: "a camera's raw colours",
    32844: "LogL",
    32845: "LogLuv",
}
_PACKINGS: Final = {
    1: "not compressed",
    2: "CCITT run lengths",
    3: "CCITT fax 3",
    4: "CCITT fax 4",
    5: "LZW",
    6: "old-style JPEG",
    7: "JPEG",
    8: "deflate",
    32946: "deflate",
    32766: "NeXT run lengths",
    32773: "PackBits",
    32809: "ThunderScan",
    32909: "PixarLog",
    34661: "JBIG",
    34676: "SGI Log",
    34677: "SGI Log",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossy JPEG",
    34925: "LZMA",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_EXTRAS: Final = {
    0: "a sample of no stated meaning", 1: "premultiplied alpha", 2: "alpha", 999: "alpha"
}  # fmt: skip
_FORMATS: Final = {2: "signed", 3: "floating-point", 4: "", 5: "complex", 6: "complex"}
_UNSIGNED: Final = {1, 4}
_JPEG: Final = 7
_RGB, _YCBCR = 2, 6
_COLORS: Final = 3


@dataclass(frozen=True, slots=True)
class Samples:
    """A pixel's samples as the file states them, whether they are read or not.

    Attributes:
        count: How many there are.
        bits: Of the first.
        photometric: The number of what they mean.
        packing: The number of how they are packed.
        planar: Whether each has a plane of its own.
        format_name: "signed", "floating-point" or the like; empty for plain whole numbers.
    """

    count: int
    bits: int
    photometric: int
    packing: int
    planar: bool
    format_name: str

    @classmethod
    def of(cls, directory: Directory) -> "Samples":
        """Read what a directory states, with what is usual where it does not."""
        number = directory.number
        packing = number(259, 1)
        in_jpeg = packing == _JPEG and number(262, 0) in (_RGB, _YCBCR)
        count = number(277, _COLORS if in_jpeg else 1)
        odd = [each for each in directory.numbers(339) if each not in _UNSIGNED]
        return cls(
            count=count,
            bits=number(258, 1),
            photometric=number(262, _RGB if count >= _COLORS else 1),
            packing=packing,
            planar=number(284, 1) == 2 and count > 1,  # noqa: PLR2004
            format_name=_FORMATS.get(odd[0], "unknown") if odd else "",
        )


def photometric_name(number: int) -> str:
    """Return the words for what samples mean."""
    return _PHOTOMETRICS.get(number, f"colours {number}").rstrip(",")


def packing_name(number: int) -> str:
    """Return the words for how samples are packed."""
    return _PACKINGS.get(number, f"method {number}")


def described(directory: Directory, sizes: Samples, colors: Mapping[int, int]) -> str:
    """Return a layout in words, such as "16-bit RGB with alpha, in planes, LZW, big-endian".

    Args:
        directory: The tags.
        sizes: The samples.
        colors: How many samples of each meaning are colours.
    """
    extra = max(sizes.count - colors.get(sizes.photometric, sizes.count), 0)
    named = directory.numbers(338)[:extra]
    beside = [_EXTRAS.get(each, "a further sample") for each in named]
    if extra > len(beside):
        beside.append(f"{extra - len(beside)} further of {sizes.count} samples")
    kind = f"{sizes.format_name} " if sizes.format_name else ""
    name = _PHOTOMETRICS.get(sizes.photometric, f"colours {sizes.photometric}")
    parts = (
        f"{sizes.bits}-bit {kind}{name}" + (f" with {' and '.join(beside[:3])}" if beside else ""),
        "in planes" if sizes.planar else "",
        packing_name(sizes.packing),
        "big-endian" if directory.order == ">" else "little-endian",
        "BigTIFF" if directory.big else "",
    )
    return ", ".join(part.rstrip(",") for part in parts if part)
