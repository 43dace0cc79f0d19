"""The access point's values as a profile of NetworkManager, and the other way round (nm-settings-dbus(5))."""

from typing import Any, Final

from otppi.api.trials import CannotWrite, Values, WriterContext
from otppi.kit.device_network.ipv4_profile import ipv4_of, name_servers_of, read_ipv4
from otppi.kit.device_network.network_manager import Profile
from otppi.kit.device_network.profiles import ProfileWriter
from otppi_network_access_point.plugin import SECTION
from otppi_network_access_point.text import _

INTERFACE: Final = "wlan0"
UUID: Final = "6f1f6e0f-7c0c-5c8d-9a3e-3b1f0d6d4e11"
"""Of the profile that the first boot writes (`host/identity/first_boot.py`)."""
_WIRELESS, _SECURITY = "802-11-wireless", "802-11-wireless-security"
_GATEWAY: Final = "otppi.gateway"
"""Among what a profile notes for its user: NetworkManager drops the gateway of one that is never the default."""
_NO_PMF: Final = 1
"""Some radios of the Raspberry Pi cannot be an access point with PMF: raspberrypi/linux#7247."""


class AccessPointWriter(ProfileWriter):
    """See `Writer` for the contract. An empty passphrase is the one that is in use."""

    secret = _SECURITY

    def __init__(self, context: WriterContext, interface: str = INTERFACE) -> None:
        super().__init__(context, interface, UUID)

    @property
    def unavailable(self) -> str:
        """What is said where the radio cannot be used."""
        return _("the radio cannot be used now: it is blocked, or has no country")

    def read(self, profile: Profile | None) -> Values:
        """Return the values of the profile, with the passphrase.

        Raises:
            CannotWrite: There is none.
        """
        if profile is None or _WIRELESS not in profile:
            raise CannotWrite(_("this device has no access point (NetworkManager's profile otppi-ap)"))
        wireless, security = profile[_WIRELESS], profile.get(_SECURITY, {})
        return SECTION.defaults() | {
            "ssid": bytes(wireless["ssid"]).decode(errors="replace"),
            "passphrase": str(security.get("psk", "")),
            "band": str(wireless.get("band", "bg")),
            "channel": int(wireless.get("channel", 0)),
            "dns": name_servers_of(profile["ipv4"]),
            **read_ipv4(profile["ipv4"]),
            "gateway": str(profile.get("user", {}).get("data", {}).get(_GATEWAY, "")),
        }

    def profile(self, values: Values, before: Profile | None) -> dict[str, Any]:
        """Return the profile of values; what is beside them in the one before stays."""
        import dbus

        passphrase = values["passphrase"] or self.read(before)["passphrase"]
        profile: dict[str, Any] = dict(before or {})
        wireless = {
            "mode": "ap",
            "ssid": dbus.ByteArray(values["ssid"].encode()),
            "band": values["band"],
            "channel": dbus.UInt32(values["channel"]),
            "security": _SECURITY,
        }
        profile[_WIRELESS] = dbus.Dictionary(wireless, signature="sv")
        security = {
            "key-mgmt": values["key_management"],
            "psk": passphrase,
            "pmf": dbus.Int32(_NO_PMF),
            **{name: dbus.Array([value], signature="s") for name, value in _WPA2.items()},
        }
        profile[_SECURITY] = dbus.Dictionary(security, signature="sv")
        # Never the way to the internet: that is Ethernet, and a device has one default route at most.
        profile["ipv4"] = ipv4_of({**values, "gateway": ""}, values["dns"]) | {"never-default": dbus.Boolean(True)}
        data = {**profile.get("user", {}).get("data", {}), _GATEWAY: values["gateway"]}
        noted = {key: value for key, value in data.items() if value}
        profile["user"] = dbus.Dictionary({"data": dbus.Dictionary(noted, signature="ss")}, signature="sv")
        return profile


_WPA2: Final = {"proto": "rsn", "pairwise": "ccmp", "group": "ccmp"}
