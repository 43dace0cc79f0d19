"""The time zone of the gateway: in which times are read, and a day begins; as the C library has it, for all threads."""

import os
import time
from collections.abc import Collection
from typing import Final, TypedDict

from otppi.api.services import Service
from otppi.api.settings import TypedSection, text
from otppi.host.clock.zone_names import INDONESIAN, is_zone
from otppi.host.settings.config import Config
from otppi.text import _

_OF_DEVICE: Final = ":/etc/localtime"
"""What the C library takes where nothing is said (tzset(3)). It is said nevertheless: to replace a variable of the
environment is safe while other threads look at it, and to add one is not."""


class ClockValues(TypedDict):
    """The values of `CLOCK`."""

    time_zone: str


def _problem(name: str) -> str | None:
    known = not name or is_zone(name)
    return None if known else _("must be a time zone that the device knows, such as Asia/Jakarta")


CLOCK = TypedSection(
    values=ClockValues,
    key="clock",
    title=_("Clock"),
    help=_("In which time zone the gateway tells times, and begins a day."),
    reset_group="sms",
    settings=(
        text(
            "time_zone",
            _("Time Zone"),
            _(
                "Such as `Asia/Jakarta` (WIB), `Asia/Makassar` (WITA) or `Asia/Jayapura` (WIT); empty: the device's "
                "own."
            ),
            check=_problem,
        ),
    ),
)


class TimeZone(Service):
    """Has the process use the zone that is set, as long as the gateway runs."""

    name = "clock"
    sections: Collection[str] = (CLOCK.key,)

    def __init__(self, config: Config) -> None:
        self._config = config
        self._before: str | None = None

    def start(self) -> None:
        """Use the zone that is set."""
        self._before = os.environ.get("TZ")
        self._set_zone()

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Use another one from now on."""
        self._set_zone()

    def close(self) -> None:
        """Leave the process as it was."""
        if self._before is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = self._before
        time.tzset()

    def _set_zone(self) -> None:
        name = self._config.one(CLOCK)["time_zone"]
        os.environ["TZ"] = INDONESIAN.get(name, name) or self._before or _OF_DEVICE
        time.tzset()
