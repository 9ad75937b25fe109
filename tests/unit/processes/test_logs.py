"""Lines of the log: in both forms, with their fields, and to a full disk, which loses only them."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from processes.logs.writer import LineWriter

_LOGS = """
import logging, sys
from structlog.contextvars import bound_contextvars
from processes.logs import LogFormat, set_up_logging
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


# As many lines as fit into no queue and no pipe, and then each other way to standard error.
_FLOODS = """
import logging, os, sys
from processes import logs
from processes.logs import LogFormat, dropped_lines, set_up_logging
set_up_logging("INFO", LogFormat.JSON)
logging.info("first")
for number in range(40_000):
    logging.info("line %d %s", number, "x" * 100)
print("a complaint", file=sys.stderr)
try:
    # As a library does that knows nothing of the log.
    while True:
        os.write(2, b"foreign" * 1000)
except BlockingIOError:
    pass
print(dropped_lines(), flush=True)
sys.stdin.readline()
logs._writer.flush(float(sys.argv[1]))
logging.info("last")
"""


def test_a_pipe_that_nobody_reads_stops_nobody_and_what_is_lost_is_counted(root: Path) -> None:
    """The process goes on, tells how much it lost once somebody reads, and ends."""
    with subprocess.Popen(
        [sys.executable, "-c", _FLOODS, "60"],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        # It has come through all of it, and nobody has read a line.
        dropped = int(process.stdout.readline())
        assert dropped > 1000
        _, errors = process.communicate(b"\n", timeout=60)
    assert process.returncode == 0
    lines = errors.decode().splitlines()
    assert json.loads(lines[0])["event"] == "first"
    notices = [line for line in lines if "lines were dropped" in line]
    assert sum(int(json.loads(line)["event"].split()[0]) for line in notices) >= dropped
    assert json.loads(lines[-1])["event"] == "last"


def test_a_pipe_that_nobody_ever_reads_does_not_keep_the_process(root: Path) -> None:
    reading, writing = os.pipe()
    try:
        run = subprocess.run(
            [sys.executable, "-c", _FLOODS, "0"],
            cwd=root,
            input=b"\n",
            stdout=subprocess.PIPE,
            stderr=writing,
            timeout=60,
            check=False,
        )
        assert run.returncode == 0
        # The pipe's other users find it as it was.
        assert os.get_blocking(writing)
    finally:
        os.close(reading)
        os.close(writing)


def test_a_socket_that_nobody_reads_does_not_keep_the_process_either(root: Path) -> None:
    reading, writing = socket.socketpair()
    with reading, writing:
        run = subprocess.run(
            [sys.executable, "-c", _FLOODS, "0"],
            cwd=root,
            input=b"\n",
            stdout=subprocess.PIPE,
            stderr=writing.fileno(),
            timeout=60,
            check=False,
        )
    assert run.returncode == 0


def test_what_is_put_is_bounded_and_written_in_its_order() -> None:
    reading, writing = os.pipe()
    try:
        writer = LineWriter(writing, "{} dropped\n".format, max_waiting_bytes=300_000)
        for number in range(10_000):
            writer.put(f"{number} {'x' * 100}\n")
        dropped = writer.dropped
        assert 0 < dropped < 10_000
        assert not writer.flush(0.01)
        written: list[bytes] = []

        def read() -> None:
            with os.fdopen(os.dup(reading), "rb") as lines:
                written.extend(iter(lines.readline, b"end\n"))

        reader = threading.Thread(target=read)
        reader.start()
        assert writer.flush(30)
        writer.put("end\n")
        reader.join(30)
        numbers = [int(line.split()[0]) for line in written if b"dropped" not in line]
        assert numbers == sorted(numbers)
        assert len(numbers) == 10_000 - dropped
        # Some may have been told of while the pipe still took lines.
        assert sum(int(line.split()[0]) for line in written if b"dropped" in line) == dropped
    finally:
        os.close(reading)
        os.close(writing)


def test_an_endless_line_is_cut() -> None:
    reading, writing = os.pipe()
    writer = LineWriter(writing, "{}".format)
    writer.put("x" * 10**6)
    with os.fdopen(reading, "rb") as lines:
        assert len(lines.readline()) < 70_000
    os.close(writing)
