"""From photos per day and a latency objective to gateways, Tritons and GPUs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from benchmarks.cost.curves import Capacity, Point, capacity_under
from benchmarks.cost.prices import Prices
from benchmarks.record import Record
from benchmarks.results_folder import ASKED, Row, Saved, machine_name

_S_PER_DAY = 86_400
_HOURS_PER_DAY = 24
# Of the latency objective: the other half is for decoding, composing, encoding and the wire.
TRITON_SHARE = 0.5
# A photo that comes while a batch is computed waits for it, then for its own.
_PASSES_WAITED = 2


@dataclass(frozen=True, slots=True)
class Demand:
    """What is to be carried."""

    photos_per_day: float  # on an ordinary day
    peak_factor: float  # of the busiest hour against the day's average
    p95_ms: float  # the latency objective
    # Share of a unit's capacity that is planned with; the rest is for bursts within the hour and
    # for the loss of a unit
    utilisation: float

    @property
    def peak_per_s(self) -> float:
        """Photos a second in the busiest hour."""
        return self.photos_per_day / _S_PER_DAY * self.peak_factor

    def units(self, capacity: Capacity) -> int:
        """Count the units that carry the peak."""
        return max(1, ceil(self.peak_per_s / (self.utilisation * capacity.images_per_s)))


def plan(saved: Saved, demand: Demand, prices: Prices) -> tuple[list[dict[str, Any]], list[str]]:
    """Count units of every kind that was measured.

    Args:
        saved: Records of load, sweep and why-gpu; whichever there are.
        demand: What is to be carried.
        prices: Of an hour.

    Returns:
        A row for each kind of unit and price, and what a reader must know.
    """
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for what, record, capacity, gpu in _capacities(saved, demand.p95_ms):
        name = f"{what} on {machine_name(record)}"
        if capacity is None:
            notes.append(
                f"{name}: nothing that was measured has a 95th percentile of {demand.p95_ms:g} ms"
            )
            continue
        if not capacity.is_bound:
            notes.append(
                f"{name}: even the highest rate that was measured, {capacity.images_per_s:.1f}/s, "
                "meets the objective; the plan stays with it, the true capacity is higher"
            )
        units = demand.units(capacity)
        rows += [
            {
                "kind": "plan",
                "unit": what,
                "machine": machine_name(record),
                "photos_per_day": demand.photos_per_day,
                "peak_images_per_s": demand.peak_per_s,
                "objective_p95_ms": demand.p95_ms,
                "capacity_images_per_s": capacity.images_per_s,
                "utilisation": demand.utilisation,
                "units": units,
                "price": price,
                "currency": prices.currency,
                "price_per_day": units * per_hour * _HOURS_PER_DAY,
            }
            for price, per_hour in prices.of_machine(record.machine, gpu=gpu)
        ]
    if not rows and not notes:
        notes.append(
            "no plan: it takes a record of load (open loop), of sweep or of a GPU's batches"
        )
    return rows, notes


def _capacities(saved: Saved, p95_ms: float) -> Iterator[tuple[str, Record, Capacity | None, bool]]:
    """Return each unit with its record, its capacity and whether a GPU does the work."""
    for record in saved.of("load"):
        points = [
            Point(row[ASKED], row["images_per_s"], row["p95_ms"])
            for row in record.rows
            if row.get(ASKED) is not None and row.get("p95_ms") is not None
        ]
        if points:
            gpu = bool(record.machine.get("gpu"))
            yield "gateway with its Triton", record, capacity_under(points, p95_ms), gpu
    for record in saved.of("sweep"):
        if rows := [row for row in record.rows if row.get("path") == "triton"]:
            gpu = bool(record.machine.get("gpu"))
            yield "Triton alone", record, _best(rows, "p95_ms", TRITON_SHARE * p95_ms), gpu
    of_gpu = {"statement": "batch", "device": "gpu", "network": "matte"}
    for record in saved.of("why-gpu"):
        if rows := [row for row in record.rows if of_gpu.items() <= row.items()]:
            least_ms = TRITON_SHARE * p95_ms / _PASSES_WAITED
            yield "GPU, passes alone", record, _best(rows, "ms_per_pass", least_ms), True


def _best(rows: Sequence[Row], latency: str, at_most_ms: float) -> Capacity | None:
    """Take the fastest setting whose latency fits; settings are no curve to go along."""
    rates = [row["images_per_s"] for row in rows if row[latency] <= at_most_ms]
    return Capacity(max(rates), is_bound=True) if rates else None
