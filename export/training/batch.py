"""A batch of training pictures."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Training pictures: rgb (N, 3, S, S) and alpha (N, 1, S, S), float32 in [0, 1]."""

    rgb: Tensor
    alpha: Tensor
