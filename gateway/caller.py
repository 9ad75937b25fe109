"""Who calls: the identity that fairness counts by."""

from typing import Any, Final

import grpc.aio

_LOCAL: Final = "local"


def caller_of(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    """Name the caller of a call: the host of its peer, whatever the number of its connections."""
    return host_of(context.peer())


def host_of(peer: str) -> str:
    """Return the host of a gRPC peer such as "ipv4:192.0.2.7:41234" or "unix:"."""
    kind, _, address = peer.partition(":")
    host, colon, _port = address.rpartition(":")
    return f"{kind}:{host}" if colon else _LOCAL
