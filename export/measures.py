"""How well a matte agrees with its reference: a cheap pair for training, six measures to judge."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from export.errors import PackageError

HALF = 0.5  # where mattes are cut into ground and foreground
BOUNDARY_SHARE = 0.02  # width of the judged boundary, of the picture's diagonal


@dataclass(frozen=True)
class Agreement:
    """Of one matte, or the mean over several; cheap enough to take during training."""

    iou: float  # of both cut at one half; 1 is best
    mae: float  # mean absolute error, in [0, 1]; 0 is best


@dataclass(frozen=True)
class FullAgreement(Agreement):
    """All that a finished model is judged by; of each of these 1 is best."""

    boundary_iou: float  # of the inner boundaries of both, cut at one half
    s_measure: float  # structure: Fan et al., ICCV 2017
    weighted_f: float  # F that weighs errors by where they are: Margolin et al., CVPR 2014
    e_measure: float  # enhanced alignment, mean over thresholds: Fan et al., IJCAI 2018


_Some = TypeVar("_Some", bound=Agreement)


def agreement(matte: NDArray[np.floating], reference: NDArray[np.floating]) -> Agreement:
    """Compare two mattes of one shape, both in [0, 1].

    Two mattes without any foreground agree fully.
    """
    iou = _overlap(matte >= HALF, reference >= HALF)
    return Agreement(iou, float(np.abs(matte - reference).mean()))


def full_agreement(matte: NDArray[np.floating], reference: NDArray[np.floating]) -> FullAgreement:
    """Compare two mattes (H, W) in [0, 1] by all six measures.

    S-measure, weighted F and E-measure are the library pysodmetrics'. The reference is cut at one
    half for them, as they are defined for binary references; the matte is taken as it is, not
    stretched to the full range: nothing stretches it when it is used either. The E-measure is the
    mean over its 256 thresholds, which papers call mean E; the lowest threshold calls everything
    foreground, so that a perfect matte gets 0.997. Where the reference has no foreground, weighted
    F is undefined; it is 1 for a matte without foreground and else 0.

    Raises:
        PackageError: pysodmetrics is not installed.
    """
    try:
        from py_sod_metrics import Emeasure, Smeasure, WeightedFmeasure  # noqa: PLC0415
    except ImportError as exc:
        raise PackageError(f"the measures need the package pysodmetrics: {exc}") from exc
    plain = agreement(matte, reference)
    found, wanted = np.asarray(matte, np.float64), reference >= HALF
    structure, weighted, alignment = Smeasure(), WeightedFmeasure(), Emeasure()
    structure.step(*_off_the_last_line(found, wanted), normalize=False)
    weighted.step(found, wanted, normalize=False)
    alignment.step(found, wanted, normalize=False)
    weighted_f = float(weighted.get_results()["wfm"]) if wanted.any() else plain.iou
    mean_e = float(alignment.get_results()["em"]["curve"].mean())
    return FullAgreement(
        iou=plain.iou,
        mae=plain.mae,
        boundary_iou=boundary_iou(matte, reference),
        s_measure=float(structure.get_results()["sm"]),
        weighted_f=weighted_f,
        e_measure=min(mean_e, 1.0),  # it divides by one pixel less than there are
    )


def _off_the_last_line(
    found: NDArray[np.float64], wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Mirror both where the S-measure would divide by an empty quadrant.

    It splits the picture after the line of the reference's centroid, and answers NaN where that is
    the last line.
    """
    for axis in (0, 1):
        lines = np.nonzero(wanted)[axis]
        if len(lines) and round(lines.mean()) == wanted.shape[axis] - 1:
            found, wanted = np.flip(found, axis), np.flip(wanted, axis)
    return found, wanted


def boundary_iou(matte: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """Compare the inner boundaries of two mattes (H, W) cut at one half.

    Boundary IoU (Cheng et al., CVPR 2021): the IoU of those pixels of each mask that lie within a
    distance d of its contour, d being 2 % of the picture's diagonal, distances those of a square
    neighbourhood. Where a mask meets the picture's border it has a contour.
    """
    reach = max(1, round(BOUNDARY_SHARE * float(np.hypot(*matte.shape))))
    return _overlap(_boundary(matte >= HALF, reach), _boundary(reference >= HALF, reach))


def _boundary(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Give a mask's pixels that have ground within reach, by sums over windows around each."""
    window = 2 * reach + 1
    sums = np.pad(mask, reach).astype(np.int64).cumsum(0).cumsum(1)
    sums = np.pad(sums, ((1, 0), (1, 0)))
    inside = sums[window:, window:] - sums[window:, :-window]
    inside = inside - sums[:-window, window:] + sums[:-window, :-window]
    boundary: NDArray[np.bool_] = mask & (inside < window**2)
    return boundary


def _overlap(found: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    either = int((found | wanted).sum())
    return float((found & wanted).sum()) / either if either else 1.0


def mean_agreement(agreements: Sequence[_Some]) -> _Some:
    """Average over pictures, each measure by itself.

    Raises:
        ValueError: there are none.
    """
    if not agreements:
        raise ValueError("no pictures to average over")
    kind = type(agreements[0])
    names = [field.name for field in fields(kind)]
    return kind(**{n: float(np.mean([getattr(one, n) for one in agreements])) for n in names})
