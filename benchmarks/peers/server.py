"""A peer's server as a process: start, wait, pause while another is measured, stop."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.errors import PeerError

# Importing rembg compiles what it needs, on cores that others use as well.
_READY_TIMEOUT_S = 180.0
_STOP_TIMEOUT_S = 10.0
_POLL_S = 0.2
_PAUSE_TIMEOUT_S = 2.0
_PAUSE_POLL_S = 0.001
_TAIL_LINES = 8


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str  # the peer
    process: subprocess.Popen[bytes]  # the process that was started; it may have made others
    log: Path  # where its output goes

    def check(self) -> None:
        """Raise `PeerError` if it has ended."""
        if self.process.poll() is not None:
            raise PeerError(f"{self.name} ended with status {self.process.returncode}{self._said}")

    def wait_until(self, answers: Callable[[], None]) -> None:
        """Wait until it answers.

        Args:
            answers: Asks it once; raises `PeerError` or `OSError` where no answer came.

        Raises:
            PeerError: It ended, or three minutes passed.
        """
        give_up_s = time.monotonic() + _READY_TIMEOUT_S
        while True:
            self.check()
            try:
                answers()
            except (OSError, PeerError) as exc:
                if time.monotonic() > give_up_s:
                    raise PeerError(
                        f"{self.name} did not answer within {_READY_TIMEOUT_S:g} s: "
                        f"{exc}{self._said}"
                    ) from exc
                time.sleep(_POLL_S)
            else:
                return

    @property
    def _said(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "".join(f"\n  {line}" for line in lines)


def pause(roots: Sequence[int]) -> None:
    """Stop servers and their children for a while: a waiting server still polls."""
    family = _family(roots)
    _signal(family, signal.SIGSTOP)
    # A process that a busy machine has not let run since has not met its signal yet.
    give_up_s = time.monotonic() + _PAUSE_TIMEOUT_S
    while any(map(_runs, family)) and time.monotonic() < give_up_s:
        time.sleep(_PAUSE_POLL_S)


def resume(roots: Sequence[int]) -> None:
    """Let servers run on."""
    _signal(_family(roots), signal.SIGCONT)


@contextmanager
def awake(roots: Sequence[int]) -> Iterator[None]:
    """Let servers run for the time of a block; they stand still after that."""
    resume(roots)
    try:
        yield
    finally:
        pause(roots)


@contextmanager
def running_server(
    name: str,
    command: Sequence[str],
    environ: Mapping[str, str],
    log_folder: Path,
    cwd: Path | None = None,
) -> Iterator[Server]:
    """Run a server for the time of a block; nothing of it is left after that.

    Args:
        name: The peer.
        command: Its program and arguments.
        environ: What its environment has beside this process's.
        log_folder: Where its output goes, a file NAME.log.
        cwd: Its working directory; None: this process's.
    """
    log = log_folder / f"{name}.log"
    with ExitStack() as stack:
        output = stack.enter_context(log.open("ab"))
        try:
            process = subprocess.Popen(
                command,
                env={**os.environ, **environ},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C reaches this process alone, which then stops it.
                start_new_session=True,
            )
        except OSError as exc:
            raise PeerError(f"{name} cannot be started: {exc}") from exc
        server = Server(name, process, log)
        try:
            yield server
        finally:
            _stop(server)


def _stop(server: Server) -> None:
    """End it and all below it, and whatever has stayed in its session without a parent."""
    family = _family([server.process.pid])
    _signal(family, signal.SIGCONT)
    server.process.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.process.wait(_STOP_TIMEOUT_S)
    left = [process for process in psutil.process_iter() if _is_of(process, server.process.pid)]
    left = list({*left, *family})
    _signal(left, signal.SIGKILL)
    server.process.wait()
    psutil.wait_procs(left, _STOP_TIMEOUT_S)


def _family(roots: Sequence[int]) -> list[psutil.Process]:
    """List processes and all below them, parents first."""
    found: list[psutil.Process] = []
    for root in roots:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(root)
            found += [process, *process.children(recursive=True)]
    return found


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}
    return False


def _is_of(process: psutil.Process, session: int) -> bool:
    try:
        return os.getsid(process.pid) == session
    except OSError:
        return False


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        # psutil refuses where the number has gone to another process meanwhile.
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
