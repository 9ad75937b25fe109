"""The four statements: the knee, and both commands as smoke runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.record import read_record
from benchmarks.why_gpu.knee import knee_of, noise_notes


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("rates", "knee"),
    [({1: 10, 2: 19, 4: 30, 8: 31}, 4), ({1: 10, 2: 9}, 1), ({1: 1, 2: 2, 4: 4}, 4)],
)
def test_the_knee_is_the_smallest_batch_near_the_best(rates: dict[int, float], knee: int) -> None:
    assert knee_of(rates) == knee


def test_a_series_that_spreads_by_more_than_a_tenth_is_named_once() -> None:
    told = {"network": "matte", "precision": "fp32", "engine": "torch", "device": "cpu"}
    rows = [told | {"spread_share": share} for share in (0.05, 0.2, 0.3)]
    assert list(noise_notes(rows)) == [
        "matte in fp32, torch on the cpu: noisy, up to ± 30% over rounds"
    ]
    assert not list(noise_notes(rows[:1]))


def test_why_gpu_measures_the_four_statements_and_names_what_it_leaves_out(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    done = bench("benchmarks", "why-gpu", "--quick", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    record = read_record(tmp_path / "why-gpu.json")
    assert {row["statement"] for row in record.rows} == {"batch", "size", "precision", "training"}
    training = next(row for row in record.rows if row["statement"] == "training")
    assert training["times_forward"] > 0
    lost = {row["precision"]: row["mean_difference"] for row in record.rows if "iou_lost" in row}
    assert lost["fp32"] == 0
    assert 0 < lost["fp16"] < lost["int8"]
    if not any(row["device"] == "gpu" for row in record.rows):
        assert any("GPU rows are left out" in note for note in record.notes)


def test_the_gpu_run_refuses_a_machine_without_one_unless_allowed(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    refused = bench("benchmarks.gpu_run", "--quick", "--out", tmp_path)
    assert refused.returncode == 1
    assert "no NVIDIA GPU" in refused.stdout
    assert not list(tmp_path.iterdir())
    done = bench("benchmarks.gpu_run", "--quick", "--allow-cpu", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    limits = read_record(tmp_path / "gpu-limits.json")
    assert {"fp32", "bytes"} <= {row["precision"] for row in limits.rows if row["kind"] == "peak"}
    assert read_record(tmp_path / "gpu-why.json").rows


def test_a_budget_that_is_used_up_leaves_parts_out_and_says_so(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from benchmarks.why_gpu.devices import devices  # noqa: PLC0415  needs torch
    from benchmarks.why_gpu.plan import Plan  # noqa: PLC0415
    from benchmarks.why_gpu.torch_part import measure_device  # noqa: PLC0415

    plan = Plan(networks=("matte",), sides=(64,), rounds=1, turn_s=0, budget_s=-1)
    found = measure_device(devices()[0], plan, tmp_path, tmp_path)
    assert all(row["statement"] == "size" for row in found.rows)
    assert any("the time was used up" in note for note in found.notes)


def test_after_a_pass_that_takes_too_long_no_larger_batch_is_tried() -> None:
    pytest.importorskip("torch")
    from benchmarks.limits.roofline import Peaks  # noqa: PLC0415
    from benchmarks.why_gpu.devices import devices  # noqa: PLC0415  needs torch
    from benchmarks.why_gpu.passes import pass_rows  # noqa: PLC0415
    from benchmarks.why_gpu.plan import Plan  # noqa: PLC0415

    plan = Plan(batches=(1, 2), rounds=2, turn_s=0, longest_pass_s=0)
    rows = list(pass_rows("matte", devices()[0], "fp32", plan, Peaks({"fp32": 1e12}, 1e10)))
    assert [row["batch"] for row in rows] == [1]
    assert rows[0]["limit_images_per_s"] == pytest.approx(1e12 / rows[0]["operations_per_image"])
