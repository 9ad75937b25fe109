"""Finding stub processes, with processes that look like them."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from serving.stubs import Stub, stubs_of


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """A program of the stub's name; it runs its first argument as a script and waits."""
    path = tmp_path / "triton_python_backend_stub"
    path.symlink_to("/bin/sh")
    return path


@pytest.fixture
def running(stub: Path, tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    started = []
    for model, instance in (("matte", "matte_0"), ("matte", "matte_1"), ("light", "light")):
        file = tmp_path / model / "1" / "model.onnx"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("echo started; read line\n")
        arguments = [str(file), "region", "1", "1", "1", "lib", "336", instance, "/backend"]
        process = subprocess.Popen(
            [stub, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdout
        process.stdout.readline()
        started.append(process)
    yield started
    for process in started:
        process.kill()
        process.communicate()


def pids(stubs: frozenset[Stub]) -> set[int]:
    return {stub.process.pid for stub in stubs}


def test_a_models_stubs_are_found_and_no_others(running: list[subprocess.Popen[bytes]]) -> None:
    first, second, _completing = running
    assert pids(stubs_of(os.getpid(), "matte")) == {first.pid, second.pid}


def test_a_stub_that_completes_a_configuration_does_not_count(
    running: list[subprocess.Popen[bytes]],
) -> None:
    assert running[2].pid not in pids(stubs_of(os.getpid()))


def test_a_dead_stub_is_noticed_before_it_is_reaped(running: list[subprocess.Popen[bytes]]) -> None:
    [first] = [stub for stub in stubs_of(os.getpid()) if stub.process.pid == running[0].pid]
    assert first.is_running()
    first.kill()
    os.waitid(os.P_PID, first.process.pid, os.WEXITED | os.WNOWAIT)
    assert not first.is_running()
    assert first.process.pid not in pids(stubs_of(os.getpid()))
    first.kill()


def test_another_process_of_the_same_id_is_not_taken_for_the_stub() -> None:
    process = psutil.Process(os.getpid())
    assert Stub(process, "matte").is_running()
    later = psutil.Process(os.getpid())
    later._ident = (later.pid, 1.0)  # type: ignore[attr-defined]  # noqa: SLF001  started then
    assert Stub(later, "matte") != Stub(process, "matte")
    assert not Stub(later, "matte").is_running()
