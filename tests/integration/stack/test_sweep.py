"""`python -m benchmarks sweep` measures the real stack, by perf_analyzer and by the gateway."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.record import read_record
from tests.integration.processes import ROOT

TRITON_DIR = Path(os.environ.get("PACKSHOT_TRITON_DIR", ROOT / ".triton"))


def test_a_quick_sweep_measures_two_configurations_by_both_drivers(tmp_path: Path) -> None:
    before = (ROOT / "model_repository" / "matte-int8" / "config.pbtxt").read_bytes()
    command = [
        *(sys.executable, "-m", "benchmarks", "sweep", "--quick", "--out", str(tmp_path)),
        *("--models", "matte-int8", "--triton-dir", str(TRITON_DIR), "--p95-ms", "60000"),
    ]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110
    )
    assert run.returncode == 0, run.stderr
    record = read_record(tmp_path / "sweep.json")
    measured = {(row["path"], row["max_batch_size"]) for row in record.rows}
    assert measured == {(path, batch) for path in ("triton", "gateway") for batch in (4, 16)}
    assert all(row["images_per_s"] > 0 for row in record.rows)
    assert all(row["within_objective"] for row in record.rows)
    assert any(row["chosen"] for row in record.rows)
    assert any("smoke run" in note for note in record.notes)
    assert (ROOT / "model_repository" / "matte-int8" / "config.pbtxt").read_bytes() == before
