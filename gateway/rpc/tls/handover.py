"""What it takes to replace the certificate of a gRPC port that is under load.

gRPC keeps what handshakes are made with in an object of its own. The first handshake after a change
frees the old one, and another thread may be about to begin a handshake with it: under a storm of
connections one replacement in some ten thousand ended the process by SIGSEGV. A handshake that has
begun keeps the object alive. So one is begun before each replacement and left unfinished until
every other thread has long gone on.
"""

import socket
import ssl
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Final

from gateway.rpc.connections import is_connected

_TIMEOUT_S: Final = 3.0
# How often it is tried to reach this process among those that share its port: of 16 processes one
# in 3000 series of tries finds it not, and the next comes 10 s later.
_MOST_TRIES: Final = 128
# gRPC accepts a connection within some ms. How long that is waited for, and how often looked.
_ACCEPTED_S: Final = 0.1
_LOOK_S: Final = 0.01
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  nothing is bound to them here


def reachable(host: str, port: int) -> tuple[str, int]:
    """Return where this process reaches a server that is bound to a host."""
    host = host.strip("[]")
    return _ANY.get(host, host), port


@dataclass(frozen=True, slots=True)
class Here:
    """The gRPC server of this process.

    Attributes:
        host: Where it is reached.
        port: Its port.
        shares_port: Whether other processes listen there as well, so that a connection may be
            anybody's.
    """

    host: str
    port: int
    shares_port: bool = False

    def connect(self) -> socket.socket:
        """Connect to it; the caller closes the connection.

        Raises:
            OSError: It does not answer within 3 s, or all connections went to other processes.
        """
        for _ in range(_MOST_TRIES):
            connection = socket.create_connection((self.host, self.port), _TIMEOUT_S)
            if not self.shares_port or _is_accepted(connection):
                return connection
            connection.close()
        raise ConnectionRefusedError(f"{_MOST_TRIES} connections went to other processes")


class HeldHandshake:
    """A TLS handshake with a server, begun and not finished until `close`.

    Args:
        here: The server.

    Raises:
        OSError: The server does not answer within 3 s.
    """

    def __init__(self, here: Here) -> None:
        with ExitStack() as stack:
            self._socket = stack.enter_context(here.connect())
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


def served_certificate(here: Here) -> bytes:
    """Make a handshake with a server and return its certificate, DER.

    Raises:
        OSError: There was none within 3 s.
    """
    with here.connect() as plain, _trusting().wrap_socket(plain) as secure:
        return secure.getpeercert(binary_form=True) or b""


def _is_accepted(connection: socket.socket) -> bool:
    """Tell whether this process accepts a connection to its own port, within some time."""
    host, port = connection.getsockname()[:2]
    give_up_s = time.monotonic() + _ACCEPTED_S
    while not (accepted := is_connected(host, port)) and time.monotonic() < give_up_s:
        time.sleep(_LOOK_S)
    return accepted


def _trusting() -> ssl.SSLContext:
    """Return a client's context that takes any certificate: it is looked at and not relied on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context
