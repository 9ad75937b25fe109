"""How well a matte agrees with its reference."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Agreement:
    """Of one matte, or the mean over several."""

    iou: float  # of both cut at one half; 1 is best
    mae: float  # mean absolute error, in [0, 1]; 0 is best


def agreement(matte: NDArray[np.floating], reference: NDArray[np.floating]) -> Agreement:
    """Compare two mattes of one shape, both in [0, 1].

    Two mattes without any foreground agree fully.
    """
    found, wanted = matte >= 0.5, reference >= 0.5  # noqa: PLR2004
    either = int((found | wanted).sum())
    iou = float((found & wanted).sum()) / either if either else 1.0
    return Agreement(iou, float(np.abs(matte - reference).mean()))


def mean_agreement(agreements: list[Agreement]) -> Agreement:
    """Average over pictures."""
    return Agreement(
        float(np.mean([one.iou for one in agreements])),
        float(np.mean([one.mae for one in agreements])),
    )
