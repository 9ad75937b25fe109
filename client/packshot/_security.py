"""Who the service is, and who calls it: TLS, and the API key that goes with each call."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from os import PathLike
from pathlib import Path
from typing import Any, TypedDict, TypeVar, cast
from urllib.parse import unquote

import grpc

C = TypeVar("C")
Pem = bytes | str | PathLike[str]


class Security(TypedDict, total=False):
    """How a client is connected and known.

    Attributes:
        tls: Whether to speak TLS; None: if there is a `ca` or a `cert`.
        ca: The CAs that the service's certificate may come from, PEM, as a path or as bytes;
            without it those that gRPC brings along.
        cert: The client's own certificate, PEM, as a path or as bytes, for a service that wants
            one (mutual TLS).
        key: That certificate's private key.
        api_key: The API key, `pk_…`, for a service that keeps accounts.
        plaintext_key: Whether the API key may go to another machine without TLS, where everyone on
            the way can read it; for networks that encrypt by themselves.
    """

    tls: bool | None
    ca: Pem | None
    cert: Pem | None
    key: Pem | None
    api_key: str | None
    plaintext_key: bool


def credentials(target: str, security: Security) -> grpc.ChannelCredentials | None:
    """Return what a channel proves and wants proven; None for one without TLS.

    Raises:
        ValueError: The parts contradict each other, or the API key would go out in the clear.
        OSError: A file cannot be read.
    """
    ca, cert, key = security.get("ca"), security.get("cert"), security.get("key")
    if (cert is None) != (key is None):
        raise ValueError("cert and key need each other")
    if _speaks_tls(security):
        return grpc.ssl_channel_credentials(_pem(ca), _pem(key), _pem(cert))
    if ca or cert:
        raise ValueError("tls is off, but a ca or a cert is given")
    if security.get("api_key"):
        check_key(target, security)
    return None


def check_key(target: str, security: Security) -> None:
    """Refuse to send an API key where everyone on the way can read it.

    Raises:
        ValueError: It would go out in the clear, to another machine, and nobody has allowed that.
    """
    if _speaks_tls(security) or security.get("plaintext_key"):
        return
    if not is_loopback(target):
        raise ValueError(
            f"the API key would go to {target} in the clear: use tls, or plaintext_key=True on a "
            "network that encrypts by itself"
        )


def _speaks_tls(security: Security) -> bool:
    tls = security.get("tls")
    return bool(tls or (tls is None and (security.get("ca") or security.get("cert"))))


def keyed(channel: C, api_key: str | None, others: Iterable[tuple[str, str]] = ()) -> C:
    """Return a channel, blocking or asyncio, whose stubs send an API key with each call.

    Args:
        channel: The channel.
        api_key: The key; None: none.
        others: Further metadata to send.
    """
    key = (("authorization", f"Bearer {api_key}"),) if api_key else ()
    metadata = (*key, *others)
    return cast("C", _KeyedChannel(channel, metadata)) if metadata else channel


@dataclass(frozen=True, slots=True)
class _KeyedChannel:
    """What a stub asks of a channel: one method for each form of call."""

    channel: Any
    metadata: tuple[tuple[str, str], ...]

    def unary_unary(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        return self._keyed(self.channel.unary_unary(*args, **kwargs))

    def stream_stream(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        return self._keyed(self.channel.stream_stream(*args, **kwargs))

    def _keyed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def with_key(*args: Any, metadata: tuple[tuple[str, str], ...] = (), **kwargs: Any) -> Any:
            return call(*args, metadata=(*metadata, *self.metadata), **kwargs)

        return with_key


def _pem(source: Pem | None) -> bytes | None:
    return source if source is None or isinstance(source, bytes) else Path(source).read_bytes()


def host_of(target: str) -> str | None:
    """Return the host of a gRPC target; None for a socket in the file system."""
    scheme, separator, rest = unquote(target).partition(":")
    if separator and scheme in ("unix", "unix-abstract"):
        return None
    if separator and scheme in ("dns", "ipv4", "ipv6"):
        target = rest.rpartition("/")[2]
    host = unquote(target)
    # HOST:PORT or [HOST]:PORT; an IPv6 address without brackets has no port.
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host


def is_loopback(target: str) -> bool:
    """Tell whether a gRPC target stays on this machine."""
    host = host_of(target)
    if host is None or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
