"""The roofline: the most that peaks of arithmetic and of memory allow a network.

After "Roofline: An Insightful Visual Performance Model for Multicore Architectures" (Williams,
Waterman, Patterson, CACM 2009).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peaks:
    """What a machine can do."""

    operations_per_s: Mapping[str, float]  # by precision
    bytes_per_s: float  # read and written together

    def of(self, precision: str) -> float:
        """Return the peak of a precision; without a measurement of its own that of fp32.

        Elsewhere than in products (normalisation, activations) the precision hardly counts, and a
        machine without units for a format computes it as fp32.
        """
        return self.operations_per_s.get(precision, self.operations_per_s["fp32"])


def attainable_per_s(operations: Mapping[str, float], moved_bytes: float, peaks: Peaks) -> float:
    """Return the most passes a second: whichever of arithmetic and memory takes longer decides.

    Args:
        operations: Of one pass, by precision.
        moved_bytes: That one pass must move.
        peaks: Of the machine.
    """
    arithmetic_s = sum(count / peaks.of(name) for name, count in operations.items())
    return 1 / max(arithmetic_s, moved_bytes / peaks.bytes_per_s)
