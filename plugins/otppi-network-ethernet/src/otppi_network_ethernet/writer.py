"""Ethernet's values as a profile of NetworkManager, and the other way round."""

from typing import Any, Final

from otppi.api.trials import Values, WriterContext
from otppi.kit.device_network.ipv4_profile import ipv4_of, name_servers_of, read_ipv4
from otppi.kit.device_network.network_manager import Profile
from otppi.kit.device_network.profiles import ProfileWriter
from otppi_network_ethernet.plugin import SECTION
from otppi_network_ethernet.text import _

INTERFACE: Final = "eth0"
UUID: Final = "0d1a8c7e-6a52-5b0c-9b1c-5f1f7d3f9a20"
"""Of the profile, on every device. Until the first change there is none, and NetworkManager's own asks for DHCP."""
_PRIORITY: Final = 10
"""Before every other profile that fits, when the device starts."""


class EthernetWriter(ProfileWriter):
    """See `Writer` for the contract."""

    def __init__(self, context: WriterContext, interface: str = INTERFACE) -> None:
        super().__init__(context, interface, UUID)

    @property
    def unavailable(self) -> str:
        """What is said where no cable is plugged in."""
        return _("no cable is plugged in at Ethernet: plug it in first, so that the change can be tried")

    def read(self, profile: Profile | None) -> Values:
        """Return the values of a profile; without one those of DHCP."""
        values = SECTION.defaults()
        if profile is None:
            return values
        ipv4 = profile["ipv4"]
        servers = [*name_servers_of(ipv4), "", ""]
        values |= {"dhcp": ipv4["method"] == "auto", "dns1": servers[0], "dns2": servers[1]}
        return values if values["dhcp"] else values | read_ipv4(ipv4)

    def profile(self, values: Values, before: Profile | None) -> dict[str, Any]:
        """Return the profile of values; what is beside them in the one before stays."""
        import dbus

        profile: dict[str, Any] = dict(before or _new(self.uuid, self.interface))
        servers = [one for one in (values["dns1"], values["dns2"]) if one]
        profile["ipv4"] = ipv4_of(values if not values["dhcp"] else None, servers)
        if values["dhcp"]:
            profile["ipv4"]["ignore-auto-dns"] = dbus.Boolean(bool(servers))
        return profile


def _new(uuid: str, interface: str) -> dict[str, Any]:
    import dbus

    connection = {
        "id": "otppi-ethernet",
        "uuid": uuid,
        "type": "802-3-ethernet",
        "interface-name": interface,
        "autoconnect-priority": dbus.Int32(_PRIORITY),
    }
    return {"connection": connection, "802-3-ethernet": dbus.Dictionary({}, signature="sv"), "ipv6": {"method": "auto"}}
