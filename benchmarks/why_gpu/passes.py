"""A batch amortises: passes of every network at every batch size, in torch."""

from collections.abc import Iterator
from statistics import median
from typing import Any

import torch

from benchmarks.limits.roofline import Peaks, attainable_per_s, over_rounds
from benchmarks.why_gpu.devices import Device, arithmetic
from benchmarks.why_gpu.knee import knee_of
from benchmarks.why_gpu.networks import Prepared, prepare
from benchmarks.why_gpu.plan import Plan

Row = dict[str, Any]


def pass_rows(name: str, device: Device, precision: str, plan: Plan, peaks: Peaks) -> Iterator[Row]:
    """Measure a network at every batch size, there and back in every round.

    A size that the device's memory does not hold, or whose pass takes too long, ends the series.

    Args:
        name: The network.
        device: Where it runs.
        precision: Of weights and arithmetic.
        plan: How thoroughly.
        peaks: Of the device, for the roofline.
    """
    prepared = prepare(name, device, precision)
    operations = prepared.operations()
    taken_s: dict[int, list[float]] = {}
    with arithmetic(precision), torch.inference_mode():
        for at in range(plan.rounds):
            batches = sorted(taken_s) if at else list(plan.batches)
            for batch in batches if at % 2 == 0 else reversed(batches):
                if (one_s := _pass_s(prepared, batch, plan.turn_s)) is None:
                    break
                taken_s.setdefault(batch, []).append(one_s)
                if at == 0 and one_s > plan.longest_pass_s:
                    break
    rates = {batch: batch / median(times) for batch, times in taken_s.items()}
    knee = knee_of(rates) if rates else None
    for batch, rate in rates.items():
        moved_bytes = prepared.weight_bytes / batch + _photo_bytes(prepared)
        limit = attainable_per_s({precision: operations}, moved_bytes, peaks)
        yield {
            "statement": "batch",
            "device": device.kind,
            "engine": "torch",
            "network": name,
            "precision": precision,
            "batch": batch,
            "images_per_s": rate,
            "ms_per_pass": 1000 * batch / rate,
            "times_batch_of_one": rate / rates[min(rates)],
            "spread_share": over_rounds(taken_s[batch]).share,
            "is_knee": batch == knee,
            "operations_per_image": operations,
            "least_bytes_per_image": moved_bytes,
            "limit_images_per_s": limit,
            "share_of_limit": rate / limit,
        }


def _pass_s(prepared: Prepared, batch: int, least_s: float) -> float | None:
    """Time one pass; None where memory does not hold it."""
    try:
        photos = prepared.photos(batch)
        return prepared.device.seconds(lambda: prepared.network(photos), least_s)
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        return None


def _photo_bytes(prepared: Prepared) -> int:
    """Count what goes in and a matte's worth that comes out, in the network's own numbers."""
    photo = prepared.photos(1)
    return photo.numel() * photo.element_size() * 4 // 3  # three channels in, one out
