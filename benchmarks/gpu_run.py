"""All measurements on a GPU in one call: `python -m benchmarks.gpu_run`.

It needs Python, torch, torchvision, NumPy, OpenCV, Numba, Pillow, ONNX Runtime and psutil, and no
network, so that it runs on a machine that is hired for minutes. Each table has its share of the
time; one that fails or whose time is over is named in the notes, and the others go on. Records are
written while tables grow: `why-gpu.json`, `gpu-limits.json` and `device-pipeline.json`, which the
report reads beside those of other machines. `python -m benchmarks why-gpu` is the same, and also
runs where there is no GPU.
"""

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.budget import Row, Table, fill
from benchmarks.record import write_record
from benchmarks.table import as_table, columns

_ROOT = Path(__file__).resolve().parents[1]
_LIMIT_KEYS: Final = (
    *("images_per_s", "limit_images_per_s", "share_of_limit", "limit_by_layers_images_per_s"),
    *("share_of_limit_by_layers", "operations_per_image", "least_bytes_per_image"),
)


def add_arguments(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("--out", type=Path, default=Path(environ.get("OUT", "out/bench")))
    parser.add_argument("--repository", type=Path, default=_ROOT / "model_repository")
    parser.add_argument("--photos", type=Path, default=_ROOT / "samples", help="compared on")
    parser.add_argument("--weights", type=Path, default=_ROOT / "export/weights/matte.safetensors")
    parser.add_argument("--budget-s", type=float, default=float("inf"), help="no longer than this")
    parser.add_argument("--only", nargs="+", metavar="TABLE", help="run these tables alone")
    parser.add_argument("--quick", action="store_true", help="a smoke run of seconds")
    parser.set_defaults(allow_cpu=True)


def run(options: argparse.Namespace, _environ: Mapping[str, str] = os.environ) -> None:
    """Measure, print the tables and write the records.

    Raises:
        SystemExit: There is no GPU and none may be missing, or a table is not known.
    """
    begun_s = time.monotonic()
    try:
        from benchmarks.why_gpu import plan, tables  # noqa: PLC0415  torch is optional
    except ModuleNotFoundError as exc:
        raise SystemExit(f"error: {exc.name} is not installed (make setup-dev)") from exc

    if unknown := set(options.only or ()) - set(tables.TABLES):
        raise SystemExit(f"error: no table {', '.join(unknown)}; of {', '.join(tables.TABLES)}")
    beside = plan.QUICK if options.quick else plan.CPU_BESIDE
    plans = {"gpu": plan.QUICK if options.quick else plan.GPU, "cpu": beside}
    bench = tables.Bench(plans, options.repository, options.photos, options.weights)
    if bench.main.kind == "cpu":
        if not options.allow_cpu:
            raise SystemExit(
                "error: torch finds no NVIDIA GPU here; --allow-cpu measures the CPU alone"
            )
        bench.notes.append("GPU rows are left out: torch finds no NVIDIA GPU here")
        plans["cpu"] = plan.QUICK if options.quick else plan.CPU
    tables.set_up(bench.main)
    chosen = {
        name: Table(share, partial(rows, bench))
        for name, (share, rows) in tables.TABLES.items()
        if name in (options.only or [name])
    }
    left_s = options.budget_s - (time.monotonic() - begun_s)
    fill(chosen, left_s, bench.rows, bench.notes, partial(_save, bench, options))
    parts: dict[str, list[Row]] = {}
    for row in bench.rows:
        kind = row.get("statement") or row.get("kind") or "pipeline"
        parts.setdefault(kind, []).append(row)
    for kind, part in parts.items():
        print(f"\n{kind}\n{as_table(part, columns(part, but={'statement'}))}")
    print("\n" + "\n".join(bench.notes))


def _save(bench: Any, options: argparse.Namespace) -> None:
    """Write all that there is."""
    import torch  # noqa: PLC0415  optional

    from benchmarks.why_gpu.passes import finish, noise_notes  # noqa: PLC0415
    from benchmarks.why_gpu.tables import peak_rows  # noqa: PLC0415

    finish(bench.rows)
    told = {
        **{key: getattr(options, key) for key in ("budget_s", "only", "quick")},
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
    }
    notes = [*bench.notes, *noise_notes(bench.rows)]
    parts = {
        "why-gpu": ("why-gpu", [row for row in bench.rows if "statement" in row]),
        "device-pipeline": ("device-pipeline", [row for row in bench.rows if "path" in row]),
    }
    if bench.main.kind == "gpu":  # a CPU's limits are `limits`' own
        limits = [*peak_rows(bench.rows), *network_rows(bench.rows)]
        parts["gpu-limits"] = ("limits", limits)
    for name, (benchmark, rows) in parts.items():
        if rows:
            write_record(options.out / f"{name}.json", benchmark, told, rows, seed=0, notes=notes)


def network_rows(rows: Sequence[Row]) -> list[Row]:
    """Return each network on each device, in each precision, at its fastest, as `limits` has it."""
    best: dict[tuple[str, ...], Row] = {}
    for row in rows:
        if row.get("statement") == "batch" and "limit_images_per_s" in row:
            key = row["device"], row["network"], row["precision"]
            if key not in best or row["images_per_s"] > best[key]["images_per_s"]:
                best[key] = row
    return [
        {"kind": "network", "model": row["network"]}
        | {key: row[key] for key in ("device", "engine", "precision", "batch", *_LIMIT_KEYS)}
        | {
            "intensity_operations_per_byte": row["operations_per_image"]
            / row["least_bytes_per_image"]
        }
        for row in best.values()
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on a GPU; 1 without one, unless `--allow-cpu` says that it may be missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_run", description=__doc__)
    add_arguments(parser, os.environ)
    parser.set_defaults(allow_cpu=False)
    parser.add_argument("--allow-cpu", action="store_true", help="measure the CPU alone")
    run(parser.parse_args(arguments))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
