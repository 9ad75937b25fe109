"""The four statements: the knee, and both commands as smoke runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.record import read_record
from tests.unit.benchmarks.conftest import Command

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("rates", "knee"),
    [({1: 10, 2: 19, 4: 30, 8: 31}, 4), ({1: 10, 2: 9}, 1), ({1: 1, 2: 2, 4: 4}, 4)],
)
def test_the_knee_is_the_smallest_batch_near_the_best(rates: dict[int, float], knee: int) -> None:
    pytest.importorskip("torch")
    from benchmarks.why_gpu.passes import knee_of  # noqa: PLC0415  needs torch

    assert knee_of(rates) == knee


def test_a_series_that_spreads_by_more_than_a_tenth_is_named_once() -> None:
    pytest.importorskip("torch")
    from benchmarks.why_gpu.passes import noise_notes  # noqa: PLC0415  needs torch

    told = {"network": "matte", "precision": "fp32", "engine": "torch", "device": "cpu"}
    rows = [told | {"spread_share": share} for share in (0.05, 0.2, 0.3)]
    assert list(noise_notes(rows)) == [
        "matte in fp32, torch on the cpu: noisy, up to ± 30% over rounds"
    ]
    assert not list(noise_notes(rows[:1]))


@pytest.mark.timeout(400)
def test_why_gpu_measures_the_four_statements_and_names_what_it_leaves_out(
    command: Command, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "mug.jpg").symlink_to(ROOT / "samples/mug.jpg")
    tables = ("peaks", "matte", "accuracy", "onnxruntime", "training")
    told = ("--quick", "--out", tmp_path, "--photos", photos)
    done = command("why-gpu", *told, "--only", *tables)
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


@pytest.mark.timeout(400)
def test_the_gpu_run_refuses_a_machine_without_one_unless_allowed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    from benchmarks import gpu_run  # noqa: PLC0415

    told = ("--quick", "--out", str(tmp_path))
    with pytest.raises(SystemExit, match="no NVIDIA GPU"):
        gpu_run.main(told)
    assert not list(tmp_path.iterdir())
    assert gpu_run.main([*told, "--allow-cpu", "--only", "peaks", "pipeline"]) == 0
    assert "pipeline: " in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"why-gpu.json", "device-pipeline.json"}
    rows = read_record(tmp_path / "device-pipeline.json").rows
    assert {row["path"] for row in rows} == {"device", "cpu", "stage", "difference"}
    alone = next(row for row in rows if row.get("of") == "steps alone")
    assert alone["max_difference"] <= 2


def test_a_hired_machine_needs_few_packages() -> None:
    pytest.importorskip("torch")
    program = (
        "import sys; sys.modules |= dict.fromkeys(sys.argv[1:]); import benchmarks.gpu_run, "
        "benchmarks.why_gpu.tables, benchmarks.why_gpu.onnx, benchmarks.device_pipeline.measure"
    )
    absent = (
        *("grpc", "tritonclient", "packshot", "hdrh", "httpx", "jinja2", "matplotlib", "tqdm"),
        *("pillow_heif", "simplejpeg", "deflate", "structlog", "prometheus_client"),
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *absent], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_table_that_is_not_known_is_refused(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    done = command("why-gpu", "--out", tmp_path, "--only", "nothing")
    assert done.returncode == 1
    assert "no table nothing; of peaks, matte" in done.stderr


def test_a_table_that_fails_is_named_and_what_others_found_is_kept(
    command: Command, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    empty = tmp_path / "empty"
    empty.mkdir()
    absent = ("--repository", empty)
    done = command(
        "why-gpu", "--quick", "--out", tmp_path, *absent, "--only", "peaks", "pipeline", "training"
    )
    assert done.returncode == 0, done.stderr
    record = read_record(tmp_path / "why-gpu.json")
    assert {row["statement"] for row in record.rows} == {"size", "training"}
    assert any("pipeline: ended after 0 rows" in note for note in record.notes)


def test_a_budget_that_is_used_up_leaves_tables_out_and_says_so(
    command: Command, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    told = ("--budget-s", "0", "--only", "peaks", "training")
    done = command("why-gpu", "--quick", "--out", tmp_path, *told)
    assert done.returncode == 0, done.stderr
    assert "peaks: left out, the time was used up" in done.stdout
    assert "training: left out, the time was used up" in done.stdout


def test_after_a_pass_that_takes_too_long_no_larger_batch_is_tried() -> None:
    pytest.importorskip("torch")
    from benchmarks.limits.roofline import Peaks  # noqa: PLC0415
    from benchmarks.why_gpu.devices import devices  # noqa: PLC0415  needs torch
    from benchmarks.why_gpu.passes import finish, pass_rows  # noqa: PLC0415
    from benchmarks.why_gpu.plan import Plan  # noqa: PLC0415

    plan = Plan(batches=(1, 2), rounds=2, turn_s=0, longest_pass_s=0)
    peaks = Peaks({"fp32": 1e12}, 1e10)
    rows = list(pass_rows("matte", devices()[-1], "fp32", plan, peaks))
    finish(rows)
    assert [row["batch"] for row in rows] == [1]
    assert rows[0]["is_knee"]
    arithmetic, memory = 1e12 / rows[0]["operations_per_image"], 1e10
    assert rows[0]["limit_images_per_s"] == pytest.approx(
        min(arithmetic, memory / rows[0]["least_bytes_per_image"])
    )
    assert rows[0]["limit_by_layers_images_per_s"] == pytest.approx(
        min(arithmetic, memory / rows[0]["layer_bytes_per_image"])
    )


def test_bytes_by_layers_agree_with_the_count_of_the_served_graph() -> None:
    pytest.importorskip("torch")
    from benchmarks.limits.graph import count_graph  # noqa: PLC0415
    from benchmarks.why_gpu.devices import devices  # noqa: PLC0415  needs torch
    from benchmarks.why_gpu.networks import prepare  # noqa: PLC0415

    served = count_graph(ROOT / "model_repository/matte/1/model.onnx")
    cost = prepare("matte", devices()[-1], "fp32").cost()
    # As counted over the served graph, operator by operator; it also normalises the photo and
    # rounds the matte, and folds its sums otherwise.
    assert cost.layer_bytes == pytest.approx(205_862_864, rel=0.25)
    assert cost.operations == pytest.approx(served.total_operations, rel=0.05)
