"""The precisions that a model folder has variants of."""

from enum import StrEnum


class Precision(StrEnum):
    """Of a graph's arithmetic."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"
