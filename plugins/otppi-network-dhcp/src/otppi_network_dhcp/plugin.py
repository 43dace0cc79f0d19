"""Registers the writer of the DHCP server, and declares its settings."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from otppi.api import hookimpl
from otppi.api.settings import FieldError, Input, Section, Setting, integer, rows, text, text_list
from otppi.api.trials import Values, Writer, WriterContext, WriterType
from otppi.kit.device_network.ipv4 import address_problem, addresses_problem, netmask_problem, own_net
from otppi_network_dhcp.configuration import DEFAULTS, SHORTEST_LEASE, in_use
from otppi_network_dhcp.text import _

_LONGEST_LEASE: Final = 31_536_000
_MOST_RANGES: Final = 8
_DOMAIN: Final = (
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


def _domain_problem(name: str) -> str | None:
    """Return what is wrong with a domain's name (RFC 1123 2.1)."""
    return None if re.fullmatch(_DOMAIN, name) else _("must be a domain name such as otppi.local")


def _ends(row: Mapping[str, Any]) -> tuple[ipaddress.IPv4Address, ipaddress.IPv4Address]:
    return ipaddress.IPv4Address(row["first"]), ipaddress.IPv4Address(row["last"])


def _check_ranges(values: Mapping[str, Any]) -> Iterator[FieldError]:
    """Look at the ranges by themselves."""
    ranges = values["ranges"]
    if not ranges:
        yield FieldError("ranges", _("must be at least one range"))
    if len(ranges) > _MOST_RANGES:
        yield FieldError("ranges", _("must be at most {most} ranges", most=_MOST_RANGES))
    for index, row in enumerate(ranges):
        first, last = _ends(row)
        if first > last:
            yield FieldError(f"ranges[{index}].last", _("must not be before the first address"))
        for other in ranges[:index]:
            begin, end = _ends(other)
            if first <= end and begin <= last:
                yield FieldError(f"ranges[{index}].first", _("overlaps another range"))
                break


def _ranges() -> Setting:
    columns = (
        text(
            "first", _("First"), _("The first address."), required=True, check=address_problem, input=Input.IP_ADDRESS
        ),
        text("last", _("Last"), _("The last address."), required=True, check=address_problem, input=Input.IP_ADDRESS),
    )
    declared = rows(
        "ranges",
        _("Range"),
        _("Allocated IP address ranges, in the access point's network and without its own address."),
        columns,
        aliases=("range",),
    )
    return replace(declared, default=DEFAULTS["ranges"])


SECTION: Final = Section(
    key="network_dhcp",
    title=_("DHCP"),
    help=_("What who joins the access point is given. A change is on trial until it is confirmed."),
    reset_group="dhcp",
    asks_again=True,
    own_operations=True,
    checks=(_check_ranges,),
    settings=(
        text(
            "domain_name",
            _("Domain Name"),
            _("Domain name of DHCP: the one that clients complete names with."),
            DEFAULTS["domain_name"],
            check=_domain_problem,
        ),
        text_list(
            "domain_name_servers",
            _("Domain Name Servers"),
            _("Name servers that clients are told, by their addresses; empty: this device."),
            aliases=("domain_name_servers_address",),
            check=addresses_problem,
        ),
        text(
            "router_address",
            _("Router Address"),
            _("The router that clients are told; empty: none, so that phones keep their mobile data."),
            DEFAULTS["router_address"],
            check=address_problem,
        ),
        text(
            "netmask",
            _("Netmask"),
            _("Netmask that clients are told: that of the access point. Netmask and subnetmask are one here."),
            DEFAULTS["netmask"],
            aliases=("subnetmask", "subnet_mask"),
            check=netmask_problem,
        ),
        integer(
            "lease_time",
            _("Default and Maximum Lease Time"),
            _("How long clients keep an address. One value for both: who asks for less gets less, nobody more."),
            DEFAULTS["lease_time"],
            minimum=SHORTEST_LEASE,
            maximum=_LONGEST_LEASE,
            unit=_("s"),
            aliases=("default_lease_time", "maximum_lease_time"),
            input=Input.DURATION,
        ),
        _ranges(),
    ),
)


def _check(values: Values, others: Mapping[str, Values]) -> Iterable[FieldError]:
    """Look at the access point, in whose network all of it has to be."""
    point = others.get("network_access_point")
    net = own_net(point or {})
    if point is None or net is None:
        return
    own = ipaddress.IPv4Address(point["ip_address"])
    if values["netmask"] != str(net.netmask):
        yield FieldError("netmask", _("must be that of the access point, {netmask}", netmask=str(net.netmask)))
    for index, row in enumerate(values["ranges"]):
        for key, one in zip(("first", "last"), _ends(row), strict=True):
            if one not in net or one in (net.network_address, net.broadcast_address):
                yield FieldError(f"ranges[{index}].{key}", _("must be in the access point's net {net}", net=str(net)))
        if _ends(row)[0] <= own <= _ends(row)[1]:
            reason = _("must be a range without the device's own address, {address}", address=str(own))
            yield FieldError(f"ranges[{index}].first", reason)
    if values["router_address"] and ipaddress.IPv4Address(values["router_address"]) not in net:
        yield FieldError("router_address", _("must be in the access point's net {net}", net=str(net)))


def _expected(values: Values, others: Mapping[str, Values]) -> Values | None:
    """Return what is used beside the access point's address, which the ranges follow."""
    point = others.get("network_access_point")
    if point is None:
        return None
    return in_use(values, ipaddress.IPv4Interface((point["ip_address"], point["prefix"])))


def _create(context: WriterContext) -> Writer:
    from otppi_network_dhcp.writer import DhcpWriter

    return DhcpWriter(context)


@hookimpl
def otppi_network_writers() -> Sequence[WriterType]:
    """Return the one writer of this plugin."""
    return [WriterType(section=SECTION, create=_create, check=_check, expected=_expected)]
