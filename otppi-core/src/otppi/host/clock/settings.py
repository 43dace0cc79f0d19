"""The settings of the clock: the time zone, and who is asked for the time."""

from typing import Final, TypedDict

from otppi.api.settings import TypedSection, boolean, text, text_list
from otppi.host.clock.zone_names import is_zone
from otppi.text import _

_MOST_SERVERS: Final = 8


class ClockValues(TypedDict):
    """The values of `CLOCK`."""

    time_zone: str
    ask_servers: bool
    servers: list[str]


def _zone_problem(name: str) -> str | None:
    known = not name or is_zone(name)
    return None if known else _("must be a time zone that the device knows, such as Asia/Jakarta")


def _servers_problem(servers: list[str]) -> str | None:
    if len(servers) > _MOST_SERVERS:
        return _("must be {most} servers at most", most=_MOST_SERVERS)
    twice = len({one.lower() for one in servers}) < len(servers)
    return _("must not name a server twice") if twice else None


CLOCK = TypedSection(
    values=ClockValues,
    key="clock",
    title=_("Clock"),
    help=_("In which time zone the gateway tells times, and begins a day; and which servers tell it the time."),
    reset_group="sms",
    settings=(
        text(
            "time_zone",
            _("Time Zone"),
            _(
                "Such as `Asia/Jakarta` (WIB), `Asia/Makassar` (WITA) or `Asia/Jayapura` (WIT); empty: the device's "
                "own."
            ),
            check=_zone_problem,
        ),
        boolean(
            "ask_servers",
            _("Ask time servers"),
            _("Have servers on the network tell the time (NTP). Only where OTP-Pi sets the clock of its device."),
            True,
        ),
        text_list(
            "servers",
            _("Time servers"),
            _("Names or addresses of the servers that are asked first (NTP); none: those that the device knows."),
            pattern=r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9:])?",
            pattern_says=_("a host name or an IP address, such as 0.id.pool.ntp.org"),
            check=_servers_problem,
            enabled_by="ask_servers",
        ),
    ),
)
