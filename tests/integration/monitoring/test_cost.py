"""The benchmark of what being seen costs, in its shortest form."""

import json
import subprocess
import sys
from pathlib import Path

from tests.integration.processes import ROOT


def test_the_three_gateways_are_compared(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "telemetry", "--rounds", "1", "--calls", "8"]
    done = subprocess.run(
        [*command, "--json", str(tmp_path / "turns.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    assert "| metrics and log |" in done.stdout
    turns = json.loads((tmp_path / "turns.json").read_text())
    assert [turn["gateway"] for turn in turns] == ["bare", "seen", "traced"]
    assert all(turn["calls_per_s"] > 0 and turn["cpu_s_per_call"] > 0 for turn in turns)
