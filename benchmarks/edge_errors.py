"""Errors of an alpha along a picture's edges, in the measures of matting."""

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.rendered_scenes import on_white
from imaging.matting.foreground import estimate_foreground
from imaging.types import Pixels

Floats = npt.NDArray[np.float32]
Band = npt.NDArray[np.bool_]

# Of Rhemann et al.: A Perceptually Motivated Online Benchmark for Image Matting, CVPR 2009.
_SIGMA_PX = 1.4
_LEVELS = np.linspace(0.1, 1, 10)
_LEAST_GAP = 0.15
_OPAQUE = 255


def edge_errors(rgb: Pixels, alpha: Pixels, exact: Pixels, band: Band) -> dict[str, float]:
    """Compare an alpha with the exact one.

    Args:
        rgb: (H, W, 3) uint8, the photo.
        alpha: (H, W) uint8.
        exact: (H, W) uint8.
        band: (H, W) bool, where to compare.

    Returns:
        Means over the band: `MAE` of alpha, of 255; `gradient` and `connectivity`, of thousandths;
        `white`, of 255: of the product on white, with the colours estimated by either alpha.
    """
    whites = (on_white(estimate_foreground(rgb, one), one) for one in (alpha, exact))
    share, share_exact = (np.divide(one, _OPAQUE, dtype=np.float32) for one in (alpha, exact))
    steep, steep_exact = _gradient(share), _gradient(share_exact)
    joined, joined_exact = _connected(share, share_exact)
    return {
        "MAE": float(cv2.absdiff(alpha, exact)[band].mean()),
        "gradient": 1000 * float(((steep - steep_exact) ** 2)[band].mean()),
        "connectivity": 1000 * float(np.abs(joined - joined_exact)[band].mean()),
        "white": float(np.abs(np.subtract(*whites))[band].mean()),
    }


def _gradient(share: Floats) -> Floats:
    """Return how steep a share is, by derivatives of a Gaussian of unit energy."""
    reach = 4
    at = np.arange(-reach, reach + 1)
    bell = np.exp(-(at**2) / (2 * _SIGMA_PX**2))
    slope = -at * bell
    unit = np.linalg.norm(np.outer(bell, slope))
    across, down = (
        cv2.sepFilter2D(share, cv2.CV_32F, x, y, borderType=cv2.BORDER_REPLICATE)
        for x, y in ((slope / unit, bell), (bell / unit, slope))
    )
    return np.asarray(np.hypot(across, down), np.float32)


def _connected(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Return how far both alphas hang together with the largest region that both are sure of."""
    level = np.ones_like(one)
    falls = np.zeros(one.shape, np.bool_)
    for below, at in zip((0, *_LEVELS), _LEVELS, strict=False):
        both = ((one >= at) & (other >= at)).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(both, connectivity=4)
        largest = 1 + stats[1:, cv2.CC_STAT_AREA].argmax() if len(stats) > 1 else -1
        level[~falls & (labels != largest)] = below
        falls |= labels != largest
    gaps = one - level, other - level
    first, second = (np.where(gap >= _LEAST_GAP, 1 - gap, 1) for gap in gaps)
    return np.asarray(first, np.float32), np.asarray(second, np.float32)
