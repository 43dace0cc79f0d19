"""Which addresses are one client's."""

import pytest

from otppi.kit.net.ip_network import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("not an address", "not an address"),
        ("", ""),
    ],
)
def test_a_64_of_ipv6_is_one_network(address: str, network: str) -> None:
    """Issue 9, E22: a /64 of IPv6 was 2^64 addresses to the throttle, and is one to the limit of connections (E25)."""
    assert network_of(address) == network
