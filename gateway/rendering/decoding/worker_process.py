"""One decode worker as the gateway sees it: a process at the other end of a socket."""

import os
import select
import signal
import socket
import subprocess
import sys
from typing import Any, Final

from gateway.rendering.decoding.parcels import Parcel, SealedBytes, receive, send
from processes.logs import LogFormat

_STOP_S: Final = 2.0
# A killed process is gone at once, but for one that waits for a disk in the kernel.
_KILLED_S: Final = 5.0


class WorkerProcess:
    """One worker process; used by one thread at a time.

    Args:
        max_memory_bytes: What it may allocate.
        timeout_s: Seconds that one photo may take.
        log_format: How it logs.

    Raises:
        OSError: There is no descriptor, no memory or no process for it.
    """

    def __init__(self, max_memory_bytes: int, timeout_s: float, log_format: LogFormat) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = (str(theirs.fileno()), str(max_memory_bytes), str(timeout_s), log_format)
        try:
            with theirs:
                # Without the gateway's environment: it holds secrets, and photos are strangers'.
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "gateway.rendering.decoding.worker", *arguments],
                    env={
                        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                        "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
                    },
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
        except BaseException:
            self._socket.close()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def fileno(self) -> int:
        """Return the descriptor on which it speaks, and which hangs up when it ends."""
        return self._socket.fileno()

    def has_spoken(self) -> bool:
        """Tell, without waiting, whether it has said something or hung up."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def hello(self) -> None:
        """Receive its first word.

        Raises:
            ParcelError: It has ended.
            TimeoutError: It has not spoken yet.
        """
        if not self.has_spoken():
            raise TimeoutError("it has not spoken yet")
        receive(self._socket)

    def tell(self, words: dict[str, Any], file: SealedBytes, timeout_s: float) -> None:
        """Ask for something; errors are those of `send`."""
        self._socket.settimeout(timeout_s)
        send(self._socket, words, file)

    def await_answer(self, timeout_s: float) -> None:
        """Wait until it answers or ends; raise `TimeoutError` if it does neither."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if not poll.poll(timeout_s * 1000):
            raise TimeoutError("it does not answer")

    def answer(self) -> Parcel:
        """Receive the answer; errors are those of `receive`."""
        return receive(self._socket)

    def end(self) -> None:
        """Kill it and do not wait; whoever waits for its answer hears that it has gone."""
        self._process.kill()

    def kill(self) -> int | None:
        """Kill it if it lives, and return its status as `subprocess` has it; None: not ended."""
        self._socket.close()
        try:
            # A worker that crashed closes its socket a moment before it has ended.
            return self._process.wait(0.1)
        except subprocess.TimeoutExpired:
            self._process.kill()
        try:
            return self._process.wait(_KILLED_S)
        except subprocess.TimeoutExpired:
            return None

    def hang_up(self) -> None:
        """Tell it that there is nothing more to do."""
        self._socket.close()

    def join(self) -> None:
        """Wait for it to end after `hang_up`; kill it if it takes too long."""
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()


def ending(status: int | None) -> str:
    """Say how a process ended, by its status as `subprocess` has it."""
    if status is None:
        return "not at all yet"
    if status >= 0:
        return f"with exit status {status}"
    try:
        return f"by {signal.Signals(-status).name}"
    except ValueError:  # a realtime signal has no name
        return f"by signal {-status}"
