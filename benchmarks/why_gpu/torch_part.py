"""All that torch measures for the four statements, on one device."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.limits.roofline import Peaks
from benchmarks.why_gpu.accuracy import torch_rows
from benchmarks.why_gpu.devices import Device
from benchmarks.why_gpu.passes import pass_rows
from benchmarks.why_gpu.plan import Plan
from benchmarks.why_gpu.products import copy_bytes_per_s, product_rows
from benchmarks.why_gpu.training import training_row

Row = dict[str, Any]


@dataclass
class Findings:
    """What one device gave.

    Attributes:
        rows: Of the four statements.
        limits: The device's peaks, and its networks against the roofline, as rows of `limits`.
        notes: Parts that were left out, with the reason.
    """

    rows: list[Row] = field(default_factory=list)
    limits: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def measure_device(device: Device, plan: Plan, photos: Path, weights: Path) -> Findings:
    """Measure a device: peaks first, then networks in the order of their worth, then training.

    Args:
        device: What to measure.
        plan: How thoroughly; parts that would begin past its budget are left out and noted.
        photos: A folder of photos on which precisions are compared.
        weights: Of the default network.
    """
    found = Findings()
    found.rows += product_rows(device, plan)
    peaks = Peaks(_best(found.rows), copy_bytes_per_s(device, plan))
    found.limits += _peak_rows(device, found.rows, peaks)
    parts = list(_parts(device, plan, peaks, photos, weights, found.rows))
    for what, part in tqdm(parts, unit="part", desc=device.kind):
        if plan.is_over:
            found.notes.append(f"{what} on the {device.kind}: left out, the time was used up")
            continue
        try:
            found.rows += part()
        except (ImportError, RuntimeError, NotImplementedError) as exc:
            found.notes.append(f"{what} on the {device.kind}: left out, {exc}")
    found.limits += _network_rows(device, found.rows)
    return found


def _parts(
    device: Device, plan: Plan, peaks: Peaks, photos: Path, weights: Path, rows: Sequence[Row]
) -> Iterator[tuple[str, Callable[[], list[Row]]]]:
    """Give what is left to measure, each with its name."""
    for name in plan.networks:
        # The default network shows what precision does; the others what size does.
        for precision in device.precisions if name == "matte" else device.precisions[:1]:
            yield (
                f"{name} in {precision}",
                lambda name=name, precision=precision: list(  # type: ignore[misc]
                    pass_rows(name, device, precision, plan, peaks)
                ),
            )
        if name == "matte":
            yield (
                "the loss by precision",
                lambda: list(torch_rows(_default_passes(rows), plan.batch, photos, weights)),
            )
            yield "training", lambda: [training_row(device, plan)]


def _default_passes(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.get("network") == "matte" and row["statement"] == "batch"]


def _best(rows: Sequence[Row]) -> dict[str, float]:
    best: dict[str, float] = {}
    for row in rows:
        rate = row["operations_per_s"]
        best[row["precision"]] = max(rate, best.get(row["precision"], rate))
    return best


def _peak_rows(device: Device, products: Sequence[Row], peaks: Peaks) -> Iterator[Row]:
    told = {"kind": "peak", "device": device.kind, "engine": "torch"}
    for precision, rate in peaks.operations_per_s.items():
        side = next(row["side"] for row in products if row["operations_per_s"] == rate)
        yield told | {"precision": precision, "side": side, "operations_per_s": rate}
    yield told | {"precision": "bytes", "bytes_per_s": peaks.bytes_per_s}


def _network_rows(device: Device, rows: Sequence[Row]) -> Iterator[Row]:
    """Give each network in each precision at its fastest batch, as `limits` has it."""
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row["statement"] == "batch":
            key = row["network"], row["precision"]
            if key not in best or row["images_per_s"] > best[key]["images_per_s"]:
                best[key] = row
    for (name, precision), row in best.items():
        yield {
            "kind": "network",
            "device": device.kind,
            "engine": "torch",
            "model": name,
            "precision": precision,
            "batch": row["batch"],
            **{
                key: row[key]
                for key in (
                    "images_per_s",
                    "limit_images_per_s",
                    "share_of_limit",
                    "operations_per_image",
                    "least_bytes_per_image",
                )
            },
            "intensity_operations_per_byte": row["operations_per_image"]
            / row["least_bytes_per_image"],
        }
