"""JPEG files' pixels by libjpeg-turbo's own interface: the same values, in a fraction of the time.

Pillow hands a file to the same library in pieces, and copies its rows twice. Usual files take the
short way: those of 8 bits, grey or in the colours of JFIF or Adobe, and without a fault. Whatever
the library only warns of makes it refuse the file here, and Pillow has the last word on it.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import cv2
import numpy as np
import simplejpeg
from PIL.JpegImagePlugin import JpegImageFile

from imaging.types import Pixels

# Gives room for so many bytes, (n,) uint8, which the photo's pixels then lie in.
Room: TypeAlias = Callable[[int], Pixels]

_COLORSPACES: Final = {"RGB": "RGB", "L": "GRAY"}
# The eight ways that a photo is turned (`imaging.decode.orientation`).
_TURNS: Final[dict[int, Callable[[Pixels, Pixels], object]]] = {
    2: lambda pixels, to: cv2.flip(pixels, 1, to),
    3: lambda pixels, to: cv2.rotate(pixels, cv2.ROTATE_180, to),
    4: lambda pixels, to: cv2.flip(pixels, 0, to),
    5: cv2.transpose,
    6: lambda pixels, to: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE, to),
    7: lambda pixels, to: cv2.flip(cv2.transpose(pixels), -1, to),
    8: lambda pixels, to: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE, to),
}
# Those that exchange width and height.
_LYING: Final = {5, 6, 7, 8}


def new_room(size_bytes: int) -> Pixels:
    """Give room of its own."""
    return np.empty(size_bytes, np.uint8)


def decode_quickly(
    image: JpegImageFile,
    data: bytes,
    orientation: int,
    room: Room,
    least_px: tuple[int, int] | None = None,
) -> Pixels | None:
    """Decode a JPEG file and turn it upright.

    Args:
        image: The opened file, whose header has passed every check.
        data: The file.
        orientation: How it is turned, 1 to 8 as EXIF has it.
        room: Gives the room that the result lies in.
        least_px: Decode to the smallest eighths of the size that have at least this width and
            height, upright, in a fraction of the time; None: to the full size.

    Returns:
        (H, W, 3) uint8 in the file's own RGB, or (H, W) of a grey file; None where it takes Pillow.
    """
    colorspace = _COLORSPACES.get(image.mode)
    if colorspace is None:
        return None
    is_turned, is_lying = orientation in _TURNS, orientation in _LYING
    full = (image.height, image.width, len(image.getbands()))
    least = least_px or (0, 0)
    shape = _scaled(full, *(least if is_lying else least[::-1])) if least_px else full
    size_bytes = shape[0] * shape[1] * shape[2]
    into = np.empty(size_bytes, np.uint8) if is_turned else room(size_bytes)
    try:
        decoded = simplejpeg.decode_jpeg(
            data, colorspace, min_height=shape[0], min_width=shape[1], buffer=into
        )
    except ValueError:
        return None
    if decoded.shape != shape:
        return None
    pixels: Pixels = decoded if shape[2] > 1 else decoded[:, :, 0]
    if not is_turned:
        return pixels
    turned_shape = (shape[1], shape[0], *pixels.shape[2:]) if is_lying else pixels.shape
    turned = room(size_bytes).reshape(turned_shape)
    _TURNS[orientation](pixels, turned)
    return turned


def _scaled(
    shape: tuple[int, int, int], least_height_px: int, least_width_px: int
) -> tuple[int, int, int]:
    """Return the smallest shape of those that the library can decode to."""
    height_px, width_px, channels = shape
    for eighths in range(1, 8):
        # As libjpeg rounds.
        scaled = -(-height_px * eighths // 8), -(-width_px * eighths // 8)
        if scaled[0] >= least_height_px and scaled[1] >= least_width_px:
            return (*scaled, channels)
    return shape
