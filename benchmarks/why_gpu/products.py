"""Matrix products of every size, and a copy for the bandwidth."""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import torch

from benchmarks.why_gpu.devices import DTYPES, Device, arithmetic
from benchmarks.why_gpu.plan import Plan

COPY_BYTES = 2**30  # beyond any cache; a GPU's second level holds tens of megabytes
CPU_COPY_BYTES = 2**28

Row = dict[str, Any]


def product_rows(device: Device, plan: Plan) -> Iterator[Row]:
    """Multiply square matrices of every side in every precision, the largest first.

    Should the time run out, the peaks are known.
    """
    for side in sorted(plan.sides, reverse=True):
        for precision in (*device.precisions, "int8"):
            with arithmetic(precision), torch.inference_mode():
                work = _product(device, side, precision)
                taken_s = median(device.seconds(work, plan.turn_s) for _ in range(plan.rounds))
            yield {
                "statement": "size",
                "device": device.kind,
                "engine": "torch",
                "what": "matrix product",
                "side": side,
                "precision": precision,
                "ms": 1000 * taken_s,
                "operations_per_s": 2 * side**3 / taken_s,
            }


def _product(device: Device, side: int, precision: str) -> Callable[[], object]:
    """Make a product of two matrices; int8 gives int32, the right factor lies by columns."""
    floats = torch.rand(side, side, device=device.device)
    if precision == "int8":
        whole = (255 * floats - 128).to(torch.int8)
        return lambda: torch._int_mm(whole, whole.t())  # noqa: SLF001  no public name
    own = floats.to(DTYPES[precision])
    return lambda: own @ own


def copy_bytes_per_s(device: Device, plan: Plan) -> float:
    """Copy a large piece of memory; reading and writing both count."""
    size = COPY_BYTES if device.kind == "gpu" else CPU_COPY_BYTES
    source = torch.ones(size, dtype=torch.uint8, device=device.device)
    target = torch.empty_like(source)
    rounds = range(plan.rounds)
    taken_s = median(device.seconds(lambda: target.copy_(source), plan.turn_s) for _ in rounds)
    return 2 * size / taken_s
