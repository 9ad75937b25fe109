"""A peer's server as a process: start, wait, pause while another is measured, stop."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.errors import PeerError
from processes.ready import ProcessError
from processes.server import ServerProcess
from processes.tree import pause, resume

# Importing rembg compiles what it needs, on cores that others use as well.
_READY_TIMEOUT_S = 180.0
_STOP_TIMEOUT_S = 10.0


class Server(ServerProcess):
    """A running server; its faults are a `PeerError`'s."""

    def check(self) -> None:
        """Raise `PeerError` if it has ended."""
        try:
            super().check()
        except ProcessError as exc:
            raise PeerError(str(exc)) from exc

    def wait_until_answers(self, answers: Callable[[], None]) -> None:
        """Wait until it answers.

        Args:
            answers: Asks it once; raises `PeerError` or `OSError` where no answer came.

        Raises:
            PeerError: It ended, or three minutes passed.
        """
        last: Exception | None = None

        def is_answered() -> bool:
            nonlocal last
            try:
                answers()
            except (OSError, PeerError) as exc:
                last = exc
                return False
            return True

        try:
            self.wait_until(is_answered, _READY_TIMEOUT_S)
        except ProcessError as exc:
            raise PeerError(f"{exc}\n  last answer: {last}") from last


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
    try:
        server = Server(
            name,
            command,
            log_folder / f"{name}.log",
            environ=environ,
            cwd=cwd,
            stop_s=_STOP_TIMEOUT_S,
            lenient=True,
        )
    except ProcessError as exc:
        raise PeerError(str(exc)) from exc
    with server:
        yield server
