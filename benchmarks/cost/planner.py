"""From photos per day and a latency objective to gateways, Tritons and GPUs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from benchmarks.cost.curves import Capacity, Point, capacity_under
from benchmarks.cost.prices import Prices
from benchmarks.record import Record
from benchmarks.results_folder import ASKED, Saved, machine_name

_S_PER_DAY = 86_400
_HOURS_PER_DAY = 24
# Of the latency objective: the other half is for decoding, composing, encoding and the wire.
TRITON_SHARE = 0.5
# A photo that comes while a batch is computed waits for it, then for its own.
_PASSES_WAITED = 2

Row = dict[str, Any]


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


def plan(saved: Saved, demand: Demand, prices: Prices) -> tuple[list[Row], list[str]]:
    """Count units of every kind that was measured.

    Args:
        saved: Records of load, sweep and why-gpu; whichever there are.
        demand: What is to be carried.
        prices: Of an hour.

    Returns:
        A row for each kind of unit and price, and what a reader must know.
    """
    rows: list[Row] = []
    notes: list[str] = []
    found = list(_capacities(saved, demand.p95_ms))
    if not found:
        notes.append(
            "no plan: it takes a record of load (open loop), of sweep or of a GPU's batches"
        )
    for what, record, capacity, gpu in found:
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
        rows += _rows(what, record, capacity, demand, prices, gpu=gpu)
    return rows, notes


def _rows(
    what: str, record: Record, capacity: Capacity, demand: Demand, prices: Prices, *, gpu: bool
) -> Iterator[Row]:
    units = demand.units(capacity)
    told = {
        "kind": "plan",
        "unit": what,
        "machine": machine_name(record),
        "photos_per_day": demand.photos_per_day,
        "peak_images_per_s": demand.peak_per_s,
        "objective_p95_ms": demand.p95_ms,
        "capacity_images_per_s": capacity.images_per_s,
        "utilisation": demand.utilisation,
        "units": units,
    }
    for name, per_hour in prices.of_machine(record.machine, gpu=gpu):
        price = units * per_hour * _HOURS_PER_DAY
        yield told | {"price": name, "currency": prices.currency, "price_per_day": price}


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
        rows = [row for row in record.rows if row.get("path") == "triton"]
        if rows:
            gpu = bool(record.machine.get("gpu"))
            yield "Triton alone", record, _best(rows, "p95_ms", TRITON_SHARE * p95_ms), gpu
    for record in saved.of("why-gpu"):
        rows = [
            row
            for row in record.rows
            if row["statement"] == "batch" and row["device"] == "gpu" and row["network"] == "matte"
        ]
        if rows:
            least_ms = TRITON_SHARE * p95_ms / _PASSES_WAITED
            yield "GPU, passes alone", record, _best(rows, "ms_per_pass", least_ms), True


def _best(rows: Sequence[Mapping[str, Any]], latency: str, at_most_ms: float) -> Capacity | None:
    """Take the fastest setting whose latency fits; settings are no curve to go along."""
    rates = [row["images_per_s"] for row in rows if row[latency] <= at_most_ms]
    return Capacity(max(rates), is_bound=True) if rates else None
