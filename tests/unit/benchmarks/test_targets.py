from pathlib import Path

import pytest

from benchmarks.record import write_record
from benchmarks.report.targets import targets
from benchmarks.results_folder import read_folder
from tests.support.records import save_all

ROW = {
    "model": "matte-int8",
    "photo_megapixels": 1,
    "output": "jpeg",
    "concurrency": 4,
    "ratio_to_packshot_default": None,
    "p95_ratio_to_packshot": None,
}


def test_each_target_is_set_beside_what_was_measured(tmp_path: Path) -> None:
    rows = [
        ROW | {"peer": "packshot", "ratio_to_packshot": 1},
        ROW | {"peer": "triton", "ratio_to_packshot": 1.25},
        ROW | {"peer": "triton", "ratio_to_packshot": 9, "output": "png"},
        ROW
        | {
            "peer": "rembg",
            "model": "u2netp",
            "output": "png",
            "ratio_to_packshot": 0.4,
            "ratio_to_packshot_default": 0.2,
        },
        ROW
        | {
            "peer": "litserve",
            "photo_megapixels": 4,
            "ratio_to_packshot": 0.8,
            "p95_ratio_to_packshot": 1.5,
        },
    ]
    write_record(tmp_path / "peers.json", "peers", {}, rows)
    served = {"kind": "triton", "model": "matte", "batch": 4, "share_of_onnxruntime": 0.97}
    write_record(tmp_path / "limits.json", "limits", {}, [served, {"kind": "peak"}])
    found = [
        (row["at_least"], row["measured"], row["reached"]) for row in targets(read_folder(tmp_path))
    ]
    assert found == [
        (0.95, 0.97, "yes"),
        (0.85, pytest.approx(0.8), "no"),
        (2, pytest.approx(2.5), "yes"),
        (10, pytest.approx(5), "no"),
        (1.3, pytest.approx(1.25), "no"),
        (1, pytest.approx(1.5), "yes"),
    ]


def test_what_is_asked_of_a_gpu_is_set_beside_its_records(tmp_path: Path) -> None:
    save_all(tmp_path)
    found = {row["what"]: row for row in targets(read_folder(tmp_path))}
    gain = found["images/s of matte at the knee, of one photo's at a time"]
    assert (gain["at_least"], gain["reached"]) == (8, "no")
    for size in (1, 4):
        whole = found[f"whole packshots on the GPU, of all cores', {size} MP"]
        assert (whole["measured"], whole["reached"]) == (4, "yes")
