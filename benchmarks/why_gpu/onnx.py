"""The default network in ONNX Runtime: passes at every batch size, and its variants' losses."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import onnx

from benchmarks import precision as contest
from benchmarks.limits.network import CPU, Runner, Setting
from benchmarks.rounds import over_rounds, ratios
from benchmarks.why_gpu.plan import Plan
from export.precision.names import Precision, precision_of

CUDA = "CUDAExecutionProvider"
_NO_LOSS = {"iou_lost": 0.0, "iou_with_fp32": 1.0, "mean_difference": 0.0}

Row = dict[str, Any]


def batch_rows(repository: Path, model: str, plan: Plan, provider: str = CPU) -> Iterator[Row]:
    """Measure a model at every batch size, on all of the CPU's cores or on a GPU."""
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
                "precision": str(precision_of(model)),
                "batch": batch,
                "images_per_s": median(rates),
                "ms_per_pass": 1000 * batch * way.instances / median(rates),
                "spread_share": over_rounds(rates).share,
            }


def variant_rows(repository: Path, model: str, plan: Plan) -> Iterator[Row]:
    """Compare the variants of a model, as `benchmarks precision` does.

    What a variant loses was measured when it was built, on held-out pictures, and stands in its
    card; it is quoted.
    """
    paths = {
        each: repository / (model if each is Precision.FP32 else f"{model}-{each}") / "1/model.onnx"
        for each in Precision
    }
    contenders = {each: contest.Contender(path, "CPU") for each, path in paths.items()}
    setting = Setting(1, len(os.sched_getaffinity(0)), plan.batch)
    turns = contest.measure(list(contenders.values()), setting, plan.rounds, plan.turn_s)
    walls = {each: [turn.wall_s for turn in turns[one]] for each, one in contenders.items()}
    for each, path in paths.items():
        metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        stated = json.loads(metadata["card"]).get("lost_to_precision", _NO_LOSS)
        yield {
            "statement": "precision",
            "device": "cpu",
            "engine": "onnxruntime",
            "network": model,
            "precision": str(each),
            "batch": plan.batch,
            "images_per_s": 1 / median(walls[each]),
            "times_fp32": median(ratios(walls[Precision.FP32], walls[each])),
            **{name: stated[name] for name in _NO_LOSS},
        }
