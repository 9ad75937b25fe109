"""The tables of figures on GPUs, each a series of rows."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.limits.roofline import Peaks
from benchmarks.why_gpu.accuracy import torch_rows
from benchmarks.why_gpu.devices import Device, devices
from benchmarks.why_gpu.passes import COMPILED, pass_rows
from benchmarks.why_gpu.plan import Plan
from benchmarks.why_gpu.products import copy_bytes_per_s, product_rows
from benchmarks.why_gpu.training import training_row

_CUDA_MODELS = ("matte", "matte-fp16")
_CPU_MODELS = ("matte-int8", "matte")  # the one that a CPU serves first
_COMPILED_BATCH = 64
_FEW = 8  # photos of IS-Net at a time on a CPU

Row = dict[str, Any]


@dataclass
class Bench:
    """What is measured with, and what was found so far."""

    plans: dict[str, Plan]  # by the kind of device
    repository: Path  # triton's model repository
    photos: Path  # A folder of photos
    weights: Path  # of the default network
    rows: list[Row] = field(default_factory=list)  # found so far
    notes: list[str] = field(default_factory=list)  # what a reader must know of them
    # What there is; the first is the one to be judged
    devices: list[Device] = field(default_factory=devices)

    @property
    def main(self) -> Device:
        """The device to be judged: a GPU where there is one."""
        return self.devices[0]

    def peaks(self, device: Device) -> Peaks:
        """Return a device's peaks, from the rows of the table that measured them.

        Raises:
            LookupError: It was not run.
        """
        own = {
            row["precision"]: row for row in peak_rows(self.rows) if row["device"] == device.kind
        }
        if not {"bytes", "fp32"} <= own.keys():
            raise LookupError(f"the {device.kind}'s peaks are not measured: they are a table too")
        copied = own.pop("bytes")["bytes_per_s"]
        return Peaks({key: row["operations_per_s"] for key, row in own.items()}, copied)


def peak_rows(rows: Sequence[Row]) -> list[Row]:
    """Return each device's bandwidth and the best product of each precision found so far."""
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.get("kind") == "peak":
            best[row["device"], row["precision"]] = row
        elif row.get("statement") == "size":
            key = row["device"], row["precision"]
            if row["operations_per_s"] > best.get(key, {"operations_per_s": 0})["operations_per_s"]:
                names = ("device", "engine", "precision", "side", "operations_per_s")
                best[key] = {"kind": "peak"} | {name: row[name] for name in names}
    return list(best.values())


def _peaks(bench: Bench) -> Iterator[Row]:
    for device in bench.devices:
        copied = copy_bytes_per_s(device, bench.plans[device.kind])
        told = {"device": device.kind, "engine": "torch", "precision": "bytes"}
        yield {"kind": "peak", **told, "bytes_per_s": copied}
    for device in bench.devices:
        yield from product_rows(device, bench.plans[device.kind])


def _passes(name: str) -> Callable[[Bench], Iterator[Row]]:
    def measure(bench: Bench) -> Iterator[Row]:
        for precision in bench.main.precisions:
            plan = bench.plans[bench.main.kind]
            yield from _series(bench, name, bench.main, precision, plan)

    return measure


def _series(
    bench: Bench, name: str, device: Device, precision: str, plan: Plan, *, compiles: bool = False
) -> Iterator[Row]:
    """Measure a network in one precision; what a device or a compiler refuses is noted."""
    try:
        yield from pass_rows(name, device, precision, plan, bench.peaks(device), compiles=compiles)
    except RuntimeError as exc:
        why = f"{type(exc).__name__}: {exc}"[:300]
        bench.notes.append(f"{name} in {precision} on the {device.kind}: ended early, {why}")


def _cpu_beside(bench: Bench) -> Iterator[Row]:
    """Measure the same networks in torch on the processor cores beside a GPU."""
    cpu = bench.devices[-1]
    if cpu is bench.main:
        return
    plan = bench.plans["cpu"]
    for name in ("matte", "isnet", "alexnet"):
        batches = [one for one in plan.batches if name != "isnet" or one <= _FEW]
        for precision in cpu.precisions:
            own = replace(plan, batches=batches)
            yield from _series(bench, name, cpu, precision, own)


def _compiled(bench: Bench) -> Iterator[Row]:
    """Try `torch.compile` where a photo costs least: it takes half a minute a network."""
    if bench.main.kind != "gpu":
        return
    plan = replace(bench.plans["gpu"], batches=(_COMPILED_BATCH,))
    for name in ("matte", "isnet"):
        own = plan if name == "matte" else replace(plan, batches=(_FEW,))
        yield from _series(bench, name, bench.main, "fp16", own, compiles=True)


def _accuracy(bench: Bench) -> Iterator[Row]:
    passes = [
        row
        for row in bench.rows
        if row.get("statement") == "batch"
        and row["network"] == "matte"
        and row["engine"].startswith("torch")
        and not row["engine"].startswith(COMPILED)
    ]
    for device in bench.devices:
        own = [row for row in passes if row["device"] == device.kind]
        batch = bench.plans[device.kind].batch
        yield from torch_rows(own, batch, bench.photos, bench.weights)


def _training(bench: Bench) -> Iterator[Row]:
    for device in bench.devices:
        yield training_row(device, bench.plans[device.kind])


def _onnxruntime(bench: Bench) -> Iterator[Row]:
    """Measure ONNX Runtime on the CPU, and on a GPU where its provider can be loaded."""
    import onnxruntime  # noqa: PLC0415  optional

    from benchmarks.why_gpu.onnx import CUDA, batch_rows, variant_rows  # noqa: PLC0415

    plan = bench.plans["cpu"]
    for model in _CPU_MODELS:
        yield from batch_rows(bench.repository, model, plan)
    if bench.main.kind == "cpu":
        yield from variant_rows(bench.repository, "matte", plan)
    elif CUDA in onnxruntime.get_available_providers():
        for model in _CUDA_MODELS:
            yield from batch_rows(bench.repository, model, bench.plans["gpu"], CUDA)
    else:
        bench.notes.append(
            "the GPU's figures are torch's own: this onnxruntime has no CUDA provider"
        )


def _pipeline(bench: Bench) -> Iterator[Row]:
    from benchmarks.device_pipeline.measure import pipeline_rows  # noqa: PLC0415  needs OpenCV

    yield from pipeline_rows(
        bench.main, bench.plans[bench.main.kind], bench.repository, bench.photos, bench.weights
    )


# Each with its share of the time; the most important first, in case the time runs out.
TABLES: Final[dict[str, tuple[float, Callable[[Bench], Iterator[Row]]]]] = {
    "peaks": (20, _peaks),
    "matte": (60, _passes("matte")),
    "accuracy": (6, _accuracy),
    "pipeline": (65, _pipeline),
    "isnet": (30, _passes("isnet")),
    "onnxruntime": (25, _onnxruntime),
    "cpu": (25, _cpu_beside),
    "training": (8, _training),
    "alexnet": (8, _passes("alexnet")),
    "compile": (40, _compiled),
}


def set_up(device: Device) -> None:
    """Let a GPU choose its convolutions by trial, and a compiler use every core."""
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", str(len(os.sched_getaffinity(0))))
    if device.kind == "gpu":
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.benchmark_limit = 6
