"""Prices, and the planner's arithmetic."""

from pathlib import Path

import pytest

from benchmarks.cost.curves import Point, capacity_under
from benchmarks.cost.planner import Demand
from benchmarks.cost.prices import Prices, per_1000_images
from benchmarks.record import read_record
from tests.support.records import CPU_MACHINE, GPU_MACHINE, save_all, save_record, why_rows
from tests.unit.benchmarks.conftest import Command

POINTS = [Point(10, 10, 100), Point(20, 20, 200), Point(30, 29.5, 400), Point(40, 31, 150)]
EXAMPLE = Path("benchmarks/prices.example.toml")


def test_a_price_per_thousand_is_that_of_the_hour_by_the_thousands_of_the_hour() -> None:
    assert per_1000_images(3.6, 10) == pytest.approx(0.1)


def test_between_measured_points_the_latency_is_interpolated() -> None:
    found = capacity_under(POINTS, 300)
    assert found is not None
    assert found.images_per_s == pytest.approx(25)
    assert found.is_bound


def test_a_rate_that_was_not_kept_up_with_is_none_however_fast_its_answers() -> None:
    found = capacity_under(POINTS, 1000)
    assert found is not None
    assert (found.images_per_s, found.is_bound) == (30, True)


def test_beyond_what_was_measured_nothing_is_assumed() -> None:
    found = capacity_under(POINTS[:2], 1000)
    assert found is not None
    assert (found.images_per_s, found.is_bound) == (20, False)
    assert capacity_under(POINTS, 99) is None
    assert capacity_under([], 100) is None


def test_repeats_of_a_rate_count_once_by_their_median() -> None:
    repeats = [Point(10, 10, 100), Point(10, 10, 900), Point(10, 10, 110), Point(20, 20, 210)]
    found = capacity_under(repeats, 160)
    assert found is not None
    assert found.images_per_s == pytest.approx(15)


def test_units_carry_the_peak_at_the_planned_utilisation() -> None:
    demand = Demand(864_000, peak_factor=3, p95_ms=300, utilisation=0.5)
    capacity = capacity_under(POINTS, 300)
    assert capacity is not None
    assert demand.peak_per_s == pytest.approx(30)
    assert demand.units(capacity) == 3  # 30 / (25 * 0.5) = 2.4


def test_a_cpu_is_priced_by_its_cores_and_a_gpu_by_its_name() -> None:
    prices = Prices.read(EXAMPLE)
    assert dict(prices.of_machine(CPU_MACHINE, gpu=False))["made-up, spot"] == pytest.approx(0.04)
    assert list(prices.of_machine(GPU_MACHINE, gpu=True)) == [("made-up, H100", 4.0)]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("currency = ", "cannot be read"),
        ('currency = "x"', "core_hour"),
        ('currency = "x"\n[core_hour]\na = -1', "negative"),
    ],
)
def test_what_is_no_table_of_prices_is_an_error(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=match):
        Prices.read(path)


def test_the_command_prices_and_plans_from_records_and_says_whose_prices(
    command: Command, tmp_path: Path
) -> None:
    save_all(tmp_path)
    done = command("cost", tmp_path, "--p95-ms", "300")
    assert done.returncode == 0, done.stderr
    record = read_record(tmp_path / "cost.json")
    assert any("made up" in note for note in record.notes)
    plans = {row["unit"] for row in record.rows if row["kind"] == "plan"}
    assert plans == {"gateway with its Triton", "Triton alone", "GPU, passes alone"}
    assert all(row["units"] >= 1 for row in record.rows if row["kind"] == "plan")


def test_an_objective_that_nothing_meets_is_said_and_not_planned(
    command: Command, tmp_path: Path
) -> None:
    save_all(tmp_path)
    done = command("cost", tmp_path, "--p95-ms", "1")
    assert done.returncode == 0, done.stderr
    assert "nothing that was measured has a 95th percentile of 1 ms" in done.stdout
    rows = read_record(tmp_path / "cost.json").rows
    assert {row["unit"] for row in rows if row["kind"] == "plan"} <= {"GPU, passes alone"}


def test_without_curves_there_is_no_plan_and_without_records_an_error(
    command: Command, tmp_path: Path
) -> None:
    save_record(tmp_path / "some", "why-gpu.json", "why-gpu", why_rows("cpu", 1))
    assert "no plan" in command("cost", tmp_path / "some").stdout
    done = command("cost", tmp_path / "none")
    assert done.returncode == 1
    assert "holds no benchmark's record" in done.stderr
