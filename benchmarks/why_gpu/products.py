"""Parallel hardware wins when the work is big: matrix products, and a copy for the bandwidth."""

from collections.abc import Iterator
from statistics import median
from typing import Any

import torch

from benchmarks.why_gpu.devices import DTYPES, Device, arithmetic
from benchmarks.why_gpu.plan import Plan

COPY_BYTES = 2**30  # beyond any cache; a GPU's second level holds tens of megabytes
CPU_COPY_BYTES = 2**28

Row = dict[str, Any]


def product_rows(device: Device, plan: Plan) -> Iterator[Row]:
    """Multiply square matrices of every side in every precision."""
    for side in plan.sides:
        for precision in device.precisions:
            matrix = torch.rand(side, side, device=device.device).to(DTYPES[precision])
            with arithmetic(precision), torch.inference_mode():
                taken_s = median(
                    device.seconds(lambda own=matrix: own @ own, plan.turn_s)  # type: ignore[misc]
                    for _ in range(plan.rounds)
                )
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


def copy_bytes_per_s(device: Device, plan: Plan) -> float:
    """Copy a large piece of memory; reading and writing both count."""
    size = COPY_BYTES if device.kind == "gpu" else CPU_COPY_BYTES
    source = torch.ones(size, dtype=torch.uint8, device=device.device)
    target = torch.empty_like(source)
    rounds = range(plan.rounds)
    taken_s = median(device.seconds(lambda: target.copy_(source), plan.turn_s) for _ in rounds)
    return 2 * size / taken_s
