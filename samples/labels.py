"""Printed matter for the products: invented brands only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def print_label(
    size: tuple[int, int], paper: str, lines: Sequence[tuple[float, float, float, str, str]]
) -> NDArray[np.uint8]:
    """Paper with centred lines of text.

    Args:
        size: Width and height, px.
        paper: Colour, "#rrggbb".
        lines: Rows of the middle as shares of width and height, letter height as a share of the
            height, ink and text. An empty text draws a rule, as thick as its letter height.

    Returns:
        (H, W, 3) uint8, sRGB.

    Raises:
        ValueError: A text is not plain ASCII; Pillow's built-in font would print empty boxes.
    """
    width, height = size
    image = Image.new("RGB", size, paper)
    draw = ImageDraw.Draw(image)
    for x, y, share, ink, text in lines:
        middle = (x * width, y * height)
        if not text.isascii():
            raise ValueError(f"the label's font cannot print {text!r}")
        if text:
            font = ImageFont.load_default(size=share * height)
            draw.text(middle, text, fill=ink, font=font, anchor="mm")
        else:
            half, thick = 0.12 * width, share * height / 2
            left, upper = middle[0] - half, middle[1] - thick
            draw.rectangle((left, upper, middle[0] + half, middle[1] + thick), fill=ink)
    return np.asarray(image, dtype=np.uint8)
