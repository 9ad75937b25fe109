"""Variants of a configuration, what is named the bottleneck, and what images cost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.budget import Row, Table, fill
from benchmarks.cost.prices import Prices
from benchmarks.cost.thousand import price_rows
from benchmarks.gpu_serving.gateways import bottleneck
from benchmarks.gpu_serving.gauges import Load
from benchmarks.gpu_serving.tables import FIRST, variant
from benchmarks.results_folder import read_folder
from export.triton_config import read_config
from tests.support.records import GPU_MACHINE, save_record


def test_a_variant_changes_what_it_names(root: Path, tmp_path: Path) -> None:
    asked = variant(
        "two",
        instances=2,
        max_batch_size=32,
        queue_delay_us=500,
        cuda={"prefer_nhwc": "1"},
        parameters={"gpu_tensor_transfer": "bound"},
    )
    asked.write(root / "model_repository", tmp_path, "gpu")
    found = read_config(tmp_path / "two/config.pbtxt")
    assert (found.name, found.max_batch_size) == ("two", 32)
    (group,) = found.instance_group
    assert (group.count, group.kind) == (2, group.KIND_GPU)
    assert found.dynamic_batching.max_queue_delay_microseconds == 500
    (asked,) = found.optimization.execution_accelerators.gpu_execution_accelerator
    assert (asked.name, dict(asked.parameters)) == ("cuda", {"prefer_nhwc": "1"})
    assert found.parameters["gpu_tensor_transfer"].string_value == "bound"
    assert [one.batch_size for one in found.model_warmup] == [1, 32]


def test_without_batching_a_pass_has_one_photo_and_no_scheduler(root: Path) -> None:
    given = read_config(root / "model_repository/matte-fp16/config.pbtxt")
    found = variant("alone", batching=False).put_into(given, "cpu")
    assert found.max_batch_size == 1
    assert not found.HasField("dynamic_batching")
    assert [one.batch_size for one in found.model_warmup] == [1]


def test_the_busy_side_is_the_bottleneck() -> None:
    assert bottleneck(Load(gpu_busy_share=0.4, cpu_busy_share=0.97)) == "cpu cores"
    assert bottleneck(Load(gpu_busy_share=0.95, cpu_busy_share=0.5)) == "gpu"
    assert bottleneck(Load(cpu_busy_share=0.5)).startswith("neither")


def test_the_fastest_row_of_each_kind_is_priced(tmp_path: Path) -> None:
    rows = [
        {**FIRST.columns(), "images_per_s": 500.0},
        {**FIRST.columns(), "images_per_s": 1000.0},
        {"variant": "left out", "error": "the time was over"},
        {"gateways": 2, "photo_megapixels": 1.0, "output": "jpeg", "images_per_s": 100.0},
    ]
    save_record(tmp_path, "gpu-serving.json", "gpu-serving", rows, GPU_MACHINE)
    prices = Prices("credits", {"spot": 0.1}, {"mine": ("H100", 3.6)})
    found, notes = price_rows(read_folder(tmp_path), prices)
    assert not notes
    assert {row["what"]: row["price_per_1000_images"] for row in found} == {
        "Triton alone, matte-fp16": pytest.approx(0.001),
        "gateway, 1 MP, jpeg": pytest.approx(0.01),
    }


def test_tables_share_the_time_and_one_that_fails_does_not_stop_the_others() -> None:
    def failing() -> Iterator[Row]:
        yield {"a": 1}
        raise RuntimeError("no memory")

    def endless() -> Iterator[Row]:
        while True:
            yield {"error": "nothing"}

    rows: list[Row] = []
    notes: list[str] = []
    saved: list[int] = []
    tables = {
        "failing": Table(1, failing),
        "endless": Table(0.01, endless),
        "last": Table(1, lambda: iter([{"b": 2}])),
    }
    empty = fill(tables, 20, rows, notes, lambda: saved.append(len(rows)))
    assert (rows[0], rows[-1], saved[-1]) == ({"a": 1}, {"b": 2}, len(rows))
    assert empty == ["endless"]
    assert notes[0] == "failing: ended after 1 rows, RuntimeError: no memory"
    assert "endless: ended after" in notes[1]
    assert fill(tables, 0, [], notes, lambda: None) == list(tables)
    assert notes[-1] == "last: left out, the time was used up"
