"""Photos for a drill: those that there are, in many sizes, each of its own bytes."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps

# Of a drill's photos, these have no packshot.
BROKEN = "broken.jpg"


def make_photos(folder: Path, count: int, sources: Sequence[Path], side_px: int) -> None:
    """Make photos, and one file that is none.

    Args:
        folder: Where they go.
        count: How many, the broken one included.
        sources: What they are made from.
        side_px: Their longest side at most; the shortest has three quarters of it.
    """
    originals = []
    for source in sources:
        with Image.open(source) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            originals.append(ImageOps.contain(upright, (side_px, side_px)))
    for number in range(count - 1):
        original = originals[number % len(originals)]
        share = 0.75 + 0.25 * (number % 97) / 96
        size = max(64, int(original.width * share)), max(64, int(original.height * share))
        # Folders of a hundred, so that listing and outputs meet folders in folders.
        path = folder / f"{number // 100:03d}" / f"photo {number:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        sink = io.BytesIO()
        # The comment keeps photos of one original and size apart.
        original.resize(size).save(sink, "JPEG", quality=88, comment=str(number).encode())
        path.write_bytes(sink.getvalue())
    (folder / BROKEN).write_bytes(b"no picture at all")
