"""How a channel to the service is set up: message sizes, reconnection, and proxies."""

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from packshot._security import Security, credentials, host_of, is_loopback
from packshot.wire.v1 import wire_pb2 as wire

DEFAULT_TARGET = "localhost:50051"
DEFAULT_TIMEOUT_S = 30.0

# Who writes gRPC's own form of an address, such as dns:///NAME:PORT, means all that it stands for,
# as the pods behind a headless service; calls go to each in turn. A plain name keeps to one.
_SEVERAL = ("dns:", "ipv4:", "ipv6:")
_ROUND_ROBIN = '{"loadBalancingConfig":[{"round_robin":{}}]}'

# As gRPC looks for them: https://grpc.github.io/grpc/core/md_doc_environment_variables.html
_PROXY_NAMES = ("grpc_proxy", "https_proxy", "http_proxy")
_NO_PROXY_NAMES = ("no_grpc_proxy", "no_proxy")


def open_channel(api: Any, target: str, security: Security) -> Any:
    """Open a channel to a target.

    Args:
        api: Whose: `grpc` for a blocking one, `grpc.aio` for one of asyncio.
        target: The gateway's address.
        security: How it is connected.

    Raises:
        ValueError: The security's parts contradict each other.
        OSError: A file of it cannot be read.
    """
    options = _options(target)
    if proof := credentials(target, security):
        return api.secure_channel(target, proof, options=options)
    return api.insecure_channel(target, options=options)


def health_check(channel: Any) -> Callable[..., Any]:
    """Return the call that asks a channel's service for its health."""
    method: Callable[..., Any] = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=wire.HealthCheckRequest.SerializeToString,
        response_deserializer=wire.HealthCheckResponse.FromString,
    )
    return method


def route_to(target: str) -> str:
    """Say where a channel leads, for errors: the target, and the proxy on the way if there is one.

    Of the proxy's address neither user nor password are told.
    """
    if is_loopback(target):
        return target
    name = next((name for name in _PROXY_NAMES if os.environ.get(name)), None)
    direct = next((os.environ[name] for name in _NO_PROXY_NAMES if os.environ.get(name)), "")
    host = host_of(target) or ""
    if name is None or any(host.endswith(end) for end in direct.replace(" ", "").split(",") if end):
        return target
    proxy = urlsplit(os.environ[name])
    if proxy.scheme != "http":
        return target  # gRPC knows no other proxies, and leaves them aside
    address = proxy.netloc.rpartition("@")[2]
    return f"{target} by the proxy {address}, which {name} names"


def _options(target: str) -> list[tuple[str, Any]]:
    dealt = [("grpc.service_config", _ROUND_ROBIN)] if target.startswith(_SEVERAL) else []
    return [
        *dealt,
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_reconnect_backoff_ms", 2000),
        # A service that is replaced has other addresses at once, not after gRPC's 30 s.
        ("grpc.dns_min_time_between_resolutions_ms", 1000),
        # No proxy can reach this machine's own ports for us.
        ("grpc.enable_http_proxy", int(not is_loopback(target))),
    ]
