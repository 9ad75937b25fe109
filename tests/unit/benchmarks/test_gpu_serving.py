"""Variants of a configuration, what is named the bottleneck, and what images cost."""

from pathlib import Path

import pytest

from benchmarks.cost.prices import GpuPrice, Prices
from benchmarks.gpu_serving import __main__ as command
from benchmarks.gpu_serving.gateways import bottleneck
from benchmarks.gpu_serving.gauges import Load
from benchmarks.gpu_serving.tables import FIRST
from benchmarks.gpu_serving.variants import Variant
from export.triton_config import read_config


def test_a_variant_changes_what_it_names(root: Path, tmp_path: Path) -> None:
    variant = Variant(
        "two",
        instances=2,
        max_batch_size=32,
        queue_delay_us=500,
        cuda={"prefer_nhwc": "1"},
        parameters={"gpu_tensor_transfer": "bound"},
    )
    variant.write(root / "model_repository", tmp_path, "gpu")
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
    found = Variant("alone", batching=False).message(given, "cpu")
    assert found.max_batch_size == 1
    assert not found.HasField("dynamic_batching")
    assert [one.batch_size for one in found.model_warmup] == [1]


def test_the_busy_side_is_the_bottleneck() -> None:
    assert bottleneck(Load(gpu_busy_share=0.4, cpu_busy_share=0.97)) == "cpu cores"
    assert bottleneck(Load(gpu_busy_share=0.95, cpu_busy_share=0.5)) == "gpu"
    assert bottleneck(Load(cpu_busy_share=0.5)).startswith("neither")


def test_the_fastest_row_of_each_kind_is_priced(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = {"gpu": "NVIDIA H100 80GB HBM3", "cores": 16}
    monkeypatch.setattr(command, "describe_machine", lambda: machine)
    prices = Prices("credits", {"spot": 0.1}, {"mine": GpuPrice("H100", 3.6)})
    rows = [
        {**FIRST.columns(), "images_per_s": 500.0},
        {**FIRST.columns(), "images_per_s": 1000.0},
        {"variant": "left out", "error": "the time was over"},
        {"gateways": 2, "photo_megapixels": 1.0, "output": "jpeg", "images_per_s": 100.0},
    ]
    found = {
        (row["what"], row["priced_by"]): row["price_per_1000_images"]
        for row in command.cost_rows(rows, prices)
    }
    assert found == {
        ("Triton alone, matte-fp16", "gpu-hour"): pytest.approx(0.001),
        ("Triton alone, matte-fp16", "core-hours of all cores"): pytest.approx(0.000444, rel=1e-2),
        ("gateway, 1 MP, jpeg", "gpu-hour"): pytest.approx(0.01),
        ("gateway, 1 MP, jpeg", "core-hours of all cores"): pytest.approx(0.00444, rel=1e-2),
    }
