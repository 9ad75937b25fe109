"""The gRPC port of several processes: bound by each, and by nobody else."""

import socket
from typing import Self

from gateway.config import GatewayConfig
from gateway.surroundings import PortError


class HeldPort:
    """Holds the gRPC port for the processes of one gateway, without listening.

    While it is held, processes of this user bind it with SO_REUSEPORT, and a second gateway cannot
    hold it.

    Args:
        config: Says which port.

    Attributes:
        port: The port; where the settings leave it open, a free one.

    Raises:
        PortError: Somebody else has it.
    """

    def __init__(self, config: GatewayConfig) -> None:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                config.host.strip("[]"), config.port, type=socket.SOCK_STREAM
            )[0]
            self._socket = socket.socket(family, kind, protocol)
        except OSError as exc:
            raise _error(config, exc) from exc
        try:
            # Connections of a gateway that has just ended must not be in the way.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            # From here on whoever wants the port by itself is refused.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        except OSError as exc:
            self._socket.close()
            raise _error(config, exc) from exc
        self.port = int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()


def _error(config: GatewayConfig, exc: OSError) -> PortError:
    return PortError(f"cannot listen on {config.host}:{config.port} for gRPC: {exc.strerror}")
