"""Which IP addresses count as one client: limits by address would bind nobody who has 2^64 of them."""

import ipaddress

_HOST_BITS = 64


def network_of(address: str) -> str:
    """Return the network that one client may have for itself: an IPv4 address, or the /64 of an IPv6 one (RFC 6177).

    An IPv4 address that is mapped into IPv6 (RFC 4291 2.5.5.2) counts as itself; what is no address, too.

    Example:
        >>> network_of("192.0.2.1"), network_of("2001:db8::1:2")
        ('192.0.2.1', '2001:db8::/64')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{ipaddress.IPv6Address(int(parsed) >> _HOST_BITS << _HOST_BITS)}/{_HOST_BITS}"
