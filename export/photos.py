"""Photos with reference mattes, as models are judged by: ``NAME.jpg`` beside ``NAME.matte.png``."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from export.errors import PicturesError

SUFFIX = ".matte.png"


@dataclass(frozen=True)
class Photo:
    """A photo at a model's input size: squashed to the square, as the gateway does.

    ``rgb``: (S, S, 3) uint8; ``reference``: (S, S) float32 in [0, 1].
    """

    name: str
    rgb: NDArray[np.uint8]
    reference: NDArray[np.float32]


def read_photos(folder: Path, side: int) -> list[Photo]:
    """Read every photo of a folder that has a reference matte.

    Raises:
        PicturesError: there is none, a matte lacks its photo, or a file is no picture.
    """
    mattes = sorted(folder.glob(f"*{SUFFIX}"))
    if not mattes:
        raise PicturesError(f"{folder} holds no NAME{SUFFIX}")
    return [_read(matte, side) for matte in mattes]


def _read(matte: Path, side: int) -> Photo:
    name = matte.name.removesuffix(SUFFIX)
    beside = [matte.with_name(name + ending) for ending in (".jpg", ".png", ".webp")]
    path = next((photo for photo in beside if photo.exists()), None)
    if path is None:
        raise PicturesError(f"{matte} has no photo beside it")
    try:
        with Image.open(matte) as image:
            reference = squash_matte(image, side)
    except (OSError, ValueError) as exc:
        raise PicturesError(f"{matte} cannot be read: {exc}") from exc
    return Photo(name, _squash(path, side), reference)


def squash_matte(image: Image.Image, side: int) -> NDArray[np.float32]:
    """Squash a matte to (side, side) float32 in [0, 1]."""
    resized = image.convert("L").resize((side, side), Image.Resampling.BOX)
    return np.asarray(resized, np.float32) / 255.0


def squash_photo(image: Image.Image, side: int) -> NDArray[np.uint8]:
    """Set a photo upright and squash it to (side, side, 3) uint8."""
    rgb = ImageOps.exif_transpose(image).convert("RGB")
    return np.asarray(rgb.resize((side, side), Image.Resampling.LANCZOS))


def _squash(path: Path, side: int) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return squash_photo(image, side)
    except (OSError, ValueError) as exc:
        raise PicturesError(f"{path} cannot be read: {exc}") from exc


def read_pixels(folder: Path, side: int) -> list[NDArray[np.uint8]]:
    """Read every picture of a folder but mattes, squashed to (side, side, 3) uint8.

    Raises:
        PicturesError: there is none, or a file is no picture.
    """
    paths = sorted(
        path
        for path in folder.glob("*")
        if path.suffix in {".jpg", ".png", ".webp"} and not path.name.endswith(SUFFIX)
    )
    if not paths:
        raise PicturesError(f"{folder} holds no pictures")
    return [_squash(path, side) for path in paths]
