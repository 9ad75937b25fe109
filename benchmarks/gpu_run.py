"""All that is measured on a GPU, in one call of ten minutes: `python -m benchmarks.gpu_run`.

It needs Python, torch, NumPy, Pillow, psutil, safetensors and tqdm, and no network, so that it runs
on a machine that is lent for minutes. It writes two records, `gpu-limits.json` and `gpu-why.json`;
the report reads them beside those of other machines. ONNX Runtime's CUDA provider is measured where
it can be loaded; where it cannot, torch's own figures stand alone, and are named as torch's.
"""

import argparse
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from benchmarks.record import write_record
from benchmarks.why_gpu.devices import devices
from benchmarks.why_gpu.knee import noise_notes
from benchmarks.why_gpu.plan import GPU_BATCHES, QUICK, Plan
from benchmarks.why_gpu.torch_part import measure_device

_ROOT = Path(__file__).resolve().parents[1]
_BUDGET_S = 540.0  # of the ten minutes; the rest is for starting and for the last part begun
_CPU_SHARE = 0.3  # of the time: the CPU is there to compare with
_GPU_SIDES = (64, 256, 1024, 4096, 8192, 16384)  # at the last one the best GPUs are saturated
_GPU_BATCH = 32
_CUDA_MODELS = ("matte", "matte-fp16")

Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write both records; 1 without a GPU, unless `--allow-cpu` says it may."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_run", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "out/bench")))
    parser.add_argument("--repository", type=Path, default=_ROOT / "model_repository")
    parser.add_argument("--photos", type=Path, default=_ROOT / "samples")
    parser.add_argument("--weights", type=Path, default=_ROOT / "export/weights/matte.safetensors")
    parser.add_argument("--budget-s", type=float, default=_BUDGET_S)
    parser.add_argument("--allow-cpu", action="store_true", help="measure the CPU alone")
    parser.add_argument("--quick", action="store_true", help="a smoke run of seconds")
    options = parser.parse_args(arguments)
    found = {one.kind: one for one in devices()}
    if "gpu" not in found and not options.allow_cpu:
        print("error: torch finds no NVIDIA GPU here; --allow-cpu measures the CPU alone")
        return 1
    rows: list[Row] = []
    limits: list[Row] = []
    notes = [] if "gpu" in found else ["GPU rows are left out: torch finds no NVIDIA GPU here"]
    # The GPU first: it is what the call is for.
    for kind in sorted(found, reverse=True):
        findings = measure_device(
            found[kind], plan_for(kind, options), options.photos, options.weights
        )
        rows += findings.rows
        limits += findings.limits
        notes += [*findings.notes, *noise_notes(findings.rows)]
        if kind == "gpu":
            cuda_rows, cuda_notes = _onnxruntime_rows(options)
            rows += cuda_rows
            notes += cuda_notes
        _write(options, rows, limits, notes)  # what there is survives a call that is cut off
    print("\n".join(notes))
    return 0


def plan_for(kind: str, options: argparse.Namespace) -> Plan:
    """Share the time out: most of it for the GPU."""
    if options.quick:
        return QUICK
    if kind == "gpu":
        return Plan(
            sides=_GPU_SIDES,
            batches=GPU_BATCHES,
            batch=_GPU_BATCH,
            turn_s=0.2,
            budget_s=(1 - _CPU_SHARE) * options.budget_s,
        )
    return Plan(
        batch=_GPU_BATCH, batches=(1, 8, _GPU_BATCH), budget_s=_CPU_SHARE * options.budget_s
    )


def _onnxruntime_rows(options: argparse.Namespace) -> tuple[list[Row], list[str]]:
    """Measure ONNX Runtime on the GPU where it can, else say why not."""
    if not find_spec("onnxruntime"):
        return [], ["the GPU's figures are torch's own: onnxruntime is not installed"]
    import onnxruntime  # noqa: PLC0415  optional

    from benchmarks.why_gpu.onnx_batches import CUDA, onnx_batch_rows  # noqa: PLC0415

    if CUDA not in onnxruntime.get_available_providers():
        return [], ["the GPU's figures are torch's own: this onnxruntime has no CUDA provider"]
    plan = plan_for("gpu", options)
    rows: list[Row] = []
    try:
        for model in _CUDA_MODELS:
            rows += onnx_batch_rows(options.repository, model, plan, CUDA)
    except Exception as exc:  # noqa: BLE001  ONNX Runtime's own errors share no public base
        return rows, [f"the GPU's figures are torch's own: onnxruntime on CUDA failed, {exc}"]
    return rows, []


def _write(
    options: argparse.Namespace, rows: Sequence[Row], limits: Sequence[Row], notes: Sequence[str]
) -> None:
    told = {"budget_s": options.budget_s, "torch": torch.__version__, "cuda": torch.version.cuda}
    for name, benchmark, part in (
        ("gpu-limits.json", "limits", limits),
        ("gpu-why.json", "why-gpu", rows),
    ):
        write_record(options.out / name, benchmark, told, part, seed=0, notes=notes)


if __name__ == "__main__":
    raise SystemExit(main())
