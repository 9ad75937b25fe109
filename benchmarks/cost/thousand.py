"""What a thousand images cost by every figure of throughput that was measured."""

from collections.abc import Iterator
from typing import Any

from benchmarks.cost.prices import Prices, per_1000_images
from benchmarks.record import Record
from benchmarks.results_folder import Row, Saved, machine_name

_S_PER_HOUR = 3600


def price_rows(saved: Saved, prices: Prices) -> tuple[list[dict[str, Any]], list[str]]:
    """Price the fastest setting of everything that was measured.

    Args:
        saved: The records.
        prices: Of an hour.

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
                "images_per_hour": row["images_per_s"] * _S_PER_HOUR,
                "price": name,
                "currency": prices.currency,
                "price_per_hour": per_hour,
                "price_per_1000_images": per_1000_images(per_hour, row["images_per_s"]),
            }
            for name, per_hour in fitting
        ]
    return rows, list(dict.fromkeys(notes))


def _throughputs(saved: Saved) -> Iterator[tuple[Record, Row, str, bool]]:
    """Give each row with a throughput, what it is of, and whether a GPU did the work."""
    for benchmark in ("load", "sweep", "peers", "limits", "why-gpu", "device-pipeline"):
        for record, row in saved.rows(benchmark):
            if row.get("images_per_s") and (what := _what(benchmark, row)):
                device = row.get("device")
                gpu = device == "gpu" if device else bool(record.machine.get("gpu"))
                yield record, row, what, gpu


def _what(benchmark: str, row: Row) -> str:
    """Name what was measured, without the setting; nothing: it is no service and no network."""
    match benchmark:
        case "load":
            return "service under load"
        case "sweep":
            return f"{row['model']} through {row['path']}"
        case "peers":
            size = f"{row['photo_megapixels']:g} MP"
            return f"{row['peer']}, {row['model']}, {size}, {row['output']}"
        case "limits" | "why-gpu" if (
            row.get("kind") == "network" or row.get("statement") == "batch"
        ):
            return _passes(row)
        case "device-pipeline":
            return f"whole packshots, {row['photo_megapixels']:g} MP"
    return ""


def _passes(row: Row) -> str:
    """Name passes by the engine; what it was told, such as to use CUDA graphs, is a setting."""
    engine = row["engine"].partition(",")[0]
    # ONNX Runtime's models are named by their precision.
    precision = f", {row['precision']}" if engine == "torch" else ""
    network = row.get("network") or row["model"]
    return f"passes of {network}{precision} alone ({engine})"
