"""A server as a child process: whatever it does, its end is told and nothing of it is left."""

import logging
import signal
import sys
import urllib.request
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import psutil
import pytest

from processes.ready import ProcessError, answers, free_ports, is_serving, wait_until
from processes.server import ServerProcess
from processes.tree import is_alive

_SLEEP = "import time; time.sleep(600)"
_DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); "
    + _SLEEP
)
_CHILD = f"child = subprocess.Popen([sys.executable, '-c', {_DEAF!r}])"
_PARENT = f"import subprocess, sys; {_CHILD}; print(child.pid, flush=True); "


def python(program: str) -> Sequence[str]:
    return (sys.executable, "-c", program)


def has_said(server: ServerProcess, text: str) -> bool:
    return text in server.log


def child_of(server: ServerProcess) -> psutil.Process:
    """Wait for what `_PARENT` starts."""
    server.wait_until(partial(has_said, server, "deaf"))
    return psutil.Process(int(server.log.split("\n")[0]))


def test_a_server_that_listens_is_awaited_and_stopped(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with ServerProcess("server", command, tmp_path / "logs" / "server.log", cwd=tmp_path) as server:
        assert server.wait_until(lambda: answers(url)) > 0
        assert not answers(f"{url}absent")
        with urllib.request.urlopen(url) as answer:
            assert answer.status == 200
        server.check()
    assert server.status == -signal.SIGTERM
    assert not answers(url)
    assert not is_serving(f"127.0.0.1:{port}")
    assert '"GET / HTTP/1.1" 200' in server.log


def test_a_server_that_ends_at_its_start_says_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with (
        ServerProcess("server", python("raise SystemExit('no such port')"), log) as server,
        pytest.raises(
            ProcessError, match=rf"server ended with status 1; the end of {log}:\n  no such port"
        ),
    ):
        server.wait_until(lambda: False)


def test_a_server_that_does_not_become_ready_says_its_last_words(tmp_path: Path) -> None:
    program = f"print('still loading', flush=True); {_SLEEP}"
    with ServerProcess("server", python(program), tmp_path / "server.log") as server:
        server.wait_until(partial(has_said, server, "loading"))
        with pytest.raises(
            ProcessError, match=r"server was not ready within 0.1 s; .*\n  still loading"
        ):
            server.wait_until(lambda: False, timeout_s=0.1)


def test_a_program_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match=r"server cannot be started: .*absent"):
        ServerProcess("server", [tmp_path / "absent"], tmp_path / "server.log")


def test_a_wait_is_ended_by_the_check_of_who_waits(tmp_path: Path) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with (
        ServerProcess("server", python(_SLEEP), tmp_path / "server.log") as server,
        pytest.raises(KeyboardInterrupt),
    ):
        server.wait_until(lambda: False, check=interrupted)
    assert server.status == -signal.SIGTERM


def test_a_server_that_ignores_sigterm_is_killed_and_this_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(ProcessError, match=r"did not end within 0.2 s of SIGTERM and was killed"),
        ServerProcess("server", python(_DEAF), tmp_path / "server.log", stop_s=0.2) as server,
    ):
        server.wait_until(partial(has_said, server, "deaf"))
    assert server.status == -signal.SIGKILL


def test_an_error_of_the_block_goes_on_and_that_of_the_stop_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = ServerProcess("server", python(_DEAF), tmp_path / "server.log", stop_s=0.2)
    server.wait_until(partial(has_said, server, "deaf"))
    with caplog.at_level(logging.ERROR), pytest.raises(LookupError), server:
        raise LookupError
    assert server.status == -signal.SIGKILL
    assert "did not end within 0.2 s" in caplog.text


def test_children_that_outlive_their_parent_are_killed_and_this_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processes.server._CHILDREN_S", 0.2)
    server = ServerProcess("server", python(_PARENT + _SLEEP), tmp_path / "server.log")
    child = child_of(server)
    with pytest.raises(ProcessError, match=f"left .*pid={child.pid}.* behind"):
        server.stop()
    assert not is_alive(child)


def test_children_whose_parent_ended_on_its_own_are_found(tmp_path: Path) -> None:
    server = ServerProcess("server", python(_PARENT), tmp_path / "server.log")
    assert server.wait() == 0
    log = server.log_path
    assert log
    wait_until(lambda: "deaf" in log.read_text(), lambda: None, "the child", 20)
    child = psutil.Process(int(server.log.split("\n")[0]))
    assert [process.pid for process in server.left_over(within_s=0)] == [child.pid]
    with server:
        pass
    assert not is_alive(child)


def test_a_lenient_stop_kills_without_an_error(tmp_path: Path) -> None:
    command = python(_PARENT + f"exec({_DEAF!r})")
    with ServerProcess("server", command, tmp_path / "s.log", stop_s=0.2, lenient=True) as server:
        child = child_of(server)
    assert server.status == -signal.SIGKILL
    assert not is_alive(child)


def test_a_server_that_prints_much_is_not_held_up(tmp_path: Path) -> None:
    program = "for i in range(40_000): print(f'line {i:05} ' + 80 * 'x')"
    server = ServerProcess("server", python(program), tmp_path / "server.log")
    assert server.wait(60) == 0
    with pytest.raises(ProcessError) as caught:
        server.check()
    lines = str(caught.value).splitlines()
    assert len(lines) == 41
    assert "line 39999" in lines[-1]
    assert "line 00000" in server.log


def test_a_server_that_does_not_end_is_killed_by_the_wait(tmp_path: Path) -> None:
    server = ServerProcess("server", python(_SLEEP), tmp_path / "server.log")
    with pytest.raises(ProcessError, match=r"still ran after 0.1 s and was killed"):
        server.wait(0.1)
    assert server.status == -signal.SIGKILL


def test_settings_reach_the_server_beside_this_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEN_BEFORE", "one")
    program = "import os; print(os.environ['SEEN_BEFORE'], os.environ['SEEN_NEW'])"
    log = tmp_path / "server.log"
    server = ServerProcess("server", python(program), log, environ={"SEEN_NEW": "two"})
    server.wait()
    assert server.log == "one two\n"
