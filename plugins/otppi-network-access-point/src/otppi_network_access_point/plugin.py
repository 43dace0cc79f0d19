"""Registers the writer of the access point, and declares its settings."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from otppi.api import hookimpl
from otppi.api.settings import Effect, FieldError, Input, Section, integer, text, text_list
from otppi.api.trials import Values, Writer, WriterContext, WriterType
from otppi.kit.device_network.ipv4 import (
    NETMASK,
    PREFIX,
    address_problem,
    addresses_problem,
    check_address,
    overlap,
    own_net,
)
from otppi.kit.device_network.ranges import moved
from otppi_network_access_point.channels import BANDS, channels, country
from otppi_network_access_point.text import _

_SECONDS: Final = 180.0
"""Whoever is connected has to join the new network first, and a phone takes its time."""


def _ssid_problem(ssid: str) -> str | None:
    """Return what is wrong with a name (IEEE 802.11-2020 9.4.2.2): its octets count, not its characters."""
    if not 1 <= len(ssid.encode()) <= 32:
        return _("must be of 1 to 32 bytes in UTF-8")
    return None if ssid.isprintable() else _("must be of characters that can be seen")


def _passphrase_problem(passphrase: str) -> str | None:
    """Return what is wrong with a passphrase (IEEE 802.11-2020 annex J.4.1); an empty one stays as it is."""
    if not passphrase:
        return None
    if not 8 <= len(passphrase) <= 63 or not all(" " <= one <= "~" for one in passphrase):
        return _("must be of 8 to 63 characters of ASCII")
    return None


def _own_problem(address: str) -> str | None:
    return address_problem(address) if address else _("is required")


def _check_channel(values: Mapping[str, Any]) -> Iterator[FieldError]:
    where = country()
    allowed = channels(values["band"], where)
    if values["channel"] and values["channel"] not in allowed:
        known = ", ".join(map(str, allowed))
        yield FieldError("channel", _("must be 0, or a channel of this band: {channels}", channels=known))


SECTION: Final = Section(
    key="network_access_point",
    title=_("Wireless LAN (access point)"),
    help=_("The device's own Wi-Fi, and its address there. A change is on trial until it is confirmed."),
    reset_group="wlan",
    effect=Effect.MAY_CUT_OFF,
    asks_again=True,
    own_operations=True,
    checks=(check_address, _check_channel),
    settings=(
        text(
            "ssid",
            _("SSID Name"),
            _("SSID name: by which phones and computers find the access point."),
            "OTP-Pi",
            aliases=("ssid_name",),
            check=_ssid_problem,
        ),
        text(
            "passphrase",
            _("SSID Password"),
            _("SSID password, of 8 to 63 characters. It is on the brochure until it is changed; empty: it stays."),
            secret=True,
            input=Input.PASSWORD,
            aliases=("ssid_password",),
            check=_passphrase_problem,
        ),
        text(
            "key_management",
            _("Key Management"),
            _("How Wi-Fi is protected. Raspberry Pi's radios can do WPA2 as an access point, and WPA3 not."),
            "wpa-psk",
            choices=("wpa-psk",),
            choice_titles={"wpa-psk": _("WPA2 (WPA-PSK)")},
        ),
        text(
            "band",
            _("Band"),
            _("2.4 GHz reaches farther, and every phone has it; 5 GHz is disturbed less."),
            "bg",
            choices=tuple(BANDS),
            choice_titles={"bg": _("2.4 GHz"), "a": _("5 GHz")},
            advanced=True,
        ),
        integer(
            "channel",
            _("Channel"),
            _("The channel within the band, of those that the country allows; 0: the device chooses."),
            6,
            minimum=0,
            maximum=48,
            advanced=True,
        ),
        text(
            "ip_address",
            _("IP Address"),
            _("IP address of the device for who connects by Wi-Fi. The DHCP ranges move along."),
            "192.168.0.11",
            check=_own_problem,
        ),
        PREFIX,
        NETMASK,
        text(
            "gateway",
            _("Gateway"),
            _("A router in the access point's network. It is noted, and never the way to the internet: Ethernet is."),
            check=address_problem,
            advanced=True,
        ),
        text_list(
            "dns",
            _("DNS"),
            _("Name servers that the device itself asks by this network; usually there are none."),
            check=addresses_problem,
            advanced=True,
        ),
    ),
)


def _check(values: Values, others: Mapping[str, Values]) -> Iterable[FieldError]:
    """Look at Ethernet, and at the DHCP ranges, which move into the new net."""
    yield from overlap(values, others.get("network_ethernet"), _("Ethernet"))
    net, dhcp = own_net(values), others.get("network_dhcp")
    if net is None or dhcp is None:
        return
    own = ipaddress.IPv4Address(values["ip_address"])
    for row in dhcp["ranges"]:
        there = moved(row["first"], row["last"], net)
        if there is None:
            yield FieldError(
                "prefix",
                _(
                    "the DHCP range {first} to {last} has no room in {net}",
                    first=row["first"],
                    last=row["last"],
                    net=str(net),
                ),
            )
        elif there[0] <= own <= there[1]:
            first, last = map(str, there)
            yield FieldError("ip_address", _("must not be in the DHCP range {first} to {last}", first=first, last=last))


def _address(values: Values) -> str | None:
    return str(values["ip_address"])


def _create(context: WriterContext) -> Writer:
    from otppi_network_access_point.writer import AccessPointWriter

    return AccessPointWriter(context)


@hookimpl
def otppi_network_writers() -> Sequence[WriterType]:
    """Return the one writer of this plugin."""
    return [WriterType(section=SECTION, create=_create, seconds=_SECONDS, check=_check, address=_address)]
