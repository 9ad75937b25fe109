"""All tables of serving on a GPU: `python -m benchmarks.gpu_serving --out FOLDER --budget-s 200`.

The record is written while the tables grow, so that an interrupted call leaves what it had.
`--only proof --quick` checks within seconds that the GPU is used; `--allow-cpu` rehearses without
a GPU. `python -m benchmarks cost` prices the record.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.budget import Row, Table, fill
from benchmarks.flags import add_flags
from benchmarks.gpu_serving import tables
from benchmarks.gpu_serving.gateways import gateway_rows
from benchmarks.record import write_record
from benchmarks.table import as_table
from benchmarks.triton import Triton, running_triton
from serving.host import has_nvidia_gpu

_COLUMNS = (
    *("variant", "gateways", "photo_megapixels", "output", "concurrency", "memory"),
    *("images_per_s", "p50_ms", "p95_ms", "compute_ms", "mean_batch", "load_s"),
    *("gpu_busy_share", "cpu_busy_share", "largest_difference", "share_within_2", "bottleneck"),
    "error",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 1 without a GPU unless allowed, or if a table has no measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_serving", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "out/bench")))
    add_flags(parser, "--quick", "--repository")
    parser.add_argument("--budget-s", type=float, default=200.0)
    parser.add_argument("--only", nargs="+", help="tables to run")
    parser.add_argument("--allow-cpu", action="store_true", help="rehearse without a GPU")
    options = parser.parse_args(arguments)
    kind = "gpu" if has_nvidia_gpu() else "cpu"
    if kind == "cpu" and not options.allow_cpu:
        print("error: the driver shows no GPU here; --allow-cpu rehearses without one")
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        try:
            with running_triton(
                options.repository.resolve(), scratch, tables.FIRST, kind
            ) as triton:
                return _measure(triton, scratch, options)
        finally:
            log = scratch / "serving.log"
            if log.is_file():
                (options.out / "gpu-serving.log").write_bytes(log.read_bytes())


def _measure(triton: Triton, scratch: Path, options: argparse.Namespace) -> int:
    quick = options.quick
    seconds = 1.5 if quick else 3.0
    # The shares of the time, in the order of importance.
    wanted = {
        "proof": Table(0.1, partial(tables.proof, triton)),
        "curves": Table(0.28, partial(tables.curves, triton, quick=quick)),
        "traps": Table(0.24, partial(tables.traps, triton, quick=quick)),
        "gateway": Table(0.24, partial(gateway_rows, triton, scratch, seconds, quick=quick)),
        "shared-memory": Table(0.09, partial(tables.shared_memory, triton, quick=quick)),
        "queue-delay": Table(0.05, partial(tables.queue_delay, triton, quick=quick)),
    }
    rows: list[Row] = []
    notes: list[str] = []
    told = {"kind": triton.kind, "budget_s": options.budget_s}

    def save() -> None:
        write_record(options.out / "gpu-serving.json", "gpu-serving", told, rows, notes=notes)

    chosen = {name: one for name, one in wanted.items() if name in (options.only or [name])}
    empty = fill(chosen, options.budget_s, rows, notes, save)
    print(as_table(rows, [name for name in _COLUMNS if any(name in row for row in rows)]))
    print("\n".join([*notes, f"tables without a measurement: {', '.join(empty) or 'none'}"]))
    return 1 if empty else 0


if __name__ == "__main__":
    raise SystemExit(main())
