"""Lines of the log: in both forms, with their fields, and to a full disk, which loses only them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_LOGS = """
import logging, sys
from structlog.contextvars import bound_contextvars
from logs import LogFormat, set_up_logging
set_up_logging("INFO", LogFormat(sys.argv[1]))
for number in range(10_000):
    logging.info("line %d", number)
with bound_contextvars(trace_id="4bf9"):
    logging.getLogger("some.where").warning("slow", extra={"ms": 12.5})
    logging.debug("unseen")
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("broken")
"""


def run_logs(root: Path, form: str) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-c", _LOGS, form], cwd=root, capture_output=True, text=True, check=True
    )
    assert not run.stdout
    return run.stderr.splitlines()


def test_a_process_that_logs_to_a_full_disk_ends_well(root: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        run = subprocess.run(
            [sys.executable, "-c", _LOGS, "json"], cwd=root, stdout=full, stderr=full, check=False
        )
    assert run.returncode == 0


@pytest.mark.parametrize("form", ["json", "auto"])  # standard error is no terminal here
def test_lines_for_machines_are_json_with_every_field(root: Path, form: str) -> None:
    lines = [json.loads(line) for line in run_logs(root, form)]
    assert [line["event"] for line in lines] == [
        *(f"line {number}" for number in range(10_000)),
        *("slow", "broken"),
    ]
    slow, broken = lines[-2:]
    assert slow.pop("timestamp").endswith("Z")
    assert slow == {
        "event": "slow",
        "level": "warning",
        "logger": "some.where",
        "trace_id": "4bf9",
        "ms": 12.5,
    }
    assert "ZeroDivisionError" in broken["exception"]
    assert "trace_id" not in lines[0]


def test_lines_for_people_are_text_and_lack_nothing(root: Path) -> None:
    lines = run_logs(root, "console")
    assert "line 9999" in lines[9999]
    assert "[warning" in lines[10_000]
    assert "ms=12.5" in lines[10_000]
    assert "trace_id=4bf9" in lines[10_000]
    assert "ZeroDivisionError" in "\n".join(lines[10_001:])
