"""All tables of serving on a GPU: `python -m benchmarks.gpu_serving --out FOLDER --budget-s 200`.

The record is written after every row, so that a call that is cut off leaves what it had. A table
that fails leaves its error and does not stop the next ones. `--smoke` checks within seconds that
the GPU is used at all; `--allow-cpu` rehearses everything without a GPU.
"""

import argparse
import os
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cost.prices import Prices, per_1000_images
from benchmarks.gpu_serving import tables
from benchmarks.gpu_serving.gateways import gateway_rows
from benchmarks.gpu_serving.gauges import processes_on_gpu
from benchmarks.gpu_serving.triton import Triton, running_triton
from benchmarks.gpu_serving.variants import Variant
from benchmarks.machine import describe_machine
from benchmarks.record import write_record
from benchmarks.table import as_table
from serving.host import has_nvidia_gpu

Row = dict[str, Any]

_GATEWAY_SHARE = 0.24
_COLUMNS = (
    *("variant", "gateways", "photo_megapixels", "output", "concurrency", "memory"),
    *("images_per_s", "p50_ms", "p95_ms", "compute_ms", "mean_batch", "load_s"),
    *("gpu_busy_share", "cpu_busy_share", "largest_difference", "share_within_2", "bottleneck"),
    *("cudnn_conv_algo_search", "first_ms_sum", "later_ms_sum", "what", "price"),
    *("price_per_1000_images", "error"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 1 without a GPU unless allowed, or if a table has no row of measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_serving", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "out/bench")))
    parser.add_argument("--repository", type=Path, default=Path("model_repository"))
    parser.add_argument("--prices", type=Path, default=Path("benchmarks/prices.example.toml"))
    parser.add_argument("--budget-s", type=float, default=200.0)
    parser.add_argument("--only", nargs="+", help="tables to run")
    parser.add_argument("--allow-cpu", action="store_true", help="rehearse without a GPU")
    parser.add_argument("--quick", action="store_true", help="few requests a point")
    parser.add_argument("--smoke", action="store_true", help="only whether the GPU is used at all")
    options = parser.parse_args(arguments)
    kind = "gpu" if has_nvidia_gpu() else "cpu"
    if kind == "cpu" and not options.allow_cpu:
        print("error: the driver shows no GPU here; --allow-cpu rehearses without one")
        return 1
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        try:
            with running_triton(
                options.repository.resolve(), scratch, tables.FIRST, kind, quick=options.quick
            ) as triton:
                return _smoke(triton) if options.smoke else _Run(options, triton, scratch).tables()
        except Exception:
            print(_tail(scratch / "serving.log"))
            raise
        finally:
            with suppress(OSError):
                options.out.mkdir(parents=True, exist_ok=True)
                what = "smoke" if options.smoke else "tables"
                (options.out / f"gpu-serving-{what}.log").write_text(
                    _tail(scratch / "serving.log", 2000)
                )


class _Run:
    """All tables of one call."""

    def __init__(self, options: argparse.Namespace, triton: Triton, scratch: Path) -> None:
        self._options, self._triton, self._scratch = options, triton, scratch
        self._end_s = time.monotonic() + options.budget_s
        self._rows: list[Row] = []
        self._notes: list[str] = []

    def tables(self) -> int:
        """Run every table within its share of the time, the gateway's before the last ones."""
        names = [*(name for name, _, _ in tables.TABLES[:3]), "gateway"]
        names += [name for name, _, _ in tables.TABLES[3:]]
        names += ["cost"]
        failed = [name for name in names if self._wanted(name) and not self._table(name)]
        print(f"tables without a measurement: {', '.join(failed) or 'none'}")
        return 1 if failed else 0

    def _wanted(self, name: str) -> bool:
        return not self._options.only or name in self._options.only

    def _table(self, name: str) -> bool:
        """Run one table; tell whether it measured anything."""
        start_s = time.monotonic()
        rows: list[Row] = []
        if start_s > self._end_s and name != "cost":
            self._note(name, "left out: the time was over")
            return False
        try:
            for row in self._rows_of(name, start_s):
                rows.append({"table": name, **row})
                self._rows.append(rows[-1])
                self._write()
        except Exception:  # noqa: BLE001  whatever one table meets, the others are to be run
            self._note(name, f"failed: {traceback.format_exc()[-1500:]}")
        print(f"== {name} ({time.monotonic() - start_s:.1f} s)", flush=True)
        if rows:
            print(as_table(rows, [c for c in _COLUMNS if any(c in row for row in rows)]))
        return any("error" not in row for row in rows)

    def _note(self, table: str, text: str) -> None:
        self._notes.append(f"{table}: {text}")
        print(self._notes[-1], flush=True)
        self._write()

    def _rows_of(self, name: str, start_s: float) -> Iterator[Row]:
        budget_s = self._options.budget_s
        if name == "cost":
            return cost_rows(list(self._rows), Prices.read(self._options.prices))
        if name == "gateway":
            end_s = min(self._end_s, start_s + _GATEWAY_SHARE * budget_s)
            seconds = 1.5 if self._options.quick else 3.0
            return gateway_rows(self._triton, self._scratch, seconds, end_s)
        table, share = next((t, share) for n, t, share in tables.TABLES if n == name)
        return table(self._triton, min(self._end_s, start_s + share * budget_s))

    def _write(self) -> None:
        told = {"kind": self._triton.kind, "budget_s": self._options.budget_s}
        path = self._options.out / "gpu-serving.json"
        write_record(path, "gpu-serving", told, self._rows, notes=self._notes)


def cost_rows(measured: Sequence[Row], prices: Prices) -> Iterator[Row]:
    """Price a thousand images of the fastest row of each kind: Triton alone, and the gateway.

    A price of a GPU's hour is that of its whole machine, cores included.
    """
    machine = describe_machine()
    best: dict[str, Row] = {}
    for row in measured:
        if row.get("images_per_s"):
            if "gateways" in row:
                what = f"gateway, {row['photo_megapixels']:g} MP, {row['output']}"
            else:
                what = f"Triton alone, {row['model']}"
            if row["images_per_s"] > best.get(what, {}).get("images_per_s", 0.0):
                best[what] = row
    for what, row in best.items():
        for gpu in (True, False):
            for name, per_hour in prices.of_machine(machine, gpu=gpu):
                yield {
                    "what": what,
                    "setting": row.get("variant"),
                    "images_per_s": row["images_per_s"],
                    "price": name,
                    "priced_by": "gpu-hour" if gpu else "core-hours of all cores",
                    "currency": prices.currency,
                    "price_per_hour": per_hour,
                    "price_per_1000_images": per_1000_images(per_hour, row["images_per_s"]),
                }


def _smoke(triton: Triton) -> int:
    """Answer one request on each way of tensors, and say what ran it.

    A way that fails is told and no more: the plain one is what must work.
    """
    photos = tables.read_photos(Path("samples"))
    print("machine:", describe_machine())
    print("first:", tables.described(triton, tables.FIRST.name))
    print("answers:", np.unique(triton.infer(tables.FIRST.name, photos)).size, "values")
    for way in ("pinned", "bound"):
        parameters = {"gpu_tensor_transfer": way, "gpu_batch_sizes": "1,4,16"}
        try:
            with triton.serving(Variant(f"smoke-{way}", parameters=parameters)) as columns:
                same = (
                    triton.infer(f"smoke-{way}", photos) == triton.infer(tables.FIRST.name, photos)
                ).mean()
                print(way, columns["load_s"], "s to load; same bytes:", same)
        except Exception as exc:  # noqa: BLE001  each way is tried
            print(way, "failed:", str(exc)[-800:])
    print("on the GPU:", processes_on_gpu())
    print("perf_analyzer:", triton.ask(tables.FIRST.name, 4))
    return 0


def _tail(path: Path, lines: int = 40) -> str:
    if not path.is_file():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


if __name__ == "__main__":
    raise SystemExit(main())
