"""Finds a caller's connection and closes it: gRPC's Python interface can only end calls.

It cannot end a call whose caller does not receive the reply, because the status follows the reply
and the reply waits for HTTP/2's flow control. So this module finds the connection's socket among
those of the process and shuts it down. gRPC then treats it like one that the caller has closed.
"""

import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

from gateway.admission.caller import peer_address

log = logging.getLogger(__name__)

_DESCRIPTORS: Final = Path("/proc/self/fd")


def drop_connection(peer: str) -> bool:
    """Shut down the connection of a peer, by gRPC's name of it; return whether there was one."""
    wanted = peer_address(peer)
    if wanted is None:
        return False
    if _find(*wanted, lambda connection: connection.shutdown(socket.SHUT_RDWR)):
        return True
    log.warning("the connection of %s cannot be found to be closed", peer)
    return False


def is_connected(host: str, port: int) -> bool:
    """Tell whether this process has a connection whose peer has this address."""
    return _find(host, port, lambda _connection: None)


def _find(host: str, port: int, act: Callable[[socket.socket], None]) -> bool:
    """Act on the connection whose peer has an address; tell whether there is one."""
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208  names are all that is wanted
        with suppress(OSError), _socket(int(name)) as connection:
            if connection is not None and _address(connection.getpeername()) == _plain(host, port):
                act(connection)
                return True
    return False


class _socket:  # noqa: N801  a block
    """A copy of one of the process' descriptors as a socket, closed at the end.

    The copy stays the same connection even if the descriptor's number is used anew meanwhile.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._socket: socket.socket | None = None

    def __enter__(self) -> socket.socket | None:
        copy = os.dup(self._descriptor)
        try:
            self._socket = socket.socket(fileno=copy)
        except OSError:
            os.close(copy)
            raise
        return self._socket if self._socket.type == socket.SOCK_STREAM else None

    def __exit__(self, *error: object) -> None:
        if self._socket is not None:
            self._socket.close()


def _address(name: object) -> tuple[str, int] | None:
    """Return address and port of a socket's peer; None where it has no such."""
    return _plain(str(name[0]), int(name[1])) if isinstance(name, tuple) else None


def _plain(host: str, port: int) -> tuple[str, int]:
    address = ip_address(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address), port
