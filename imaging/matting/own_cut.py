"""A cut that the photo's file brings along: a product that somebody has cut out already."""

from dataclasses import replace
from enum import Enum
from typing import Final

import cv2
import numpy as np

from imaging.errors import InvalidOptionError, NoForegroundError
from imaging.matting.confidence import CUT_AT
from imaging.matting.marks import Marks
from imaging.matting.presence import SMALLEST_SHARE
from imaging.types import Cut, Photo, Pixels

# Fully transparent, as encoders with losses leave it, and fully opaque.
_CLEAR: Final = 4
_OPAQUE: Final = 250
# A cut shows nothing in so much of its frame at least: a few stray pixels are none.
_CLEAR_SHARE: Final = 0.01
# Of what shows, so much is opaque: a picture that fades out, or a watermark, is no cut.
_OPAQUE_SHARE: Final = 0.6
# A frame's border shows at most so much of a product; of a photo with round corners it shows more.
_BORDER_SHARE: Final = 0.75


class CutChoice(Enum):
    """Where the cut comes from."""

    KEEP = "keep"
    """The file's own transparency."""
    REFINE = "refine"
    """The network, within the file's own transparency."""
    AUTO = "auto"
    """The file's own where it is a cut, else the network."""


def keeps_own(photo: Photo, choice: CutChoice) -> bool:
    """Tell whether a photo's own transparency is to be its cut.

    Args:
        photo: The decoded photo.
        choice: What the caller wants.

    Raises:
        NoForegroundError: The photo is transparent all over.
        InvalidOptionError: The own transparency is to be kept, and there is none.
    """
    alpha = photo.alpha
    if alpha is not None and not alpha.any():
        raise NoForegroundError(
            "there is no product in the photo: it is transparent all over",
            field="photo",
            figures={"highest_alpha": 0, "needed_alpha": CUT_AT},
        )
    if choice is CutChoice.AUTO:
        return alpha is not None and is_cut(alpha)
    if choice is CutChoice.KEEP and (alpha is None or int(alpha.min()) == np.iinfo(np.uint8).max):
        raise InvalidOptionError(
            "cut is keep, but nothing in the photo is transparent: leave cut unset, or set refine",
            field="cut",
        )
    return choice is CutChoice.KEEP


def is_cut(alpha: Pixels) -> bool:
    """Tell whether an alpha channel is a product's cut.

    Args:
        alpha: (H, W) uint8, 255 opaque.

    Returns:
        Whether a part is fully transparent, most of the rest opaque, and the frame's border not
        opaque nearly all around, as it is of a photo with round corners.
    """
    clear = cv2.countNonZero(cv2.inRange(alpha, 0, _CLEAR))
    opaque = cv2.countNonZero(cv2.inRange(alpha, _OPAQUE, 255))
    if clear < _CLEAR_SHARE * alpha.size or opaque < SMALLEST_SHARE * alpha.size:
        return False
    border = np.concatenate((alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]))
    shown = np.count_nonzero(border >= CUT_AT) / border.size
    return opaque >= _OPAQUE_SHARE * (alpha.size - clear) and bool(shown <= _BORDER_SHARE)


def own_cut(photo: Photo, marks: Marks | None = None) -> Cut:
    """Return the cut that a photo's file brings: to the bit, where the caller leaves it.

    Args:
        photo: The decoded photo, which has an alpha.
        marks: What the caller says of the cut of this photo; None: nothing. What is to be kept adds
            nothing: what the file shows is product already.

    Returns:
        The cut; its confidence is 1, since nothing of it is estimated.

    Raises:
        NoForegroundError: No pixel is half opaque.
    """
    alpha = photo.alpha
    if alpha is not None and marks is not None and marks.allowed is not None:
        alpha = replace(marks, keep=None).applied(alpha, photo.rgb)
    if alpha is None or int(alpha.max()) < CUT_AT:
        raise NoForegroundError(
            "there is no product in the photo: its own transparency leaves nothing half opaque"
            + (
                ", or region and erase mask leave nothing of it"
                if marks and marks.says_something
                else ""
            ),
            field="photo",
            figures={
                "highest_alpha": 0 if alpha is None else int(alpha.max()),
                "needed_alpha": CUT_AT,
            },
        )
    return Cut(photo.rgb, alpha, 1.0)
