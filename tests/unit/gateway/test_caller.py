"""Who calls, by gRPC's name of the peer."""

import pytest

from gateway.admission.caller import peer_address, peer_host


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("ipv4:203.0.113.5:50432", "203.0.113.5"),
        ("ipv6:[2001:db8:1:2:3:4:5:6]:50432", "2001:db8:1:2::/64"),
        ("ipv6:%5B2001:db8:1:2:ffff::1%5D:50432", "2001:db8:1:2::/64"),
        ("ipv6:[2001:db8:1:3::1]:1", "2001:db8:1:3::/64"),
        ("ipv6:[::ffff:203.0.113.5]:50432", "203.0.113.5"),
        ("ipv6:[fe80::1%25eth0]:50432", "fe80::/64"),
        ("ipv6:%5B::1%5D:50432", "::1"),
        ("unix:/run/packshot", "unix:/run/packshot"),
    ],
)
def test_an_address_is_a_caller_and_of_ipv6_the_network(peer: str, host: str) -> None:
    assert peer_host(peer) == host


def test_the_address_is_told_apart_from_its_port() -> None:
    assert peer_address("ipv6:%5B::1%5D:50432") == ("::1", 50432)
    assert peer_address("unix:/run/packshot") is None
