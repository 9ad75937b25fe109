"""The benchmark of what being seen costs, in its shortest form."""

import re
import subprocess
import sys

from tests.integration.processes import ROOT


def test_the_cost_of_a_call_is_told_with_and_without_traces() -> None:
    command = [sys.executable, "-m", "benchmarks", "telemetry", "--rounds", "1"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stderr
    rows = [re.split(r" {2,}", line) for line in done.stdout.splitlines()]
    taken_us = {row[0]: row[1] for row in rows if len(row) > 1}
    assert float(taken_us["metrics and log"]) > 0
    assert float(taken_us["with traces of 10%"]) > 0
    assert "the collector received" in done.stdout
