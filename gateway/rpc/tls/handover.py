"""What it takes to replace the certificate of a gRPC port that is under load.

gRPC keeps what handshakes are made with in an object of its own. The first handshake after a change
frees the old one, and another thread may be about to begin a handshake with it: under a storm of
connections one replacement in some ten thousand ended the process by SIGSEGV. A handshake that has
begun keeps the object alive. So one is begun before each replacement and left unfinished until
every other thread has long gone on.
"""

import socket
import ssl
from contextlib import ExitStack, suppress
from typing import Final

_TIMEOUT_S: Final = 3.0
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  nothing is bound to them here


def reachable(host: str, port: int) -> tuple[str, int]:
    """Return where this process reaches a server that is bound to a host."""
    host = host.strip("[]")
    return _ANY.get(host, host), port


class HeldHandshake:
    """A TLS handshake with a server, begun and not finished until `close`.

    Args:
        address: The server's host and port.

    Raises:
        OSError: The server does not answer within 3 s.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        with ExitStack() as stack:
            self._socket = stack.enter_context(socket.create_connection(address, _TIMEOUT_S))
            hello = ssl.MemoryBIO()
            handshake = _trusting().wrap_bio(ssl.MemoryBIO(), hello)
            with suppress(ssl.SSLWantReadError):
                handshake.do_handshake()
            self._socket.sendall(hello.read())
            # What is answered is left unread: all that matters is that the server has begun.
            if not self._socket.recv(1):
                raise ConnectionResetError("the server ended the handshake")
            stack.pop_all()

    def close(self) -> None:
        """End it."""
        self._socket.close()


def served_certificate(address: tuple[str, int]) -> bytes:
    """Make a handshake with a server and return its certificate, DER.

    Raises:
        OSError: There was none within 3 s.
    """
    with (
        socket.create_connection(address, _TIMEOUT_S) as plain,
        _trusting().wrap_socket(plain) as secure,
    ):
        return secure.getpeercert(binary_form=True) or b""


def _trusting() -> ssl.SSLContext:
    """Return a client's context that takes any certificate: it is looked at and not relied on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context
