"""`python -m benchmarks steps` as a command; what it measures is asserted nowhere."""

import subprocess
import sys


def test_it_prints_a_row_for_every_step_of_a_small_photo() -> None:
    run = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "steps"),
            *("--megapixels", "0.1", "--rounds", "1", "--matte-px", "64"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    rows = [line.split()[0] for line in run.stdout.splitlines() if line]
    for step in ("codec,", "prepare", "refine", "compose", "encode", "all"):
        assert step in rows
    assert "x decoded" in run.stdout
