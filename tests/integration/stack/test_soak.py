"""The soak in its short form; `make soak` is the long one."""

import json
import subprocess
import sys
from pathlib import Path

from tests.integration.processes import ROOT


def test_a_short_soak_loses_nothing_and_leaks_nothing(tmp_path: Path) -> None:
    report = tmp_path / "soak.json"
    command = [
        *(sys.executable, "-m", "tests.soak", "--minutes", "0.25", "--kills", "1"),
        # A quarter of a minute is warming up; growth is the long form's business.
        *("--growth-percent", "100", "--logs", str(tmp_path), "--json", str(report)),
    ]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(report.read_text())
    assert found["breaches"] == []
    assert {status for _, status, _ in found["ends"]} >= {"OK", "UNAVAILABLE"}
