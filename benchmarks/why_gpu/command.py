"""`python -m benchmarks why-gpu`: the four statements of the field, measured.

A batch amortises; parallel hardware wins when the work is big; lower precision buys speed at a
small loss; training costs more than inference. What a machine lacks is named as left out.
"""

import argparse
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.record import write_record
from benchmarks.table import as_table
from benchmarks.why_gpu.knee import noise_notes
from benchmarks.why_gpu.onnx_batches import onnx_batch_rows
from benchmarks.why_gpu.plan import QUICK, Plan
from benchmarks.why_gpu.precisions import variant_rows

_DEFAULT = "matte"
_TITLES = {
    "batch": "a batch amortises",
    "size": "parallel hardware wins when the work is big",
    "precision": "lower precision buys speed at a small loss",
    "training": "training costs more than inference",
}

Row = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("--repository", type=Path, default=Path("model_repository"))
    parser.add_argument("--photos", type=Path, default=Path("samples"), help="compared on")
    parser.add_argument("--weights", type=Path, default=Path("export/weights/matte.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    parser.add_argument("--quick", action="store_true", help="a smoke run of seconds")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure, print the tables and write the record."""
    plan = QUICK if arguments.quick else Plan()
    rows: list[Row] = []
    repository = arguments.repository
    for model in tqdm((_DEFAULT, f"{_DEFAULT}-int8"), unit="model", desc="onnxruntime"):
        rows += onnx_batch_rows(repository, model, plan)
    rows += variant_rows(repository, _DEFAULT, plan.batch, plan.rounds, plan.turn_s)
    notes = []
    if find_spec("torch"):
        # Torch is optional.
        from benchmarks.why_gpu.devices import devices  # noqa: PLC0415
        from benchmarks.why_gpu.torch_part import measure_device  # noqa: PLC0415

        found = devices()
        for device in found:
            findings = measure_device(device, plan, arguments.photos, arguments.weights)
            rows += findings.rows
            notes += findings.notes
        if len(found) == 1:
            notes.append("GPU rows are left out: torch finds no NVIDIA GPU here")
    else:
        notes.append(
            "matrix products, AlexNet, U²-Net, bf16, training and all GPU rows are left out: "
            "torch, which measures them, is not installed (make setup-dev)"
        )
    notes += noise_notes(rows)
    print_statements(rows, notes)
    told = {"rounds": plan.rounds, "turn_s": plan.turn_s, "networks": plan.networks}
    write_record(arguments.out / "why-gpu.json", "why-gpu", told, rows, seed=0, notes=notes)


def print_statements(rows: Sequence[Row], notes: Sequence[str]) -> None:
    """Print a table for each statement, and the notes."""
    for statement, title in _TITLES.items():
        if part := [row for row in rows if row["statement"] == statement]:
            columns = list(dict.fromkeys(key for row in part for key in row))
            print(f"\n{title}\n{as_table(part, [one for one in columns if one != 'statement'])}")
    print("\n" + "\n".join(notes))
