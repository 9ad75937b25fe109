"""Who calls: the identity that fairness, credits and logs know a caller by."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import unquote

# A holder of one IPv6 address has all addresses that differ in the last half only.
_IPV6_PREFIX_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Caller:
    """The other end of one call.

    Attributes:
        key_id: Public id of the API key that the call carries; None where no accounts are kept.
        host: Address that the call comes from, without its port: of IPv6 the network of 64 bits.
    """

    key_id: str | None
    host: str

    @property
    def name(self) -> str:
        """What tells callers apart: the key if there is one, else the address."""
        return self.key_id or self.host


def peer_address(peer: str) -> tuple[str, int] | None:
    """Return address and port of gRPC's name of a peer, such as `ipv4:127.0.0.1:50432`."""
    scheme, _, address = unquote(peer).partition(":")
    host, _, port = address.rpartition(":")
    if scheme not in ("ipv4", "ipv6") or not port.isdecimal():
        return None
    return host.strip("[]"), int(port)


def peer_host(peer: str) -> str:
    """Return whose address a peer's is: `203.0.113.5`, or `2001:db8::/64` for all of a network."""
    known = peer_address(peer)
    if known is None:
        return peer
    try:
        address = ip_address(known[0])
    except ValueError:
        return known[0]
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    if address.is_loopback:
        return str(address)
    # A zone (`fe80::1%eth0`) says on which link an address is, and not whose it is.
    return str(IPv6Network((int(address), _IPV6_PREFIX_BITS), strict=False))
