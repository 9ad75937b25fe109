"""The price of a thousand images at each measured throughput."""

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.cost.prices import S_PER_HOUR, Prices, per_1000_images
from benchmarks.record import Record
from benchmarks.results_folder import Row, Saved, machine_name


def price_rows(saved: Saved, prices: Prices) -> tuple[list[dict[str, Any]], list[str]]:
    """Price the fastest setting of everything that was measured.

    Returns:
        Rows, and a note for each GPU without a price.
    """
    best: dict[tuple[str, ...], tuple[Record, Row, bool]] = {}
    for record, row, what, gpu in _throughputs(saved):
        key = what, machine_name(record)
        if key not in best or row["images_per_s"] > best[key][1]["images_per_s"]:
            best[key] = record, row, gpu
    rows, notes = [], []
    for (what, machine), (record, row, gpu) in best.items():
        fitting = list(prices.of_machine(record.machine, gpu=gpu))
        if not fitting:
            notes.append(f"{what}: the table has no price for {record.machine.get('gpu')}")
        rows += [
            {
                "kind": "price",
                "what": what,
                "device": "gpu" if gpu else "cpu",
                "machine": machine,
                "images_per_hour": row["images_per_s"] * S_PER_HOUR,
                "price": name,
                "currency": prices.currency,
                "price_per_hour": per_hour,
                "price_per_1000_images": per_1000_images(per_hour, row["images_per_s"]),
            }
            for name, per_hour in fitting
        ]
    return rows, list(dict.fromkeys(notes))


def _throughputs(saved: Saved) -> Iterator[tuple[Record, Row, str, bool]]:
    """Yield each row with a throughput, what it measures, and whether a GPU did the work."""
    for benchmark, name in _NAMES.items():
        for record, row in saved.rows(benchmark):
            if row.get("images_per_s") and (what := name(row)):
                device = row.get("device")
                gpu = device == "gpu" if device else bool(record.machine.get("gpu"))
                yield record, row, what, gpu


def _case(row: Row) -> str:
    return f"{row['photo_megapixels']:g} MP, {row['output']}"


def _passes(row: Row) -> str:
    """Name passes by the engine; what it was told, such as to use CUDA graphs, is a setting."""
    engine = row["engine"].partition(",")[0]
    # ONNX Runtime's models are named by their precision.
    precision = f", {row['precision']}" if engine == "torch" else ""
    network = row.get("network") or row["model"]
    return f"passes of {network}{precision} alone ({engine})"


# What a row measures, without its setting; empty for a row that is no service and no network.
_NAMES: dict[str, Callable[[Row], str]] = {
    "load": lambda _: "service under load",
    "sweep": lambda row: f"{row['model']} through {row['path']}",
    "peers": lambda row: f"{row['peer']}, {row['model']}, {_case(row)}",
    "limits": lambda row: _passes(row) if row["kind"] == "network" else "",
    "why-gpu": lambda row: _passes(row) if row["statement"] == "batch" else "",
    "device-pipeline": lambda row: f"whole packshots, {row['photo_megapixels']:g} MP",
    "gpu-serving": lambda row: (
        f"gateway, {_case(row)}" if "gateways" in row else f"Triton alone, {row['model']}"
    ),
}
