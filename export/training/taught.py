"""A teacher's mattes of the training photos, read from a folder, kept where the teacher was sure.

The folder holds ``FOLDER__NAME.webp`` for the photo ``FOLDER/NAME.jpg``, of its size: what a larger
network answered. A matte counts as sure where little of it is neither product nor ground, and the
product is neither tiny nor all of the photo.
"""

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from export.errors import PicturesError
from export.training.cutouts import Pixels

UNSURE: Final = (38, 217)  # of 255: between them a pixel is neither
MOST_UNSURE: Final = 0.11  # of the product's area
PRODUCT_SHARE: Final = (0.03, 0.85)  # of the photo
FAINT_SHARE: Final = 0.002  # of the photo; less than this is no product at all
MOST_AT_BORDER: Final = 0.08  # of the photo's border that a whole product may touch
HALF: Final = 127


def read_matte(folder: Path, photo: Path, size: tuple[int, int]) -> Pixels | None:
    """Read the teacher's matte of a photo; None where the folder holds none.

    Args:
        folder: of mattes.
        photo: ``FOLDER/NAME.jpg`` below the training folder.
        size: (height, width) of the photo.

    Returns:
        (height, width) uint8.

    Raises:
        PicturesError: the file is no picture or not of the photo's size.
    """
    path = folder / f"{photo.parent.name}__{photo.stem}.webp"
    if not path.exists():
        return None
    try:
        with Image.open(path) as image:
            matte = np.asarray(image.convert("L"))
    except (OSError, ValueError) as exc:
        raise PicturesError(f"{path} cannot be read: {exc}") from exc
    if matte.shape != size:
        raise PicturesError(f"{path} is {matte.shape}, its photo {size}")
    return matte


def is_sure(matte: Pixels) -> bool:
    """Say whether a matte shows one product of ordinary size without doubt."""
    area = float((matte > HALF).mean())
    low, high = UNSURE
    doubt = float(((matte > low) & (matte < high)).mean())
    least, most = PRODUCT_SHARE
    return least < area < most and doubt < MOST_UNSURE * area


def is_empty(matte: Pixels) -> bool:
    """Say whether the teacher saw no product at all."""
    return float((matte > UNSURE[0]).mean()) < FAINT_SHARE


def is_whole(matte: Pixels) -> bool:
    """Say whether the product ends within the photo, so that it can be cut out of it."""
    border = np.concatenate([matte[0], matte[-1], matte[:, 0], matte[:, -1]])
    return float((border > HALF).mean()) < MOST_AT_BORDER
