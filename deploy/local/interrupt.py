"""Ctrl-C and SIGTERM, noted where they come and acted on where it is safe.

Python's own handler raises `KeyboardInterrupt` wherever the program happens to be. In a destructor,
such as that of gRPC's channel, it is printed and forgotten, and the program runs on. Between the
start of a process and the block that stops it, it leaves the process behind. So a signal sets a
flag here, and those who wait ask for it.

A program that a shell starts in the background begins with SIGINT ignored, and Python leaves it so.
Here it is heard all the same, as it is by the gateway.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

_asked = False


@contextmanager
def noting_signals() -> Iterator[None]:
    """Have SIGINT and SIGTERM noted, and nothing else done about them, for the time of a block."""
    global _asked  # noqa: PLW0603  a process has one set of signal handlers
    before = {number: signal.signal(number, _note) for number in _SIGNALS}
    _asked = False
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_interrupt() -> None:
    """Raise `KeyboardInterrupt` if a signal has been noted; any thread may ask."""
    if _asked:
        raise KeyboardInterrupt


def _note(_number: int, _frame: FrameType | None) -> None:
    global _asked  # noqa: PLW0603  as above
    _asked = True
