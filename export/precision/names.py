"""The precisions that a model folder has variants of."""

from enum import StrEnum
from typing import Final


class Precision(StrEnum):
    """Of a graph's arithmetic."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


# Instances of a variant, where they are not those of full precision: what `benchmarks sweep` found
# on two cores. A pass in integers is so short that what an instance does between two of them
# counts; a second one fills the gap.
INSTANCES: Final = {Precision.INT8: 2}


def precision_of(model: str) -> Precision:
    """Return the precision that a model's name ends in; without such an ending it is full."""
    ending = model.rpartition("-")[2]
    return Precision(ending) if ending in set(Precision) else Precision.FP32
