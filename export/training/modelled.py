"""Chooses the objects of a folder of emoji in 3D: what could be a product or stand for one.

Files are named by code points, ``1f697.webp`` or ``2693-fe0f.webp``; those of several code points
are flags, keycaps and variants of skin.
"""

from pathlib import Path
from typing import Final

from export.errors import PicturesError

VARIATION: Final = "fe0f"  # drawn in colours; no code point of its own
NO_OBJECTS: Final = (
    range(0x1F600, 0x1F650),  # faces
    range(0x1F910, 0x1F930),  # faces and hands
    range(0x1F440, 0x1F451),  # eyes, ears and hands
    range(0x2190, 0x2300),  # arrows
    range(0x1F500, 0x1F53E),  # signs
    range(0x1F170, 0x1F252),  # signs
    range(0x2648, 0x2654),  # signs of the zodiac
)


def modelled_objects(folder: Path) -> list[Path]:
    """List the pictures of objects in a folder, by name.

    Raises:
        PicturesError: there is none.
    """
    found = [path for path in sorted(folder.glob("*.webp")) if _is_object(path.stem)]
    if not found:
        raise PicturesError(f"{folder} holds no objects named by code points, as 1f697.webp")
    return found


def _is_object(stem: str) -> bool:
    try:
        points = [int(part, 16) for part in stem.split("-") if part != VARIATION]
    except ValueError:
        return False
    return len(points) == 1 and not any(points[0] in span for span in NO_OBJECTS)
