"""`packshot` as a process: signals, pipes, closed streams and full disks."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from packshot.v1 import packshot_pb2 as pb
from tests.support.scripted_service import ANSWER, Scripted, serving

COMMAND = [sys.executable, "-m", "packshot.cli"]
# Whatever started the tests may ignore Ctrl-C, and processes inherit that.
MINDFUL = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
JPEG = b"\xff\xd8\xff photo"
WAIT_S = 60


@pytest.fixture
def service() -> Scripted:
    return Scripted()


@pytest.fixture
def target(service: Scripted) -> Iterator[str]:
    with serving(service) as target:
        yield target


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photos(count: int) -> None:
    Path("in").mkdir()
    for number in range(count):
        Path(f"in/{number:02}.jpg").write_bytes(JPEG)


def start(target: str, *args: str, **arguments: Any) -> "subprocess.Popen[bytes]":
    script = f"{MINDFUL}; from packshot.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", script, "--target", target, *args],
        **{"stderr": subprocess.PIPE, **arguments},
    )


def shell(target: str, line: str) -> "subprocess.CompletedProcess[str]":
    command = " ".join([*COMMAND, "--target", target])
    return subprocess.run(
        ["/bin/bash", "-c", line.replace("packshot", command)],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


class Gate:
    """Answers once it is opened, and tells when so many photos are inside."""

    def __init__(self, count: int) -> None:
        self._inside = threading.Semaphore(0)
        self._count = count
        self.opened = threading.Event()

    def __call__(self, _context: Any) -> pb.RenderResponse:
        self._inside.release()
        assert self.opened.wait(WAIT_S)
        return ANSWER

    def wait(self) -> None:
        for _ in range(self._count):
            assert self._inside.acquire(timeout=WAIT_S)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["int", "term"]
)
def test_one_signal_ends_a_batch_after_the_photos_under_way(
    target: str, service: Scripted, number: signal.Signals, status: int
) -> None:
    photos(30)
    gate = Gate(2)
    service.script = [gate]
    process = start(target, "render", "in", "-o", "out", "--jobs", "2")
    gate.wait()
    process.send_signal(number)
    assert process.stderr
    notice = process.stderr.readline() + process.stderr.readline()
    assert b"after the photos under way" in notice
    gate.opened.set()
    _, stderr = process.communicate(timeout=WAIT_S)
    assert process.returncode == status
    assert b"2 rendered, 0 failed, 28 not begun" in stderr
    assert len(service.requests) == 2
    assert sorted(path.name for path in Path("out").iterdir()) == ["00.png", "01.png"]


def test_the_second_signal_ends_at_once(target: str, service: Scripted) -> None:
    photos(30)
    gate = Gate(2)
    service.script = [gate]
    process = start(target, "render", "in", "-o", "out", "--jobs", "2")
    gate.wait()
    process.send_signal(signal.SIGINT)
    assert process.stderr
    process.stderr.readline()
    assert b"once more ends at once" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(WAIT_S / 2) == 130  # while the service still keeps both
    finally:
        gate.opened.set()
        process.stderr.close()
    assert not list(Path("out").iterdir())
    assert len(service.requests) == 2


def test_a_batch_that_was_broken_off_goes_on_without_paying_twice(
    target: str, service: Scripted
) -> None:
    photos(6)
    gate = Gate(2)
    service.script = [gate]
    process = start(target, "render", "in", "-o", "out", "--jobs", "2")
    gate.wait()
    process.send_signal(signal.SIGINT)
    assert process.stderr
    process.stderr.readline()
    process.stderr.readline()
    gate.opened.set()
    process.communicate(timeout=WAIT_S)
    # A finished packshot is found under its name, so the format is to be known.
    again = shell(target, "packshot render in -o out --format png --skip-existing")
    assert again.returncode == 0, again.stderr
    assert "4 rendered, 0 failed, 2 there already" in again.stderr
    assert len(service.requests) == 6


def test_a_photo_that_waits_for_room_is_not_under_way(target: str, service: Scripted) -> None:
    from google.protobuf import duration_pb2  # noqa: PLC0415
    from google.rpc import error_details_pb2  # noqa: PLC0415
    from grpc import StatusCode  # noqa: PLC0415

    from tests.support.scripted_service import failing  # noqa: PLC0415

    photos(3)
    full = failing(
        StatusCode.RESOURCE_EXHAUSTED,
        "full",
        error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=50)),
    )
    asked = threading.Event()

    def refuse(context: Any) -> pb.RenderResponse:
        asked.set()
        return full(context)

    service.script = [refuse]
    process = start(target, "render", "in", "-o", "out", "--jobs", "1")
    assert asked.wait(WAIT_S)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=WAIT_S / 2)
    assert process.returncode == 130
    assert b"0 rendered, 0 failed, 3 not begun" in stderr


def test_ctrl_c_while_standard_input_is_read_ends_at_once(target: str) -> None:
    process = start(target, "render", "-", "-o", "x.jpg", stdin=subprocess.PIPE)
    assert process.stdin
    # More than a pipe holds: the last byte is taken once the command reads.
    process.stdin.write(bytes(2**20))
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130
    assert b"Traceback" not in stderr


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("packshot render in -o - | true; exit ${PIPESTATUS[0]}", 1, "Broken pipe"),
        ("packshot render in -o - > /dev/full", 1, "No space left"),
        ("packshot render in -o - >&-", 2, "standard output is closed"),
        ("packshot render - -o x.jpg <&-", 2, "standard input is closed"),
        ("packshot render in -o out 2>&-", 0, ""),
        ("packshot render in -o out 2>/dev/full", 0, ""),
        ("packshot render in -o out <&- >&- 2>&-", 0, ""),
        ("packshot render nothing -o out 2>&-", 1, ""),
        ("packshot render in --nonsense 2>&-", 2, ""),
        ("packshot models | true; exit ${PIPESTATUS[0]}", -1, ""),
    ],
)
def test_no_stream_s_end_makes_a_traceback(
    target: str, service: Scripted, line: str, status: int, said: str
) -> None:
    photos(1)
    answer = pb.RenderResponse()
    answer.CopyFrom(ANSWER)
    answer.picture = bytes(2**20)
    service.script = [lambda _context: answer]
    done = shell(target, line)
    assert status in {done.returncode, -1}, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    if Path("out").exists() and status == 0:
        assert Path("out/00.png").read_bytes() == answer.picture


def test_a_disk_without_room_leaves_what_was_there(target: str, service: Scripted) -> None:
    photos(2)
    Path("out").mkdir()
    Path("out/00.png").write_bytes(b"old")
    answer = pb.RenderResponse()
    answer.CopyFrom(ANSWER)
    answer.picture = bytes(2**20)
    service.script = [lambda _context: answer]
    done = shell(target, "ulimit -f 64; packshot render in -o out --format png --overwrite")
    assert done.returncode == 1, done.stderr
    assert "out/00.png: File too large" in done.stderr
    assert "0 rendered, 2 failed" in done.stderr
    assert {path.name: path.read_bytes() for path in Path("out").iterdir()} == {"00.png": b"old"}


def test_many_photos_take_the_memory_of_few(target: str, service: Scripted) -> None:
    size, count = 4 * 2**20, 200
    Path("in").mkdir()
    for number in range(count):
        with Path(f"in/{number}.jpg").open("wb") as file:
            file.truncate(size)
    keep: Callable[[Any], pb.RenderResponse] = service.script[0]

    def forget(context: Any) -> pb.RenderResponse:
        service.requests.clear()
        return keep(context)

    service.script = [forget]
    # What the process says of itself: to wait for it tells of the one that it was forked from, too.
    tell = "import atexit, shutil; atexit.register(shutil.copy, '/proc/self/status', 'status')"
    done = subprocess.run(
        [
            *(sys.executable, "-c", f"{tell}; from packshot.cli import main; main()"),
            *("--target", target, "render", "in", "-o", "out", "--jobs", "4"),
        ],
        env={**os.environ, "PYTHONMALLOC": "malloc", "MALLOC_ARENA_MAX": "2"},
        capture_output=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{count} rendered".encode() in done.stderr
    status = Path("status").read_text()
    peak_kib = int(status.partition("VmHWM:")[2].split()[0])
    assert peak_kib * 1024 < size * count / 2
