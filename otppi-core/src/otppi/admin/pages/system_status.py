"""The server status: what the device is and runs, how it is, and its network."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from otppi.admin.pages.answers import drawn, perform
from otppi.admin.parts import Parts
from otppi.admin.security.guard import page
from otppi.text import Text, _

THROTTLED: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "under_voltage": _("undervoltage"),
        "frequency_capped": _("the processor's frequency is capped"),
        "throttled": _("the processor is throttled"),
        "hot": _("the processor is too hot"),
    }
)
"""What the firmware of a Raspberry Pi tells (Raspberry Pi documentation, "get_throttled")."""
_INTERFACES: Final[Mapping[str, tuple[str, Text]]] = MappingProxyType(
    {"up": ("good", _("connected")), "down": ("off", _("not connected"))}
)
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


class StatusPage:
    """`/system/status`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page()
    def index(self, **_fields: Any) -> bytes:
        """Show it."""
        told = perform(self._parts, "server_status")
        return drawn(
            self._parts,
            "system_status.html",
            machine=told,
            uptime=None if told["uptime"] is None else span_said(told["uptime"]),
            throttled=_throttled(told["throttled"]),
            interfaces=[(one, *_state(one["state"])) for one in told["interfaces"]],
        )


def span_said(seconds: int) -> Text:
    """Say how long something has been going on, in its two greatest units."""
    days, hours, minutes = seconds // _DAY, seconds % _DAY // _HOUR, seconds % _HOUR // _MINUTE
    if days:
        return _("{days} d {hours} h", days=days, hours=hours)
    return _("{hours} h {minutes} min", hours=hours, minutes=minutes)


def _throttled(told: Mapping[str, list[str]] | None) -> dict[str, list[Text]] | None:
    return None if told is None else {when: [THROTTLED[one] for one in names] for when, names in told.items()}


def _state(state: str) -> tuple[str, Text | str]:
    """Return how the state of an interface looks, and its word; other ones than these two are the kernel's words."""
    return _INTERFACES.get(state, ("off", _("state not known") if state == "unknown" else state))
