"""A batch amortises, on what serves: ONNX Runtime, on all of the CPU's cores or on a GPU."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.limits.network import Runner, Setting
from benchmarks.limits.peaks import CPU
from benchmarks.limits.roofline import over_rounds
from benchmarks.why_gpu.knee import knee_of
from benchmarks.why_gpu.plan import Plan

CUDA = "CUDAExecutionProvider"

Row = dict[str, Any]


def onnx_batch_rows(repository: Path, model: str, plan: Plan, provider: str = CPU) -> Iterator[Row]:
    """Measure a model at every batch size, there and back in every round.

    Args:
        repository: Triton's model repository.
        model: The model's folder in it.
        plan: How thoroughly.
        provider: ONNX Runtime's; photos go to a GPU and mattes come back in every pass.
    """
    path = repository / model / "1" / "model.onnx"
    cores = len(os.sched_getaffinity(0))
    taken: dict[int, list[float]] = {batch: [] for batch in plan.batches}
    with ExitStack() as stack:
        runners = [
            stack.enter_context(Runner(path, Setting(1, cores, batch), provider))
            for batch in plan.batches
        ]
        for at in range(plan.rounds):
            for runner in runners if at % 2 == 0 else reversed(runners):
                taken[runner.setting.batch].append(runner.images_per_s(plan.turn_s))
    rates = {batch: median(found) for batch, found in taken.items()}
    knee = knee_of(rates)
    for batch, rate in rates.items():
        yield {
            "statement": "batch",
            "device": "gpu" if provider == CUDA else "cpu",
            "engine": "onnxruntime",
            "network": model,
            "precision": model.rpartition("-")[2] if "-" in model else "fp32",
            "batch": batch,
            "images_per_s": rate,
            "ms_per_pass": 1000 * batch / rate,
            "times_batch_of_one": rate / rates[min(rates)],
            "spread_share": over_rounds(taken[batch]).share,
            "is_knee": batch == knee,
        }
