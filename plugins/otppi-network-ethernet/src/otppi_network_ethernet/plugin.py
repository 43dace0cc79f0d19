"""Registers the writer of Ethernet, and declares its settings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from otppi.api import hookimpl
from otppi.api.settings import Effect, FieldError, Section, boolean, text
from otppi.api.trials import Values, Writer, WriterContext, WriterType
from otppi.kit.device_network.ipv4 import (
    NETMASK,
    PREFIX,
    address_problem,
    check_address,
    overlap,
)
from otppi_network_ethernet.text import _


def _check_dhcp(values: Mapping[str, Any]) -> Iterator[FieldError]:
    """Refuse what would not be used: somebody would wait for it at an address that never comes."""
    if not values["dhcp"]:
        if not values["ip_address"]:
            yield FieldError("ip_address", _("is required where the address does not come by DHCP"))
        return
    for key in ("ip_address", "gateway"):
        if values[key]:
            yield FieldError(key, _("must be empty where the address comes by DHCP"))
    if values["prefix"] != PREFIX.default:
        yield FieldError("prefix", _("must be {prefix} where the address comes by DHCP", prefix=PREFIX.default))


def _check_dns(values: Mapping[str, Any]) -> Iterator[FieldError]:
    if values["dns2"] and not values["dns1"]:
        yield FieldError("dns1", _("is required where there is a second one"))


SECTION: Final = Section(
    key="network_ethernet",
    title=_("Ethernet"),
    help=_("The device's address in the network that its cable leads to. A change is on trial until it is confirmed."),
    reset_group="ethernet",
    effect=Effect.MAY_CUT_OFF,
    asks_again=True,
    own_operations=True,
    checks=(check_address, _check_dhcp, _check_dns),
    settings=(
        boolean(
            "dhcp",
            _("Address by DHCP"),
            _("Whether the network's router gives the device its address. Without, it has the one below."),
            True,
        ),
        text(
            "ip_address",
            _("IP Address"),
            _("IP address of the device for who connects by Ethernet; empty with DHCP."),
            check=address_problem,
        ),
        PREFIX,
        NETMASK,
        text(
            "gateway",
            _("Gateway"),
            _("The router that leads to other networks and to the internet; empty with DHCP, and where there is none."),
            check=address_problem,
        ),
        text(
            "dns1",
            _("DNS1"),
            _("The first name server. Empty: those that DHCP tells."),
            aliases=("dns_1",),
            check=address_problem,
        ),
        text(
            "dns2",
            _("DNS2"),
            _("The second name server, which is asked where the first one does not answer."),
            aliases=("dns_2",),
            check=address_problem,
        ),
    ),
)


def _check(values: Values, others: Mapping[str, Values]) -> Iterable[FieldError]:
    return overlap(values, others.get("network_access_point"), _("the access point"))


def _address(values: Values) -> str | None:
    return str(values["ip_address"]) or None


def _create(context: WriterContext) -> Writer:
    from otppi_network_ethernet.writer import EthernetWriter

    return EthernetWriter(context)


@hookimpl
def otppi_network_writers() -> Sequence[WriterType]:
    """Return the one writer of this plugin."""
    return [WriterType(section=SECTION, create=_create, check=_check, address=_address)]
