"""Passes at every batch size in ONNX Runtime, on all of the CPU's cores or on a GPU."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.limits.network import Runner, Setting
from benchmarks.limits.peaks import CPU
from benchmarks.rounds import over_rounds
from benchmarks.why_gpu.plan import Plan

CUDA = "CUDAExecutionProvider"

Row = dict[str, Any]


def onnx_batch_rows(repository: Path, model: str, plan: Plan, provider: str = CPU) -> Iterator[Row]:
    """Measure a model at every batch size."""
    path = repository / model / "1" / "model.onnx"
    cores = len(os.sched_getaffinity(0))
    ways = {"onnxruntime": Setting(1, cores, 1)}
    if provider == CPU:
        # What a pass gives away to waiting between its threads, a session for each core does not.
        ways["onnxruntime, a session a core"] = Setting(cores, 1, 1)
    for engine, way in ways.items():
        for batch in plan.batches:
            with Runner(path, replace(way, batch=batch), provider) as runner:
                rates = [runner.images_per_s(plan.turn_s) for _ in range(plan.rounds)]
            yield {
                "statement": "batch",
                "device": "gpu" if provider == CUDA else "cpu",
                "engine": engine,
                "network": model,
                "precision": model.rpartition("-")[2] if "-" in model else "fp32",
                "batch": batch,
                "images_per_s": median(rates),
                "ms_per_pass": 1000 * batch * way.instances / median(rates),
                "spread_share": over_rounds(rates).share,
            }
