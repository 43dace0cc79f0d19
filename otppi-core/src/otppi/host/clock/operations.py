"""The operations of the clock: how it is, setting it, having servers asked."""

import re
import time
from datetime import datetime
from typing import Any, Final

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Operation, Role
from otppi.api.settings import text
from otppi.host.clock.device_clock import DeviceClock
from otppi.host.runtime.registry import HostCall
from otppi.text import _
from otppi.wire.errors import FieldError

_UNIX: Final = re.compile(r"@([0-9]{1,11}(?:\.[0-9]{1,6})?)")
_EARLIEST: Final = 1_577_836_800.0
_LATEST: Final = 4_102_444_800.0
"""From 2020 to 2100: what is outside is a slip of the pen."""


def read_time(told: str) -> float:
    """Return a time that a person or a program wrote, in Unix seconds.

    Args:
        told: `2026-11-30T10:00:00+07:00` (ISO 8601), without an offset in the zone of the gateway, or `@1796007600`.

    Raises:
        InvalidSettings: It is none, or one that cannot be now.
    """
    found = _UNIX.fullmatch(told.strip())
    try:
        unix = float(found[1]) if found else datetime.fromisoformat(told.strip()).timestamp()
    except (ValueError, OverflowError):
        reason = _("must be a time, such as 2026-11-30T10:00:00, or @ and Unix seconds")
        raise InvalidSettings([FieldError("time", reason)]) from None
    if not _EARLIEST <= unix < _LATEST:
        raise InvalidSettings([FieldError("time", _("must be a time from 2020 to 2100"))])
    return unix


def _status(call: HostCall) -> dict[str, Any]:
    """Return how the clock is; null is what is not known."""
    now = time.time()
    told = call.part(DeviceClock).describe()
    return {"now": round(now, 3), "time": _written(now), "zone": time.localtime(now).tm_zone, **told}


def _written(unix: float) -> str:
    return datetime.fromtimestamp(unix).astimezone().isoformat(timespec="seconds")


def _set(call: HostCall, time: str) -> dict[str, Any]:
    call.part(DeviceClock).set_time(read_time(time))
    return _status(call)


def _offer(call: HostCall, time: str) -> dict[str, Any]:
    call.part(DeviceClock).set_by_stranger(read_time(time))
    return {"set": True}


def _sync(call: HostCall) -> dict[str, Any]:
    call.part(DeviceClock).ask_now()
    return _status(call)


_TIME = text(
    "time",
    _("Time"),
    _("such as 2026-11-30T10:00:00 in the gateway's zone, 2026-11-30T03:00:00+00:00, or @1796007600 (Unix seconds)"),
    required=True,
)

OPERATIONS = (
    Operation(
        name="clock",
        title=_("Clock"),
        help=_(
            "Tell what time it is on the device, why that is believed, and which servers tell it. The trust is server, "
            "person, battery, stranger (a browser in which nobody was logged in), unset, or unknown."
        ),
        handler=_status,
        role=Role.VIEWER,
        reads_only=True,
        command="clock status",
        default_command=True,
        examples=("", "--json | jq -r .trust"),
    ),
    Operation(
        name="clock_set",
        title=_("Set the clock"),
        help=_(
            "Set the clock of the device, and the one with a battery where there is one. Servers that tell the time "
            "put it right again when they are reached."
        ),
        handler=_set,
        parameters=(_TIME,),
        waits=True,
        subject="time",
        command="clock set",
        positional=("time",),
        examples=("2026-11-30T10:00:00", "2026-11-30T03:00:00+00:00", "@1796007600"),
    ),
    Operation(
        name="clock_offer",
        title=_("Offer the time to the device"),
        help=_(
            "As `clock_set`, where nobody is logged in: only as long as nobody has told the device the time since it "
            "was switched on, only forward, and once."
        ),
        handler=_offer,
        parameters=(_TIME,),
        role=Role.VIEWER,
        waits=True,
        subject="time",
    ),
    Operation(
        name="clock_sync",
        title=_("Ask the time servers now"),
        help=_("Have the servers be asked anew for the time. Whether one answers is seen some seconds later."),
        handler=_sync,
        role=Role.OPERATOR,
        waits=True,
        command="clock sync",
        examples=("",),
    ),
)
