"""The network interfaces of this computer and their addresses, as the kernel tells them (rtnetlink(7))."""

import ipaddress
import logging
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

logger = logging.getLogger(__name__)

_HEADER: Final = struct.Struct("=IHHII")
"""`struct nlmsghdr` (netlink(7)): length with the header, type, flags, number, port."""
_ADDRESS: Final = struct.Struct("=BBBBI")
"""`struct ifaddrmsg` (rtnetlink(7)): family, length of the prefix, flags, scope, index of the interface."""
_ATTRIBUTE: Final = struct.Struct("=HH")
"""`struct rtattr`: length with the header, type."""
_NETLINK_ROUTE, _NLMSG_ERROR, _NLMSG_DONE, _RTM_NEWADDR, _RTM_GETADDR = 0, 2, 3, 20, 22
_REQUEST_DUMP: Final = 0x301
"""NLM_F_REQUEST, NLM_F_ROOT and NLM_F_MATCH: all there are."""
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_LARGEST: Final = 65_536
_PATIENCE: Final = 1.0
_LOOPBACK: Final = "lo"


def interfaces(root: Path = Path("/")) -> list[dict[str, Any]]:
    """List the interfaces but the loopback: name, state as the kernel calls it, addresses with their prefixes.

    Args:
        root: Where `sys` is.
    """
    known: dict[str, list[str]] = {name: [] for _index, name in socket.if_nameindex() if name != _LOOPBACK}
    try:
        for name, address in _addresses():
            if name in known:
                known[name].append(address)
    except OSError as error:
        logger.debug("the addresses of interfaces are not known: %s", error)
    return [
        {"name": name, "state": _state(root / "sys/class/net" / name), "addresses": addresses}
        for name, addresses in known.items()
    ]


def _state(folder: Path) -> str:
    """Return the state (Linux' Documentation/ABI sysfs-class-net, operstate); "unknown" where none is told."""
    try:
        return folder.joinpath("operstate").read_text("ascii", "replace").strip() or "unknown"
    except OSError:
        return "unknown"


def _addresses() -> Iterator[tuple[str, str]]:
    """Yield each address with its prefix, such as 192.168.0.11/24, and the interface that has it.

    Raises:
        OSError: The kernel does not tell.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE) as netlink:
        netlink.settimeout(_PATIENCE)
        question = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        netlink.send(_HEADER.pack(_HEADER.size + len(question), _RTM_GETADDR, _REQUEST_DUMP, 1, 0) + question)
        while True:
            for kind, body in _messages(netlink.recv(_LARGEST)):
                if kind == _NLMSG_DONE:
                    return
                if kind == _NLMSG_ERROR:
                    raise OSError("the kernel refuses")
                if kind == _RTM_NEWADDR and (found := read_address(body)) is not None:
                    yield found


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, *_rest = _HEADER.unpack_from(data)
        if length < _HEADER.size:
            return
        yield kind, data[_HEADER.size : length]
        data = data[_aligned(length) :]


def read_address(message: bytes) -> tuple[str, str] | None:
    """Read an RTM_NEWADDR: the name of the interface and the address; None of what is none, or has just gone."""
    family, prefix, _flags, _scope, index = _ADDRESS.unpack_from(message)
    found: dict[int, bytes] = {}
    rest = message[_ADDRESS.size :]
    while len(rest) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(rest)
        if length < _ATTRIBUTE.size:
            break
        found[kind] = rest[_ATTRIBUTE.size : length]
        rest = rest[_aligned(length) :]
    # Of a connection from point to point the other is that of the peer.
    packed = found.get(_IFA_LOCAL, found.get(_IFA_ADDRESS, b""))
    if family not in (socket.AF_INET, socket.AF_INET6) or len(packed) not in (4, 16):
        return None
    try:
        return socket.if_indextoname(index), f"{ipaddress.ip_address(packed)}/{prefix}"
    except OSError:
        return None


def _aligned(length: int) -> int:
    """Return where the next one begins: at four octets (NLMSG_ALIGN, RTA_ALIGN)."""
    return (length + 3) & ~3
