"""The default network in lower precisions: its speed, and the error of its mattes."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import onnx

from benchmarks import precision as contest
from export.precision.names import Precision

_NO_LOSS = {"iou_lost": 0.0, "iou_with_fp32": 1.0, "mean_difference": 0.0}

Row = dict[str, Any]


def variant_rows(repository: Path, model: str, batch: int, rounds: int, turn_s: float) -> list[Row]:
    """Compare the variants of a model on ONNX Runtime, as `benchmarks precision` does.

    What a variant loses was measured when it was built, on held-out pictures, and stands in its
    card; it is quoted.

    Args:
        repository: Triton's model repository.
        model: The model in full precision.
        batch: Photos in a pass.
        rounds: How often each variant takes its turn.
        turn_s: Least time of a turn, s.
    """
    paths = {
        each: repository / (model if each is Precision.FP32 else f"{model}-{each}") / "1/model.onnx"
        for each in Precision
    }
    contenders = {each: contest.Contender(path, "CPU") for each, path in paths.items()}
    setting = contest.Setting(threads=len(os.sched_getaffinity(0)), batch=batch)
    turns = contest.measure(list(contenders.values()), setting, rounds, turn_s)
    full = turns[contenders[Precision.FP32]]
    return [
        {
            "statement": "precision",
            "device": "cpu",
            "engine": "onnxruntime",
            "network": model,
            "precision": str(each),
            "batch": batch,
            "images_per_s": 1 / median(turn.wall_s for turn in turns[contender]),
            "times_fp32": _times(full, turns[contender]),
            **_stated_loss(paths[each]),
        }
        for each, contender in contenders.items()
    ]


def _times(full: Sequence[contest.Turn], own: Sequence[contest.Turn]) -> float:
    return median(one.wall_s / two.wall_s for one, two in zip(full, own, strict=True))


def _stated_loss(path: Path) -> dict[str, float]:
    metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    stated = json.loads(metadata["card"]).get("lost_to_precision", _NO_LOSS)
    return {name: stated[name] for name in _NO_LOSS}
