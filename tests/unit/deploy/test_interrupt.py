"""Ctrl-C ends `deploy.local` wherever it comes, and leaves no process behind."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from deploy.local import __main__ as command
from deploy.local import stack
from deploy.local.interrupt import check_interrupt, noting_signals
from processes import ready
from processes.server import ServerProcess

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ReadyClient:
    """Says at once that the service is healthy; a signal comes while its destructor runs."""

    number = signal.SIGINT

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def healthy(self) -> bool:
        return True

    def __del__(self) -> None:
        os.kill(os.getpid(), self.number)
        # The handler runs between two steps of the interpreter: here is one.
        sum(range(10))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("number", _SIGNALS)
def test_a_signal_that_comes_in_a_destructor_stops_all_processes(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    before = [signal.getsignal(each) for each in _SIGNALS]
    started: list[ServerProcess] = []

    @contextmanager
    def sleeping(
        name: str, _environ: Mapping[str, str], log: Path | None
    ) -> Iterator[ServerProcess]:
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        with ServerProcess(name, command, log) as process:
            started.append(process)
            yield process

    monkeypatch.setattr(ReadyClient, "number", number)
    monkeypatch.setattr(ready, "Client", ReadyClient)
    monkeypatch.setattr(stack, "answers", lambda _url: True)
    monkeypatch.setattr(stack, "part", sleeping)
    monkeypatch.setattr(sys, "argv", ["deploy.local", "serve"])
    assert command.main() == 0
    assert [process.status for process in started] == [-signal.SIGTERM] * 3
    assert "Packshot is ready" in capfd.readouterr().err
    assert [signal.getsignal(each) for each in _SIGNALS] == before


def test_ctrl_c_is_heard_by_a_program_that_was_started_with_it_ignored() -> None:
    """As a shell starts what it runs in the background; Python leaves it ignored."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with noting_signals():
            signal.raise_signal(signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                check_interrupt()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_noted_signal_is_told_to_every_thread_that_asks_and_forgotten_after_the_block() -> None:
    told = threading.Event()

    def ask() -> None:
        try:
            check_interrupt()
        except KeyboardInterrupt:
            told.set()

    with noting_signals():
        check_interrupt()
        signal.raise_signal(signal.SIGINT)
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        assert told.is_set()
        with pytest.raises(KeyboardInterrupt):
            check_interrupt()
    with noting_signals():
        check_interrupt()
