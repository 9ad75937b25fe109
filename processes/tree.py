"""Processes with all below them: found, signalled, and paused while something else is measured."""

import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import psutil

from processes.ready import ProcessError, wait_until

_PAUSED_S: Final = 2.0


def family(roots: Iterable[int]) -> list[psutil.Process]:
    """Return processes, by their ids, and all below them, parents first; those that ended not."""
    found: list[psutil.Process] = []
    for root in roots:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(root)
            found += [process, *process.children(recursive=True)]
    return found


def session_members(session: int) -> list[psutil.Process]:
    """Return the processes of a session, whatever has become of their parents."""
    return [process for process in psutil.process_iter() if _session(process) == session]


def send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to processes, but for those that have ended."""
    for process in processes:
        # psutil refuses where the number has gone to another process meanwhile.
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process has not ended; a zombie has."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def pause(roots: Sequence[int]) -> None:
    """Take processes and all below them off the processors: who waits still polls."""
    paused = family(roots)
    send(paused, signal.SIGSTOP)
    # A busy machine may not have let a process run since: its signal is not delivered yet.
    with suppress(ProcessError):
        wait_until(lambda: not any(map(_goes_on, paused)), lambda: None, "the pause", _PAUSED_S)


def resume(roots: Sequence[int]) -> None:
    """Let processes and all below them run on."""
    send(family(roots), signal.SIGCONT)


@contextmanager
def awake(roots: Sequence[int]) -> Iterator[None]:
    """Let paused processes and all below them run for the time of a block."""
    resume(roots)
    try:
        yield
    finally:
        pause(roots)


def _goes_on(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}
    return False


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None
