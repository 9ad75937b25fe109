"""Where a series of latencies has become steady: MSER-5.

The Marginal Standard Error Rule drops as much of a series' beginning as makes the standard error of
the remaining mean smallest; MSER-5 applies it to means of five. K. P. White Jr., M. J. Cobb,
S. C. Spratt, "A comparison of five steady-state truncation heuristics for simulation", Winter
Simulation Conference 2000.
"""

from collections.abc import Sequence

import numpy as np

_BATCH = 5  # the 5 of MSER-5
# Decimals of a squared standard error in s²: below a microsecond it is arithmetic's noise.
_DIGITS = 12


def steady_from(values: Sequence[float]) -> int | None:
    """Find where a series becomes steady.

    Args:
        values: Latencies in the order in which they arose, s.

    Returns:
        The index of the first steady value, a multiple of five; None if the rule would drop half of
        the series or more, by which it says that the series is too short or never became steady.
    """
    batches = len(values) // _BATCH
    means = np.asarray(values[: batches * _BATCH], np.float64).reshape(-1, _BATCH).mean(axis=1)
    if batches < 2:  # noqa: PLR2004  one mean has no error
        return None
    # The last means are left out: of a handful the error is small by chance.
    errors = [means[start:].var() / (batches - start) for start in range(max(1, batches - _BATCH))]
    start = int(np.argmin(np.round(errors, _DIGITS)))
    return start * _BATCH if start < batches / 2 else None
