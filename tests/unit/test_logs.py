"""Logging to a full disk loses lines and nothing else."""

import subprocess
import sys
from pathlib import Path

_LOGS = """
import logging
from logs import set_up_logging
set_up_logging("INFO", "%(message)s")
for number in range(10_000):
    logging.info("line %d", number)
"""


def test_a_process_that_logs_to_a_full_disk_ends_well(root: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        run = subprocess.run(
            [sys.executable, "-c", _LOGS], cwd=root, stdout=full, stderr=full, check=False
        )
    assert run.returncode == 0


def test_lines_go_to_standard_error_at_once(root: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _LOGS], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stderr.splitlines()[::9999] == ["line 0", "line 9999"]
