"""By which interface of this device a client's connection came in, and at which address.

The local address does not say the interface: Linux answers for each of its addresses on every interface. The kernel
keeps of a TCP connection the interface at which the last packet of the handshake arrived (tcp_v4_syn_recv_sock and
tcp_v6_syn_recv_sock of net/ipv4/tcp_ipv4.c and net/ipv6/tcp_ipv6.c), and tells it as ancillary data that can be asked
for at any time (ip(7), IP_PKTINFO and IP_PKTOPTIONS; RFC 2292 4.1).
"""

import ipaddress
import socket
import struct
import sys
from typing import Final, NamedTuple

_IP_PKTINFO: Final = 8
_IP_PKTOPTIONS: Final = 9
_IPV6_2292PKTINFO: Final = 2
_IPV6_2292PKTOPTIONS: Final = 6
# Numbers of linux/in.h and linux/in6.h: Python 3.11 has no names for them.
_OF_IPV4: Final = (socket.IPPROTO_IP, _IP_PKTINFO, _IP_PKTOPTIONS, struct.Struct("@i8x"))
"""Level, option and question, and what the answer is: `struct in_pktinfo`, which begins with the interface."""
_OF_IPV6: Final = (socket.IPPROTO_IPV6, _IPV6_2292PKTINFO, _IPV6_2292PKTOPTIONS, struct.Struct("@16xi"))
"""The same of IPv6, and of IPv4 on a socket of both: `struct in6_pktinfo`, which ends with it."""
_HEADER: Final = struct.Struct("@Nii")
"""`struct cmsghdr`: length with the header, level and type."""
_LONGEST: Final = 256
_MAPPED: Final = "::ffff:"
"""What an IPv4 address begins with on a socket of both (RFC 4291 2.5.5.2)."""


class ConnectionArrival(NamedTuple):
    """Where a connection came in.

    Attributes:
        interface: Of this device, such as `wlan0`; empty where it is not known.
        address: Of this device, the one that the client is connected to; empty where it is not known.
        port: Of this device. What a firewall has redirected came to another one: this is the port that listens.
    """

    interface: str = ""
    address: str = ""
    port: int = 0

    @property
    def url(self) -> str:
        """Return how a browser calls this address by HTTP, such as `http://192.168.0.11:8888/`; empty where it cannot.

        That is so of a link-local address of IPv6: a URL has no room for its zone (RFC 4007 11, WHATWG URL 3.5).
        """
        try:
            known = ipaddress.ip_address(self.address)
        except ValueError:
            return ""
        if known.version == 4:
            return f"http://{known}:{self.port}/"
        return "" if known.is_link_local else f"http://[{known}]:{self.port}/"


UNKNOWN: Final = ConnectionArrival()


def arrival_of(sock: socket.socket) -> ConnectionArrival:
    """Return where a connection that was accepted came in."""
    address, port = sock.getsockname()[:2]
    return ConnectionArrival(arrived_by(sock), address.removeprefix(_MAPPED).partition("%")[0], port)


def arrived_by(sock: socket.socket) -> str:
    """Return the name of the interface, such as `wlan0`; empty where that is not known.

    Args:
        sock: A connection that was accepted.
    """
    level, option, question, answer = _OF_IPV6 if sock.family == socket.AF_INET6 else _OF_IPV4
    if sys.platform != "linux":
        return ""
    try:
        sock.setsockopt(level, option, 1)
        told = sock.getsockopt(level, question, _LONGEST)
        sock.setsockopt(level, option, 0)
        if len(told) < _HEADER.size + answer.size:
            return ""
        length, *kind = _HEADER.unpack_from(told)
        if length != _HEADER.size + answer.size or kind != [level, option]:
            return ""
        (index,) = answer.unpack_from(told, _HEADER.size)
        return socket.if_indextoname(index) if index > 0 else ""
    except OSError:
        return ""
