"""The channel to one Triton or several: addresses, and how gRPC deals requests out to them.

gRPC does all of it. `round_robin` deals requests out to the connected Tritons. Outlier detection
takes out for a while a Triton that is connected but fails nearly all requests, because its model
process has died or it hangs. With one channel per address, both would have to be written by hand.
"""

import ipaddress
import json
from typing import Final

_RESOLVERS: Final = ("dns:", "ipv4:", "ipv6:", "unix:")

_SERVICE_CONFIG: Final = {
    "loadBalancingConfig": [
        {
            # gRPC's name for the policy of its proposal A50; "experimental" is part of it.
            "outlier_detection_experimental": {
                "interval": "0.5s",
                "baseEjectionTime": "2s",
                "maxEjectionTime": "10s",
                # At most half: where all fail, the cause is not one of them.
                "maxEjectionPercent": 50,
                "failurePercentageEjection": {
                    # Late answers under load are failures too, so only near-total failure counts.
                    "threshold": 90,
                    "enforcementPercentage": 100,
                    "minimumHosts": 2,
                    "requestVolume": 2,
                },
                "childPolicy": [{"round_robin": {}}],
            }
        }
    ]
}

CHANNEL_OPTIONS: Final = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # By default gRPC waits up to two minutes before it connects again to a server that was away.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A name is looked up again when a connection ends, by default not within 30 s of the last time:
    # what replaced a Triton stayed unknown for so long.
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    # Retries are `gateway.inference.retries`: gRPC's own cannot tell a dead model process by its
    # message.
    ("grpc.enable_retries", 0),
    # Channels to the same Triton would share a connection, and what one of them knows of it.
    ("grpc.use_local_subchannel_pool", 1),
]


def channel_target(addresses: str) -> str:
    """Return the gRPC target of a list of Tritons.

    Args:
        addresses: HOST:PORT, or several IP:PORT with commas between, or a target of gRPC's own
            such as dns:///NAME:PORT; of a name, gRPC uses every address that it resolves to.

    Raises:
        ValueError: The list is none of these; the message says why.
    """
    if addresses.startswith(_RESOLVERS):
        return addresses
    each = [address.strip() for address in addresses.split(",")]
    for address in each:
        _check_port(address)
    if len(each) == 1:
        return each[0]
    versions = {_ip_version(address) for address in each}
    if len(versions) > 1:
        raise ValueError("several addresses must be all IPv4 or all IPv6")
    return f"ipv{versions.pop()}:{','.join(each)}"


def single_addresses(addresses: str) -> tuple[str, ...]:
    """Return the Tritons of a list one by one; a target of gRPC's own stays as it is."""
    if addresses.startswith(_RESOLVERS):
        return (addresses,)
    return tuple(address.strip() for address in addresses.split(","))


def is_sole(addresses: str) -> bool:
    """Tell whether an address can be that of one Triton alone: IP:PORT, and no name."""
    try:
        ipaddress.ip_address(addresses.rpartition(":")[0].removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _check_port(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"{address!r} is not HOST:PORT")


def _ip_version(address: str) -> int:
    host = address.rpartition(":")[0].removeprefix("[").removesuffix("]")
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        raise ValueError(
            f"{address!r} has a name, and of several addresses each must be IP:PORT; a name that "
            "resolves to all of them can stand alone"
        ) from None
