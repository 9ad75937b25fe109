"""What travels between the gateway and a decode worker: a few words of JSON, and bytes in memory.

The bytes are in a file in memory (memfd) that is sealed before it is sent: the receiver maps it and
works on it in place, and the sender, which a hostile photo may have taken over, can neither change
nor shorten it any more. It has no name, so that nothing is left behind whoever dies. The same
sealed bytes can be sent several times; they are written once.
"""

import contextlib
import fcntl
import json
import mmap
import os
import socket
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

_MAX_WORDS_BYTES: Final = 64 * 1024
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class ParcelError(Exception):
    """The other side has gone, or what it sent is no parcel."""


class UnreadError(ParcelError):
    """The other side has gone without having read what was sent last."""


class ShortageError(Exception):
    """This process has no descriptor or no memory left for a parcel; the other side is well."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What was received.

    Attributes:
        words: The JSON object.
        content: The bytes, in place; they go when nobody refers to them any more.
    """

    words: dict[str, Any]
    content: memoryview


class SealedBytes:
    """Bytes in a file in memory that nobody can change; the file goes with this object.

    Args:
        content: The bytes, one buffer behind the other.

    Raises:
        ShortageError: There is no descriptor or no memory for them.
    """

    def __init__(self, content: Sequence[bytes | memoryview]) -> None:
        with _shortage():
            self.descriptor = os.memfd_create("packshot", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            # Also where a render was cancelled between two steps, and nobody is left to close it.
            self._close = weakref.finalize(self, os.close, self.descriptor)
            for part in content:
                rest = memoryview(part).cast("B")
                while rest:
                    rest = rest[os.write(self.descriptor, rest) :]
            fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, _SEALS)

    def close(self) -> None:
        """Let go of the file; whoever has received it keeps it."""
        self._close()


def send(to: socket.socket, words: dict[str, Any], content: SealedBytes | None = None) -> None:
    """Send an object, and bytes if there are any; the socket's timeout holds.

    Raises:
        ParcelError: The receiver has gone.
        ShortageError: There is no memory for it.
        TimeoutError: The receiver did not take it in time.
    """
    files = [content.descriptor] if content else []
    try:
        with _shortage():
            socket.send_fds(to, [json.dumps(words).encode()], files)
    except ConnectionError as exc:
        raise ParcelError(f"the receiver has gone: {exc}") from exc


def receive(source: socket.socket) -> Parcel:
    """Receive what `send` has sent; the socket's timeout holds.

    Raises:
        UnreadError: The sender has gone, and has not read what it was sent.
        ParcelError: The sender has gone, or sent something else.
        ShortageError: There is no descriptor or no memory for it; it is lost.
        TimeoutError: Nothing came in time.
    """
    try:
        with _shortage():
            words, files, flags, _ = socket.recv_fds(
                source, _MAX_WORDS_BYTES, 1, flags=socket.MSG_CMSG_CLOEXEC
            )
    except ConnectionResetError as exc:
        # So Linux says of a local socket that was closed with a message in its queue.
        raise UnreadError("the sender has gone, and left a message unread") from exc
    except ConnectionError as exc:
        raise ParcelError(f"the sender has gone: {exc}") from exc
    try:
        if not words:
            raise ParcelError("the sender has gone")
        if flags & socket.MSG_CTRUNC and not files:
            raise ShortageError("there is no descriptor for what was sent")
        return Parcel(_object(words), _mapped(files[0]) if files else memoryview(b""))
    finally:
        for file in files:
            os.close(file)


@contextlib.contextmanager
def _shortage() -> Iterator[None]:
    try:
        yield
    except (ConnectionError, TimeoutError):
        raise
    except (OSError, MemoryError) as exc:
        raise ShortageError(str(exc) or type(exc).__name__) from exc


def _object(words: bytes) -> dict[str, Any]:
    try:
        value = json.loads(words)
    except (ValueError, RecursionError) as exc:
        raise ParcelError(f"the words are no JSON: {exc}") from exc
    if not isinstance(value, dict):
        raise ParcelError("the words are no object")
    return value


def _mapped(file: int) -> memoryview:
    try:
        sealed = fcntl.fcntl(file, fcntl.F_GET_SEALS) & _SEALS == _SEALS
    except OSError as exc:  # no file in memory
        raise ParcelError(f"the bytes cannot be sealed: {exc}") from exc
    if not sealed:
        raise ParcelError("the bytes could still be changed")
    with _shortage():
        size = os.fstat(file).st_size
        if not size:
            return memoryview(b"")
        # Private, so that who writes on it gets a page of their own.
        return memoryview(mmap.mmap(file, size, access=mmap.ACCESS_COPY))
