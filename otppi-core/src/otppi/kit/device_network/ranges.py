"""DHCP ranges: which addresses they are in the net that the server has an address in."""

import ipaddress


def moved(
    first: str, last: str, net: ipaddress.IPv4Network
) -> tuple[ipaddress.IPv4Address, ipaddress.IPv4Address] | None:
    """Return the first and last address of a range in a net: those of another net keep their place within it.

    Example:
        >>> moved("192.168.0.100", "192.168.0.150", ipaddress.IPv4Network("10.0.5.0/24"))
        (IPv4Address('10.0.5.100'), IPv4Address('10.0.5.150'))

    Returns:
        None where it has no room there: where it is as large as the net, or larger.
    """
    host = int(net.hostmask)
    ends = [ipaddress.IPv4Address(one) for one in (first, last)]
    if any(one not in net for one in ends):
        ends = [net.network_address + (int(one) & host) for one in ends]
    outer = (net.network_address, net.broadcast_address)
    size = int(ipaddress.IPv4Address(last)) - int(ipaddress.IPv4Address(first))
    if int(ends[1]) - int(ends[0]) != size or size < 0 or any(one in outer for one in ends):
        return None
    return ends[0], ends[1]
