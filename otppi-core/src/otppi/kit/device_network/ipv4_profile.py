"""The IPv4 part of a profile of NetworkManager (nm-settings-dbus(5), "ipv4")."""

import ipaddress
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from otppi.kit.device_network.ipv4 import netmask_of


def ipv4_of(values: Mapping[str, Any] | None, name_servers: Sequence[str]) -> dict[str, Any]:
    """Return the part for an address.

    Args:
        values: With `ip_address`, `prefix` and `gateway`; None where the address comes by DHCP.
        name_servers: Those that are asked.
    """
    import dbus

    # As the numbers of `dns` are: `dns-data` is taken since NetworkManager 1.42 only.
    servers = [dbus.UInt32(int.from_bytes(socket.inet_aton(one), sys.byteorder)) for one in name_servers]
    part: dict[str, Any] = {"dns": dbus.Array(servers, signature="u")}
    if values is None:
        return part | {"method": "auto"}
    address = {"address": values["ip_address"], "prefix": dbus.UInt32(values["prefix"])}
    part |= {
        "method": "manual",
        "address-data": dbus.Array([dbus.Dictionary(address, signature="sv")], signature="a{sv}"),
    }
    if values["gateway"]:
        part["gateway"] = values["gateway"]
    return part


def read_ipv4(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return `ip_address`, `prefix`, `netmask` and `gateway` of a part with an address of its own."""
    first: Mapping[str, Any] = next(iter(part.get("address-data", ())), {})
    prefix = int(first.get("prefix", 24))
    return {
        "ip_address": str(first.get("address", "")),
        "prefix": prefix,
        "netmask": netmask_of(prefix),
        "gateway": str(part.get("gateway", "")),
    }


def name_servers_of(part: Mapping[str, Any]) -> list[str]:
    """Return the name servers of a part."""
    numbers = (int(one).to_bytes(4, sys.byteorder) for one in part.get("dns", ()))
    return [str(ipaddress.IPv4Address(one)) for one in numbers]
