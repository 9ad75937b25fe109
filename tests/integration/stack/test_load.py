"""`python -m benchmarks load` measures the real stack and writes what it found."""

import subprocess
import sys
from pathlib import Path

from benchmarks.record import read_record
from tests.integration.processes import ROOT
from tests.integration.stack.conftest import GatewayProcess


def test_a_quick_load_writes_its_record(gateway: GatewayProcess, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "benchmarks", "load", "--quick", "--out", str(tmp_path)),
        *("--target", gateway.target, "--sizes", "0.5:3", "1"),
        *("--server-pid", str(gateway.process.pid)),
    ]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )
    assert run.returncode == 0, run.stderr
    record = read_record(tmp_path / "load.json")
    assert record.seed == 1
    assert {row["mode"] for row in record.rows} == {"closed", "poisson", "constant"}
    closed = record.rows[0]
    assert closed["images_per_s"] > 0
    assert closed["ok_share"] == 1
    assert 0 < closed["p50_ms"] <= closed["p99_ms"]
    assert closed["stage_infer_ms"] > 0
    assert closed["cpu_s_per_image"] > 0
    assert closed["memory_bytes"] > 50e6
    assert closed["phase"] in run.stdout
