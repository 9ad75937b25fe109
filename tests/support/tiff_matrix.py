"""A matrix of TIFF layouts: every way of laying samples out with every other that it goes with."""

from collections.abc import Iterator
from itertools import cycle, product
from typing import Final

import numpy as np

from tests.support.tiffs import (
    ASSOCIATED,
    BLACK_IS_ZERO,
    CMYK,
    DEFLATE,
    FLOAT,
    JPEG,
    LAB,
    LZW,
    NONE,
    OLD_DEFLATE,
    PACKBITS,
    PALETTE,
    RGB,
    SIGNED,
    UNASSOCIATED,
    UNSIGNED,
    UNSPECIFIED,
    WHITE_IS_ZERO,
    YCBCR,
    Floats,
    Layout,
    Samples,
    palette,
)

WIDTH_PX, HEIGHT_PX = 45, 37
# Colours and bits that go together.
_KINDS: Final = (
    *((photometric, bits) for photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO)
      for bits in (1, 2, 4, 8, 12, 16, 32)),
    *((RGB, bits) for bits in (2, 4, 8, 12, 16, 32)),
    *((CMYK, bits) for bits in (8, 16)),
    *((PALETTE, bits) for bits in (1, 2, 4, 8)),
    *((LAB, bits) for bits in (8, 16)),
    (YCBCR, 8),
)  # fmt: skip
_EXTRAS: Final = (
    (), (UNSPECIFIED,), (ASSOCIATED,), (UNASSOCIATED,), (UNASSOCIATED, UNSPECIFIED),
)  # fmt: skip
# Planar, side of a tile, rows of a strip.
_GRIDS: Final = ((False, 0, 0), (False, 0, 7), (False, 16, 0), (True, 0, 0), (True, 0, 7),
                 (True, 16, 0))  # fmt: skip
# Compression and predictor.
_PACKINGS: Final = ((NONE, 1), (LZW, 1), (LZW, 2), (DEFLATE, 1), (DEFLATE, 2), (OLD_DEFLATE, 1),
                    (PACKBITS, 1), (JPEG, 1))  # fmt: skip
# Byte order, BigTIFF.
_FILES: Final = (("II", False), ("MM", False), ("II", True), ("MM", True))


def layouts(*, every_file: bool = False) -> Iterator[Layout]:
    """Yield every layout of the matrix.

    Args:
        every_file: Whether each comes in all byte orders and widths of offsets (15 000); otherwise
            they take turns.
    """
    turns = cycle(_FILES)
    for (photometric, bits), extra, (planar, tile, rows), (compression, predictor) in product(
        _KINDS, _EXTRAS, _GRIDS, _PACKINGS
    ):
        if planar and len(extra) + (photometric in (RGB, CMYK, LAB, YCBCR)) == 0:
            continue  # one plane is what chunky is
        if predictor == 2 and bits % 8:
            continue  # the specification has it for whole bytes
        if compression == JPEG and (
            bits != 8 or extra or photometric in (PALETTE, LAB) or planar or tile
        ):
            continue
        if bits < 8 and extra and photometric != RGB:
            continue  # nobody writes a grey value of two bits with an alpha of two
        for order, big in _FILES if every_file else (next(turns),):
            yield Layout(
                photometric, bits, extra, planar=planar, tile_px=tile, strip_rows=rows,
                compression=compression, predictor=predictor, order=order, big=big,
            )  # fmt: skip
    yield from _odd_ones()


def _odd_ones() -> Iterator[Layout]:
    for order in ("II", "MM"):
        for bits, kind in product((16, 32, 64), (SIGNED, FLOAT)):
            for photometric in (BLACK_IS_ZERO, RGB):
                if (bits, kind) != (64, SIGNED):
                    yield Layout(photometric, bits, sample_format=kind, order=order)
        yield Layout(RGB, 32, sample_format=FLOAT, compression=DEFLATE, predictor=3, order=order)
        for bits, planar, compression in product((8, 16), (False, True), (NONE, LZW)):
            # Four samples of RGB, and nothing said of the fourth.
            yield Layout(
                RGB, bits, (UNASSOCIATED,), names_extra=False, planar=planar,
                compression=compression, order=order,
            )  # fmt: skip
        for photometric, bits in ((BLACK_IS_ZERO, 1), (WHITE_IS_ZERO, 1), (BLACK_IS_ZERO, 4),
                                  (BLACK_IS_ZERO, 8), (RGB, 8), (PALETTE, 4)):  # fmt: skip
            for compression in (NONE, LZW):
                yield Layout(
                    photometric, bits, low_bit_first=True, compression=compression, order=order
                )
        for subsampling, compression in product(((2, 1), (2, 2)), (NONE, LZW, JPEG)):
            yield Layout(YCBCR, 8, subsampling=subsampling, compression=compression, order=order)
        # Four strips of which the last is short, in planes that do not end with a strip.
        yield Layout(RGB, 16, planar=True, strip_rows=10, order=order, compression=DEFLATE)


