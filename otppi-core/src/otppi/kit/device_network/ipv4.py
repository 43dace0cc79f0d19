"""IPv4 settings as people write them: addresses, prefixes and netmasks, and what cannot work together."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

from otppi.api.settings import FieldError, integer, text
from otppi.text import _

SMALLEST, LARGEST = 8, 30
"""Prefixes of a net that a device and others have addresses in."""


def address_problem(value: str) -> str | None:
    """Return what is wrong with an address of one device in a net; an empty text is none."""
    if not value:
        return None
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        return _("must be an IPv4 address such as 192.168.1.50")
    if address.is_multicast or address.is_unspecified or address.is_loopback or address.is_reserved:
        return _("must be an IPv4 address that a device can have")
    return None


def addresses_problem(values: list[str]) -> str | None:
    """Return what is wrong with a list of addresses."""
    return next((reason for one in values if (reason := address_problem(one) or (None if one else _EMPTY))), None)


_EMPTY = _("must be an IPv4 address such as 192.168.1.50")


def netmask_problem(value: str) -> str | None:
    """Return what is wrong with a netmask."""
    if prefix_of(value) is None:
        return _("must be a netmask such as 255.255.255.0")
    return None


def prefix_of(netmask: str) -> int | None:
    """Return the prefix of a netmask; None where it is none that a net can have."""
    prefixes = {str(ipaddress.IPv4Network((0, one)).netmask): one for one in range(SMALLEST, LARGEST + 1)}
    return prefixes.get(netmask)


def netmask_of(prefix: int) -> str:
    """Return the netmask of a prefix."""
    return str(ipaddress.IPv4Network((0, prefix)).netmask)


def network(address: str, prefix: int) -> ipaddress.IPv4Network:
    """Return the net that an address is in."""
    return ipaddress.IPv4Network((address, prefix), strict=False)


PREFIX: Final = integer(
    "prefix",
    _("Prefix"),
    _("Network prefix: how many bits of the address are those of the network."),
    24,
    minimum=SMALLEST,
    maximum=LARGEST,
)
NETMASK: Final = text(
    "netmask",
    _("Netmask"),
    _("The same as the prefix, in the other way of writing it."),
    netmask_of(24),
    check=netmask_problem,
)
"""The settings of a section beside its `ip_address`; `check_address` sees that they agree."""


def own_net(values: Mapping[str, Any]) -> ipaddress.IPv4Network | None:
    """Return the net of a section's `ip_address` and `prefix`; None where it has no address of its own."""
    address, prefix = values.get("ip_address"), values.get("prefix")
    return network(address, prefix) if address and isinstance(prefix, int) else None


def check_address(values: Mapping[str, Any]) -> Iterator[FieldError]:
    """Check `ip_address`, `prefix`, `netmask` and `gateway` of a section together."""
    if netmask_of(values["prefix"]) != values["netmask"]:
        said = netmask_of(values["prefix"])
        yield FieldError(
            "netmask", _("does not fit the prefix {prefix}: {netmask}", prefix=values["prefix"], netmask=said)
        )
        return
    net = own_net(values)
    if net is None:
        return
    own = ipaddress.IPv4Address(values["ip_address"])
    if own in (net.network_address, net.broadcast_address):
        yield FieldError("ip_address", _("must be no address of the net {net} as a whole", net=str(net)))
    if values["gateway"]:
        gateway = ipaddress.IPv4Address(values["gateway"])
        if gateway not in net or gateway in (net.network_address, net.broadcast_address):
            yield FieldError("gateway", _("must be in the net {net}", net=str(net)))
        elif gateway == own:
            yield FieldError("gateway", _("must be another address than the device's own"))


def overlap(values: Mapping[str, Any], other: Mapping[str, Any] | None, what: str) -> Iterator[FieldError]:
    """Say where the net of a section overlaps that of another one: the device would not know which way is whose.

    Args:
        values: Those of the section.
        other: Those of the other one.
        what: What the other one is called.
    """
    net, others = own_net(values), own_net(other or {})
    if net is not None and others is not None and net.overlaps(others):
        yield FieldError(
            "ip_address",
            _("its net {net} overlaps that of {what}, {other}", net=str(net), what=what, other=str(others)),
        )
