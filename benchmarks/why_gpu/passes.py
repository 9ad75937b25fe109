"""Passes of a network at every batch size, in torch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import torch

from benchmarks.limits.roofline import Peaks, attainable_per_s
from benchmarks.rounds import NOISY_SHARE, over_rounds
from benchmarks.why_gpu.devices import Device, arithmetic, captured
from benchmarks.why_gpu.networks import PassCost, prepare
from benchmarks.why_gpu.plan import Plan

EAGER, GRAPH, COMPILED = "torch", "torch, CUDA graph", "torch, compiled"
# A graph saves the launches, about 1 ms a pass: what takes longer than this gains nothing from it.
_GRAPH_PAYS_UP_TO_S = 0.02
_KNEE_SHARE = 0.9  # of the best throughput; larger batches cost latency and bring little
_SERIES = ("device", "engine", "network", "precision")

Row = dict[str, Any]


def pass_rows(
    name: str, device: Device, precision: str, plan: Plan, peaks: Peaks, *, compiles: bool = False
) -> Iterator[Row]:
    """Measure a network at every batch size: eagerly and, on a GPU, as a CUDA graph.

    A size that the device's memory does not hold, or whose pass takes too long, ends the series.

    Args:
        name: The network.
        device: Where it runs.
        precision: Of weights and arithmetic.
        plan: How thoroughly.
        peaks: Of the device, for the roofline.
        compiles: Whether `torch.compile` takes the place of both.
    """
    prepared = prepare(name, device, precision)
    cost = prepared.cost()
    network = torch.compile(prepared.network) if compiles else prepared.network
    for batch in plan.batches:
        try:
            with arithmetic(precision), torch.inference_mode():
                photos = prepared.photos(batch)
                for engine, times_s in _times(network, photos, device, plan, compiles=compiles):
                    told = {"device": device.kind, "engine": engine, "network": name}
                    row = {"statement": "batch", **told, "precision": precision, "batch": batch}
                    yield row | _figures(batch, times_s, cost, precision, peaks) | _memory(device)
        except torch.OutOfMemoryError:
            return
        finally:
            _forget(device)
        if median(times_s) > plan.longest_pass_s:
            return


def finish(rows: Sequence[Row]) -> None:
    """Mark each series' knee and set every batch size beside one photo, in place."""
    series: dict[tuple[str, ...], dict[int, Row]] = {}
    for row in rows:
        if row.get("statement") == "batch":
            series.setdefault(tuple(row[key] for key in _SERIES), {})[row["batch"]] = row
    for one in series.values():
        rates = {batch: row["images_per_s"] for batch, row in one.items()}
        knee = knee_of(rates)
        for batch, row in one.items():
            row["is_knee"] = batch == knee
            row["times_batch_of_one"] = rates[batch] / rates[1] if 1 in rates else None


def knee_of(rates: Mapping[int, float]) -> int:
    """Return the smallest batch that reaches nine tenths of the best throughput."""
    enough = _KNEE_SHARE * max(rates.values())
    return min(batch for batch, rate in rates.items() if rate >= enough)


def noise_notes(rows: Sequence[Row]) -> Iterator[str]:
    """Name every series of batches of which a figure spreads by more than a tenth over rounds."""
    worst: dict[str, float] = {}
    for row in rows:
        if row.get("spread_share", 0) > NOISY_SHARE:
            name = f"{row['network']} in {row['precision']}, {row['engine']} on the {row['device']}"
            worst[name] = max(row["spread_share"], worst.get(name, 0))
    for name, share in worst.items():
        yield f"{name}: noisy, up to ± {share:.0%} over rounds"


def _times(
    network: Callable[[torch.Tensor], object],
    photos: torch.Tensor,
    device: Device,
    plan: Plan,
    *,
    compiles: bool,
) -> Iterator[tuple[str, list[float]]]:
    """Time a pass in every way that may pay: its name, and the seconds of each round."""

    def work() -> object:
        return network(photos)

    if device.kind == "gpu":
        torch.cuda.reset_peak_memory_stats(device.device)
    eager_s = [device.seconds(work, plan.turn_s) for _ in range(plan.rounds)]
    yield COMPILED if compiles else EAGER, eager_s
    if device.kind == "gpu" and median(eager_s) < _GRAPH_PAYS_UP_TO_S:
        replay = captured(work)
        times_s = [device.seconds(replay, plan.turn_s) for _ in range(plan.rounds)]
        yield f"{COMPILED}, CUDA graph" if compiles else GRAPH, times_s


def _figures(
    batch: int, times_s: Sequence[float], cost: PassCost, precision: str, peaks: Peaks
) -> Row:
    rate = batch / median(times_s)
    operations = {precision: float(cost.operations)}
    least_bytes = cost.weight_bytes / batch + cost.port_bytes
    layer_bytes = cost.weight_bytes / batch + cost.layer_bytes
    limit = attainable_per_s(operations, least_bytes, peaks)
    by_layers = attainable_per_s(operations, layer_bytes, peaks)
    return {
        "images_per_s": rate,
        "ms_per_pass": 1000 * batch / rate,
        "spread_share": over_rounds(times_s).share,
        "operations_per_image": cost.operations,
        "least_bytes_per_image": least_bytes,
        "layer_bytes_per_image": layer_bytes,
        "limit_images_per_s": limit,
        "share_of_limit": rate / limit,
        "limit_by_layers_images_per_s": by_layers,
        "share_of_limit_by_layers": rate / by_layers,
    }


def _memory(device: Device) -> Row:
    if device.kind != "gpu":
        return {}
    return {"peak_memory_bytes": int(torch.cuda.max_memory_allocated(device.device))}


def _forget(device: Device) -> None:
    if device.kind == "gpu":
        torch.cuda.empty_cache()
