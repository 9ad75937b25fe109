"""`python -m benchmarks limits` as a smoke run."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.record import read_record

pytestmark = pytest.mark.integration


def limits(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "limits", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_limits_give_every_throughput_as_a_share_of_its_limit(tmp_path: Path) -> None:
    done = limits("--quick", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    rows = read_record(tmp_path / "limits.json").rows
    kinds = {row["kind"] for row in rows}
    assert kinds == {"peak", "network", "triton", "codec", "service"}
    (network,) = (row for row in rows if row["kind"] == "network")
    assert network["model"] == "matte-int8"
    assert network["share_of_limit"] > 0
    (served,) = (row for row in rows if row["kind"] == "triton")
    assert served["batch"] == network["batch"]
    assert served["share_of_onnxruntime"] > 0.5
    for row in rows:
        if row["kind"] == "service":
            assert row["limit_images_per_s"] < network["images_per_s"]


def test_a_model_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks",
            "limits",
            "--models",
            "absent",
            "--out",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "absent" in done.stderr
