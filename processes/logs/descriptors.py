"""Standard output and standard error, set so that writes past the log do not wait.

Libraries write to them directly: gRPC writes a line for each handshake that fails, from the threads
that serve. If nobody reads the other end, such a write would wait for ever.
"""

import os
import socket
import stat
import struct
from contextlib import suppress
from typing import Final

# How long a write to a socket may wait, s and µs.
_SEND_TIMEOUT: Final = struct.pack("ll", 0, 10_000)


def unblock(descriptor: int) -> int:
    """Make writes to a descriptor fail where they would wait, and return another that waits.

    A pipe or a terminal is opened once more for that: its other users' descriptors stay as they
    are. A write to a socket waits for 10 ms at most. A file is left alone.

    Args:
        descriptor: 1 or 2; child processes inherit it.

    Returns:
        A new descriptor of the same file, not inherited.
    """
    waiting = os.dup(descriptor)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISFIFO(mode) or os.isatty(descriptor):
        # Another user's pipe or terminal may not be opened again; it stays as it is.
        with suppress(OSError):
            new = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            os.dup2(new, descriptor)
            os.close(new)
    elif stat.S_ISSOCK(mode):
        with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
    return waiting
