"""Who calls: what fairness, charges and logs know a caller by."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import grpc.aio

# The key that a call was let in by; gRPC runs a call's interceptors and its handler in one context.
current_key_id: ContextVar[str | None] = ContextVar("current_key_id", default=None)


@dataclass(frozen=True, slots=True)
class Caller:
    """The other end of one call.

    Attributes:
        key_id: Public id of the API key that the call carries; None where no accounts are kept.
        host: Address that the call comes from, without its port.
    """

    key_id: str | None
    host: str

    @property
    def name(self) -> str:
        """What tells callers apart: the key if there is one, else the address."""
        return self.key_id or self.host


def caller_of(context: grpc.aio.ServicerContext[Any, Any]) -> Caller:
    """Return who makes the call that is being handled."""
    return Caller(current_key_id.get(), peer_host(context.peer()))


def peer_host(peer: str) -> str:
    """Return the address in gRPC's name of a peer, such as `ipv4:127.0.0.1:50432`."""
    scheme, _, address = unquote(peer).partition(":")
    if scheme not in ("ipv4", "ipv6"):
        return peer
    return address.rpartition(":")[0].strip("[]")
