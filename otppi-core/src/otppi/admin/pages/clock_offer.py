"""How the clock is, in words; and whether the time of a browser is taken in which nobody is logged in."""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from otppi.admin.parts import Parts
from otppi.host.clock.device_clock import ClockTrust, DeviceClock
from otppi.text import Text, _

TRUSTS: Final[Mapping[str, tuple[str, Text]]] = MappingProxyType(
    {
        ClockTrust.SERVER: ("good", _("right: a time server has told it")),
        ClockTrust.PERSON: ("good", _("right: somebody who was logged in has set it")),
        ClockTrust.BATTERY: ("good", _("right: it comes from the clock with a battery")),
        ClockTrust.STRANGER: ("warn", _("doubtful: a browser in which nobody was logged in has set it")),
        ClockTrust.UNSET: ("bad", _("not set: nobody has told it since the device was switched on")),
        ClockTrust.UNKNOWN: ("off", _("the system of this device keeps it")),
    }
)
"""How the clock is, by why it is believed: a level, and words."""


def offered(parts: Parts) -> float | None:
    """Return the time of the device where a stranger's browser may offer a later one; None where it may not."""
    return time.time() if parts.registry.part(DeviceClock).takes_from_strangers() else None
