"""A TIFF file's samples, whatever their width and order, as 8 bits each."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from imaging.decode.tiff.layout import Layout, Photometric
from imaging.decode.tiff.unpack import parts_of, unpacked
from imaging.types import Pixels

# What is unpacked at once, unless a single strip is larger.
_BAND_BYTES: Final = 2**24
_BYTE_BITS: Final = 8
_WHOLE_BITS: Final = {8, 16, 32}


def read_samples(layout: Layout, wanted: Sequence[int]) -> Pixels:
    """Read samples of a picture.

    Args:
        layout: The file's layout, of any packing but JPEG's and the faxes', not subsampled.
        wanted: Which samples of each pixel.

    Returns:
        (H, W, len(wanted)) uint8: 0 to 255, whatever range they have in the file; of a palette, the
        indices.

    Raises:
        InvalidPhotoError: Bytes are missing.
        OSError: They are broken.
    """
    out = np.empty((layout.height_px, layout.width_px, len(wanted)), np.uint8)
    parts = parts_of(layout)
    if not layout.planar:
        _read_plane(layout, parts, layout.samples, wanted, out)
        return out
    per_plane = len(parts) // layout.samples
    for n, sample in enumerate(wanted):
        plane = parts[sample * per_plane : (sample + 1) * per_plane]
        _read_plane(layout, plane, 1, (0,), out[:, :, n : n + 1])
    return out


def read_subsampled(layout: Layout) -> Pixels:
    """Read YCbCr of which some pixels share their chroma.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InvalidPhotoError: Bytes are missing.
        OSError: They are broken.
    """
    across, down = layout.subsampling
    columns, rows = -(-layout.part_width_px // across), -(-layout.part_rows // down)
    luma_bytes = across * down
    lines = -(-layout.height_px // down)
    height = layout.parts_down * rows if layout.tiled else lines
    row_bytes = columns * (luma_bytes + 2)
    blocks = list(unpacked(layout, parts_of(layout), row_bytes, rows, height))
    units = np.concatenate(blocks).reshape(height, -1, luma_bytes + 2)
    luma = units[..., :luma_bytes].reshape(height, -1, down, across).transpose(0, 2, 1, 3)
    chroma = units[..., luma_bytes:].repeat(down, axis=0).repeat(across, axis=1)
    whole = np.concatenate((luma.reshape(*chroma.shape[:2], 1), chroma), axis=2)
    return np.ascontiguousarray(whole[: layout.height_px, : layout.width_px])


def _read_plane(
    layout: Layout, parts: Sequence[memoryview], samples: int, wanted: Sequence[int], out: Pixels
) -> None:
    """Read a plane into an array, some rows of parts at a time."""
    across, rows = layout.parts_across, layout.part_rows
    row_bytes = -(-layout.part_width_px * samples * layout.bits // 8)
    step = max(_BAND_BYTES // (row_bytes * across * rows), 1)
    for first in range(0, layout.parts_down, step):
        band = parts[first * across : (first + step) * across]
        top = first * rows
        height = len(band) // across * rows
        if not layout.tiled:
            height = min(height, layout.height_px - top)
        y = top
        for lines in unpacked(layout, band, row_bytes, rows, height):
            values = _values(lines[: layout.height_px - y], layout, samples)
            rows_out = out[y : y + len(values)]
            for n, run in _runs(wanted):
                rows_out[..., n : n + run.stop - run.start] = values[:, : layout.width_px, run]
            y += len(values)


def _runs(wanted: Sequence[int]) -> Iterator[tuple[int, slice]]:
    """Yield samples that follow each other, and their place: slices are copied much faster."""
    start = 0
    for n in range(1, len(wanted) + 1):
        if n == len(wanted) or wanted[n] != wanted[n - 1] + 1:
            yield start, slice(wanted[start], wanted[n - 1] + 1)
            start = n


def _values(lines: Pixels, layout: Layout, samples: int) -> Pixels:
    """Return lines of (rows, parts across, bytes) as (rows, width and filling, samples) uint8."""
    whole = _whole if layout.bits in _WHOLE_BITS else _unpacked_bits
    values = whole(lines, layout, samples)
    return values.reshape(len(lines), -1, samples)


def _whole(lines: Pixels, layout: Layout, samples: int) -> Pixels:
    """Return samples of whole bytes; of more than one the highest is kept."""
    words = lines.view(f"{layout.directory.order}u{layout.bits // 8}")
    if layout.predicts:
        words = words.reshape(*lines.shape[:2], layout.part_width_px, samples)
        words = np.add.accumulate(words, axis=2, dtype=f"u{layout.bits // 8}")
    if layout.bits > _BYTE_BITS:
        words = words >> (layout.bits - _BYTE_BITS)
    return words.astype(np.uint8, copy=False)


def _unpacked_bits(lines: Pixels, layout: Layout, samples: int) -> Pixels:
    """Return samples that do not end with a byte: of 9 bits and more the highest 8, as of 16."""
    bits = layout.bits
    count = layout.part_width_px * samples
    singly = np.unpackbits(lines, axis=2)[:, :, : count * bits]
    singly = singly.reshape(*lines.shape[:2], count, bits)
    whole = np.zeros(singly.shape[:-1], np.uint16)
    for bit in range(bits):
        np.left_shift(whole, 1, out=whole)
        np.bitwise_or(whole, singly[..., bit], out=whole)
    if bits > _BYTE_BITS:
        return (whole >> (bits - _BYTE_BITS)).astype(np.uint8)
    return (
        whole.astype(np.uint8)
        if layout.photometric is Photometric.PALETTE
        else _levels(bits)[whole]
    )


def _levels(bits: int) -> Pixels:
    most = 2**bits - 1
    return np.asarray((np.arange(2**bits) * 255 / most).round(), np.uint8)
