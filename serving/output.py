"""What Triton and its stubs write, read at once and passed on with this process's own lines.

Triton would wait for ever on a standard error that nobody reads, and its models with it. So it
writes into a pipe that this process always reads; what cannot be passed on is dropped by `logs`.
"""

import threading
from typing import BinaryIO, Final

from processes.logs import pass_on

_MOST_BYTES: Final = 2**16


class OutputRelay:
    """Passes on what comes out of a pipe, line by line, until its last writer has closed it.

    Args:
        pipe: The pipe's reading end; closed when it is over.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._thread = threading.Thread(target=self._run, name="triton-output", daemon=True)
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the end of it, at most for a time."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        with self._pipe:
            # An endless line comes in parts.
            while line := self._pipe.readline(_MOST_BYTES):
                text = line.decode(errors="replace")
                pass_on(text if text.endswith("\n") else f"{text}\n")
