"""Small pictures of photos and packshots, for a page and a contact sheet."""

import base64
import io

from PIL import Image, ImageOps

_PAPER = (214, 217, 222)


def thumbnail(data: bytes, side_px: int) -> Image.Image:
    """Return a picture made small, upright, on grey where it is transparent.

    Args:
        data: Its file.
        side_px: The longest side that it may have.

    Raises:
        OSError: It is no picture.
    """
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (2 * side_px, 2 * side_px))
        small = ImageOps.contain(ImageOps.exif_transpose(image), (side_px, side_px))
    paper = Image.new("RGB", small.size, _PAPER)
    rgba = small.convert("RGBA")
    paper.paste(rgba, mask=rgba.getchannel("A"))
    return paper


def data_url(data: bytes, side_px: int) -> str:
    """Return a small picture as a `data:` URL, a JPEG.

    Raises:
        OSError: It is no picture.
    """
    sink = io.BytesIO()
    thumbnail(data, side_px).save(sink, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(sink.getvalue()).decode()
