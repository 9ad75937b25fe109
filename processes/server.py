"""A server as a child process: its output is kept, and nothing of it is left after the block.

    with ServerProcess("gateway", [sys.executable, "-m", "gateway"], log) as gateway:
        gateway.wait_until(lambda: is_serving(target), timeout_s=60)

The process has a session of its own. So Ctrl-C reaches the program that started it, which then
stops it in order, and its children are found even where their parent has ended.
"""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from processes.ready import ProcessError, wait_until
from processes.tree import is_alive, resume, send, session_members

log = logging.getLogger(__name__)

# After the process itself has ended, the time for its children to follow.
_CHILDREN_S: Final = 5.0
_KILLED_S: Final = 10.0
_TAIL_LINES: Final = 40


class ServerProcess:
    """A server process and all that it starts.

    As a context manager it stops the server at the end of the block. A server that does not stop
    within `stop_s`, or that leaves children behind, is killed with them, and then `ProcessError`
    is raised; if the block itself raises, its error goes on and this one is logged.

    Args:
        name: What messages call it.
        command: Its program and arguments.
        log: The file that its output is appended to, its folder made if missing; None: the output
            goes to this process's standard error.
        environ: What its environment has beside this process's.
        cwd: Its working directory; None: this process's.
        stop_s: Seconds that it has to end after SIGTERM.
        lenient: Whether it is no error if it has to be killed, or leaves children to be killed.

    Attributes:
        name: As given.
        process: The process that was started.
        log_path: Where its output goes; None: to standard error.

    Raises:
        ProcessError: It cannot be started.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path | None,
        *,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_s: float = 45.0,
        lenient: bool = False,
    ) -> None:
        self.name = name
        self.log_path = log
        self._stop_s = stop_s
        self._lenient = lenient
        self._seen: dict[int, psutil.Process] = {}
        with ExitStack() as stack:
            if log:
                log.parent.mkdir(parents=True, exist_ok=True)
            output = stack.enter_context(log.open("ab")) if log else sys.stderr.fileno()
            try:
                self.process = subprocess.Popen(
                    command,
                    cwd=cwd,
                    env={**os.environ, **(environ or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            except OSError as exc:
                raise ProcessError(f"{name} cannot be started: {exc}") from exc

    @property
    def pid(self) -> int:
        """The process id of what was started."""
        return self.process.pid

    @property
    def status(self) -> int | None:
        """The exit status, -N if signal N ended it; None while it runs."""
        return self.process.poll()

    @property
    def log(self) -> str:
        """All that it has written to its log; empty without one, or if the log is a device."""
        if self.log_path is None or not self.log_path.is_file():
            return ""
        return self.log_path.read_text(errors="replace")

    def is_running(self) -> bool:
        """Tell whether it has not ended."""
        return self.status is None

    def check(self) -> None:
        """Raise `ProcessError` if it has ended, with the end of its log."""
        if not self.is_running():
            raise self._error(f"ended with status {self.status}")

    def wait_until(
        self,
        is_ready: Callable[[], bool],
        timeout_s: float = 60.0,
        check: Callable[[], None] = lambda: None,
    ) -> float:
        """Wait until it is ready.

        Args:
            is_ready: Tells whether it is.
            timeout_s: How long to wait.
            check: Called between two questions; may raise to end the wait.

        Returns:
            How long it took, s.

        Raises:
            ProcessError: It ended, or the time is up. The message has the end of its log.
        """

        def check_both() -> None:
            self.check()
            check()

        try:
            return wait_until(is_ready, check_both, self.name, timeout_s)
        except ProcessError as exc:
            if self.status is not None:
                raise
            raise self._error(f"was not ready within {timeout_s:g} s") from exc

    def wait(self, timeout_s: float = 30.0) -> int:
        """Wait for its end and return its exit status.

        Raises:
            ProcessError: It still ran after that time, and has been killed.
        """
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise self._error(f"still ran after {timeout_s:g} s and was killed") from None

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself and not to its children."""
        self.descendants()
        self.process.send_signal(number)

    def descendants(self) -> list[psutil.Process]:
        """Return the processes below it that run now, with those that have lost their parent.

        A process that left the session and lost its parent is known only if an earlier call, or an
        earlier signal, saw it.
        """
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.pid).children(recursive=True):
                self._seen[child.pid] = child
        for process in session_members(self.pid):
            if process.pid != self.pid:
                self._seen[process.pid] = process
        return [process for process in self._seen.values() if is_alive(process)]

    def left_over(self, within_s: float = _CHILDREN_S) -> list[psutil.Process]:
        """Return the descendants that still run after some seconds."""
        with suppress(ProcessError):
            wait_until(lambda: not self.descendants(), lambda: None, self.name, within_s)
        return self.descendants()

    def stop(self, timeout_s: float | None = None) -> int:
        """Stop it by SIGTERM, kill what is left of it, and return its exit status.

        Args:
            timeout_s: Seconds that it has to end; None: `stop_s`.

        Raises:
            ProcessError: It had to be killed, or left children behind; not if it is `lenient`.
        """
        fault = ""
        if self.is_running():
            resume([self.pid])
            self.send_signal(signal.SIGTERM)
        grace_s = self._stop_s if timeout_s is None else timeout_s
        try:
            self.process.wait(grace_s)
        except subprocess.TimeoutExpired:
            fault = f"did not end within {grace_s:g} s of SIGTERM and was killed"
        else:
            if not self._lenient and (left := self.left_over(_CHILDREN_S)):
                fault = f"left {left} behind, which were killed"
        self.kill()
        if fault and not self._lenient:
            raise self._error(fault)
        return self.process.wait()

    def kill(self) -> None:
        """End it and all below it at once, whatever state they are in."""
        descendants = self.descendants()
        if self.is_running():
            self.process.kill()
        send(descendants, signal.SIGKILL)
        self.process.wait()
        psutil.wait_procs(descendants, _KILLED_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.is_running():
            self.kill()
            return
        try:
            self.stop()
        except ProcessError:
            if error is None:
                raise
            log.exception("while another error ended the block")

    def _error(self, what: str) -> ProcessError:
        lines = self.log.splitlines()[-_TAIL_LINES:]
        tail = "".join(f"\n  {line}" for line in lines)
        return ProcessError(f"{self.name} {what}{tail and f'; the end of {self.log_path}:'}{tail}")
