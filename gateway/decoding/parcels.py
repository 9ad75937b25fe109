"""What travels between the gateway and a decode worker: a few words of JSON, and bytes in memory.

The bytes are in a file in memory (memfd) that is sealed before it is sent: the receiver maps it and
works on it in place, and the sender, which a hostile photo may have taken over, can neither change
nor shorten it any more. It has no name, so that nothing is left behind whoever dies.
"""

import fcntl
import json
import mmap
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

_MAX_WORDS_BYTES: Final = 64 * 1024
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class ParcelError(Exception):
    """The other side has gone, or what it sent is no parcel."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What was received.

    Attributes:
        words: The JSON object.
        content: The bytes, in place; they go when nobody refers to them any more.
    """

    words: dict[str, Any]
    content: memoryview


def send(to: socket.socket, words: dict[str, Any], content: Sequence[bytes | memoryview]) -> None:
    """Send an object and some bytes, one buffer behind the other.

    Raises:
        ParcelError: The receiver has gone.
    """
    memory = os.memfd_create("packshot", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        for part in content:
            rest = memoryview(part).cast("B")
            while rest:
                rest = rest[os.write(memory, rest) :]
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, _SEALS)
        socket.send_fds(to, [json.dumps(words).encode()], [memory])
    except ConnectionError as exc:
        raise ParcelError(f"the receiver has gone: {exc}") from exc
    finally:
        os.close(memory)


def receive(source: socket.socket) -> Parcel:
    """Receive what `send` has sent; the socket's timeout holds.

    Raises:
        ParcelError: The sender has gone, or sent something else.
        TimeoutError: Nothing came in time.
    """
    try:
        words, files, _, _ = socket.recv_fds(
            source, _MAX_WORDS_BYTES, 1, flags=socket.MSG_CMSG_CLOEXEC
        )
    except ConnectionError as exc:
        raise ParcelError(f"the sender has gone: {exc}") from exc
    try:
        if not words or not files:
            raise ParcelError("the sender has gone")
        return Parcel(_object(words), _mapped(files[0]))
    finally:
        for file in files:
            os.close(file)


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
        if not sealed:
            raise ParcelError("the bytes could still be changed")
        size = os.fstat(file).st_size
        if not size:
            return memoryview(b"")
        # Private, so that who writes on it gets a page of their own.
        return memoryview(mmap.mmap(file, size, access=mmap.ACCESS_COPY))
    except OSError as exc:
        raise ParcelError(f"the bytes cannot be mapped: {exc}") from exc
