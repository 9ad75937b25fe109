"""Whether a matte shows a product at all."""

import cv2

from imaging.errors import NoForegroundError
from imaging.matting.confidence import CUT_AT
from imaging.types import Pixels

# A product 3 % as wide and high as the photo covers 0.09 % of it.
SMALLEST_SHARE = 5e-4
# Every product has a core that the network is sure of; of a plain ground it is sure nowhere.
CORE_ALPHA = 235
CORE_SHARE = 5e-5


def has_product(matte: Pixels) -> bool:
    """Tell whether a matte shows a product.

    Args:
        matte: (h, w) uint8, 255 product, cleaned.

    Returns:
        Whether enough of it is at least half opaque and some of it surely product.
    """
    return _share(matte, CUT_AT) >= _least(matte, SMALLEST_SHARE) and (
        _share(matte, CORE_ALPHA) >= _least(matte, CORE_SHARE)
    )


def check_product(matte: Pixels) -> None:
    """Refuse a matte that shows no product.

    Args:
        matte: (h, w) uint8, 255 product, cleaned.

    Raises:
        NoForegroundError: Too little of it is half opaque, or next to nothing surely product.
    """
    if has_product(matte):
        return
    raise NoForegroundError(
        "the model found no product in the photo",
        field="photo",
        figures={
            "product_share": f"{_share(matte, CUT_AT):.6f}",
            "needed_product_share": f"{SMALLEST_SHARE:.6f}",
            "sure_share": f"{_share(matte, CORE_ALPHA):.6f}",
            "needed_sure_share": f"{CORE_SHARE:.6f}",
            "highest_alpha": int(matte.max()),
            "sure_alpha": CORE_ALPHA,
        },
    )


def _share(matte: Pixels, at_least: int) -> float:
    """Return the share of the cells that reach a value."""
    return cv2.countNonZero(cv2.inRange(matte, at_least, 255)) / matte.size


def _least(matte: Pixels, share: float) -> float:
    """Return the share to ask of a matte: of a small one, a cell."""
    return max(share, 1 / matte.size)
