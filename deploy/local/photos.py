"""The photos of a folder, for the commands that render them all."""

from pathlib import Path

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def photos_in(folder: Path) -> list[Path]:
    """Find the photos of a folder; reference mattes, `NAME.matte.png`, are left out."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in _SUFFIXES and not path.stem.endswith(".matte")
    ]
