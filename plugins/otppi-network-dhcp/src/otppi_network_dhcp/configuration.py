"""What dnsmasq is told (dnsmasq(8)), of values that are valid; and which of them are in use beside an address.

Imports little: it is run at each start of the DHCP server, on a device that has just begun to start itself.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

from otppi.kit.device_network.ranges import moved

DEFAULTS: Final[Mapping[str, Any]] = {
    "domain_name": "otppi.local",
    "domain_name_servers": [],
    "router_address": "",
    "netmask": "255.255.255.0",
    "lease_time": 3600,
    "ranges": [{"first": "192.168.0.100", "last": "192.168.0.150"}],
}
"""As the brochure says."""
SHORTEST_LEASE: Final = 120
"""Seconds: dnsmasq grants none that is shorter."""
_PAGES: Final = 8888


def in_use(values: Mapping[str, Any], own: ipaddress.IPv4Interface) -> dict[str, Any]:
    """Return the values that are used beside an address of the access point: what is of another net moves along."""
    net = own.network
    ranges = [moved(row["first"], row["last"], net) for row in values["ranges"]]
    router = values["router_address"]
    if router and ipaddress.IPv4Address(router) not in net:
        there = moved(router, router, net)
        router = str(there[0]) if there is not None and there[0] != own.ip else ""
    return {
        **values,
        "netmask": str(net.netmask),
        "router_address": router,
        "ranges": [{"first": str(one[0]), "last": str(one[1])} for one in ranges if one is not None],
    }


def configuration(values: Mapping[str, Any], own: ipaddress.IPv4Interface, *, portal: bool) -> str:
    """Return dnsmasq's configuration.

    Args:
        values: Those in use.
        own: The access point's address.
        portal: Whether every name leads to the device, so that phones show its page by themselves: until it has an
            administrator. Afterwards a name of elsewhere is one that this net does not have.
    """
    servers = ",".join(values["domain_name_servers"] or [str(own.ip)])
    router = f",{values['router_address']}" if values["router_address"] else ""  # none: phones keep their mobile data
    domain = values["domain_name"]
    names = ["otppi", "otppi.local", *([] if domain == DEFAULTS["domain_name"] else [f"otppi.{domain}"])]
    lines = [
        f"# {own}",
        "interface=wlan0",
        # With bind-dynamic, which waits for the address, dnsmasq 2.91 now and then opened port 53 for TCP alone, and no
        # name was resolved. Bound to all addresses it answers on this interface only, and the firewall lets others'
        # questions in nowhere.
        "except-interface=lo",
        "no-resolv",
        "no-hosts",
        f"domain={domain}",
        f"host-record={','.join(names)},{own.ip}",
        *(f"dhcp-range={one['first']},{one['last']},{own.netmask},{values['lease_time']}" for one in values["ranges"]),
        f"dhcp-option=option:router{router}",
        f"dhcp-option=option:dns-server,{servers}",
        f"dhcp-option=114,http://{own.ip}:{_PAGES}/captive-portal/api",  # RFC 8910
        "dhcp-authoritative",
        # A phone that calls itself wpad would be asked by the others for their proxy (CERT VU#598349).
        "dhcp-ignore-names",
    ]
    if portal:
        lines.append(f"address=/#/{own.ip}")
    return "".join(f"{line}\n" for line in lines)
