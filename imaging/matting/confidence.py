"""How sure the network is of its cut, told by the matte alone."""

import cv2
import numpy as np

from imaging.types import Pixels

# Where a matte is cut in two: product from half opacity on.
CUT_AT = 128
_VALUES = np.arange(256)


def confidence(matte: Pixels) -> float:
    """Estimate how well the matte, cut in two at one half, agrees with the truth.

    Its values are read as probabilities of independent cells. Of the cells within the cut, S, the
    truth then holds `sum of p over S` on average; of cut and truth together there are `|S| + sum
    of p outside S`. The quotient of the two averages is the expected intersection over union to
    first order (Nowozin: Optimal Decisions from Probabilistic Models, the Intersection-over-Union
    Case, CVPR 2014). No network's habits are in it: one that calls its doubts by their name is
    judged by them, one that is wrong and sure is believed.

    Args:
        matte: (h, w) uint8, 255 product.

    Returns:
        0 to 1; 0 where no cell reaches one half.
    """
    counts = cv2.calcHist([matte], [0], None, [_VALUES.size], [0, _VALUES.size]).ravel()
    masses = counts * _VALUES / _VALUES[-1]
    within = int(counts[CUT_AT:].sum())
    if not within:
        return 0.0
    return float(masses[CUT_AT:].sum() / (within + masses[:CUT_AT].sum()))
