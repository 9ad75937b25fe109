"""Ports, tried before Triton starts, since Triton's own complaint comes late and unclear."""

import errno
import socket

from serving.config import ServingConfig
from serving.errors import PortInUseError


def check_ports(config: ServingConfig) -> None:
    """Make sure that Triton's ports are free.

    Args:
        config: Serving's settings.

    Raises:
        PortInUseError: One is taken, or the address cannot be bound to; the message names it.
    """
    for what, port, variable in (
        ("HTTP", config.http_port, "PACKSHOT_TRITON_HTTP_PORT"),
        ("gRPC", config.grpc_port, "PACKSHOT_TRITON_GRPC_PORT"),
        ("metrics", config.metrics_port, "PACKSHOT_TRITON_METRICS_PORT"),
    ):
        try:
            _try_to_listen(config.host, port)
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                raise PortInUseError(
                    f"port {port} of {config.host} is in use; Triton needs it for {what} "
                    f"({variable} chooses another)"
                ) from exc
            raise PortInUseError(
                f"Triton cannot listen on port {port} of {config.host} for {what}: {exc.strerror} "
                f"(PACKSHOT_TRITON_HOST, {variable})"
            ) from exc


def is_listening(address: str) -> bool:
    """Tell whether something listens at a `HOST:PORT`."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _try_to_listen(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as listener:
        # As Triton does: connections of a server just gone do not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1)