def name_of(layout: Layout) -> str:
    """Return a test's name for a layout."""
    colors = {
        WHITE_IS_ZERO: "white0",
        BLACK_IS_ZERO: "grey",
        RGB: "rgb",
        PALETTE: "palette",
        CMYK: "cmyk",
        YCBCR: "ycbcr",
        LAB: "lab",
    }
    packing = {
        NONE: "none",
        LZW: "lzw",
        JPEG: "jpeg",
        DEFLATE: "deflate",
        PACKBITS: "packbits",
        OLD_DEFLATE: "olddeflate",
    }
    kind = {UNSIGNED: "", SIGNED: "signed", FLOAT: "float"}[layout.sample_format]
    parts = (
        f"{colors[layout.photometric]}{layout.bits}{kind}",
        "extra" + "".join(map(str, layout.extra)) if layout.extra else "",
        "" if layout.names_extra else "unnamed",
        "planar" if layout.planar else "",
        f"tiles{layout.tile_px}" if layout.tile_px else "",
        f"strips{layout.strip_rows}" if layout.strip_rows else "",
        packing[layout.compression],
        f"predictor{layout.predictor}" if layout.predictor != 1 else "",
        layout.order.lower(),
        "big" if layout.big else "",
        "lowbits" if layout.low_bit_first else "",
        "{}x{}".format(*layout.subsampling) if layout.subsampling != (1, 1) else "",
    )
    return "-".join(filter(None, parts))


def picture() -> Floats:
    """Return (H, W, 4) of 0 to 1: smooth, and different whichever way it is read wrongly."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX] / (HEIGHT_PX, WIDTH_PX)[0]
    x = x * HEIGHT_PX / WIDTH_PX
    red, green, blue = 0.15 + 0.8 * x, 0.9 - 0.7 * y, 0.1 + 0.5 * (x + y) / 2
    alpha = np.clip(1.6 - 1.8 * np.hypot(x - 0.5, y - 0.6), 0.2, 1)
    return np.stack((red, green, blue, alpha), axis=2)


def samples_of(layout: Layout) -> Samples:
    """Return the (H, W, S) samples of the picture in a layout."""
    rgba = picture()
    rgb, alpha = rgba[..., :3], rgba[..., 3:]
    if ASSOCIATED in layout.extra:
        rgb = rgb * alpha
    match layout.photometric:
        case 0:
            colors = 1 - rgb[..., 1:2]
        case 1 | 3:
            colors = rgb[..., 1:2]
        case 5:
            colors = _inks(rgb)
            if ASSOCIATED in layout.extra:
                colors = _inks(rgba[..., :3]) * alpha
        case 6:
            colors = _luma_chroma(rgb)
        case _:
            colors = rgb
    extra = [alpha if kind in (ASSOCIATED, UNASSOCIATED) else 0.4 * alpha for kind in layout.extra]
    every = np.concatenate((colors, *extra), axis=2)
    if layout.sample_format == FLOAT:
        return every
    return np.asarray((every * (2**layout.bits - 1)).round(), np.int64)


def shown_by(layout: Layout) -> Floats | None:
    """Return (H, W, 4) of 0 to 255, premultiplied: what a file of `samples_of` shows.

    None: what the samples stand for is for no reader to know.
    """
    if layout.sample_format != UNSIGNED or layout.photometric == LAB:
        return None
    values = samples_of(layout) / (2**layout.bits - 1)
    count = values.shape[2] - len(layout.extra)
    colors, extra = values[..., :count], values[..., count:]
    alpha = np.ones((*values.shape[:2], 1))
    associated = False
    for n, kind in enumerate(layout.extra):
        if kind in (ASSOCIATED, UNASSOCIATED):
            alpha, associated = extra[..., [n]], kind == ASSOCIATED
            break
    match layout.photometric:
        case 0:
            # Premultiplied is what is stored: black ink on what does not show.
            colors = alpha - colors if associated else 1 - colors
        case 3:
            index = (colors[..., 0] * (2**layout.bits - 1)).round().astype(int)
            colors = palette(layout.bits)[index] / 65535
        case 5:
            inks = colors / alpha if associated else colors
            colors = (1 - inks[..., :3]) * (1 - inks[..., 3:])
            associated = False
        case 6:
            colors = _from_luma_chroma(colors)
        case _:
            pass
    if colors.shape[2] == 1:
        colors = colors.repeat(3, axis=2)
    premultiplied = colors if associated else colors * alpha
    return 255 * np.concatenate((premultiplied.clip(0, 1), alpha), axis=2)


def _inks(rgb: Floats) -> Floats:
    black = 0.5 * (1 - rgb.max(axis=2, keepdims=True))
    return np.concatenate((1 - rgb / (1 - black), black), axis=2).clip(0, 1)


_KR, _KB = 0.299, 0.114


def _luma_chroma(rgb: Floats) -> Floats:
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    luma = _KR * red + (1 - _KR - _KB) * green + _KB * blue
    chroma = [(c - luma) / (2 * (1 - k)) + 128 / 255 for c, k in ((blue, _KB), (red, _KR))]
    return np.stack((luma, *chroma), axis=2)


def _from_luma_chroma(values: Floats) -> Floats:
    luma, cb, cr = values[..., 0], values[..., 1] - 128 / 255, values[..., 2] - 128 / 255
    red, blue = luma + 2 * (1 - _KR) * cr, luma + 2 * (1 - _KB) * cb
    green = (luma - _KR * red - _KB * blue) / (1 - _KR - _KB)
    return np.stack((red, green, blue), axis=2).clip(0, 1)
