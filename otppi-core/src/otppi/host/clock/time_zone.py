"""The time zone of the gateway: in which times are read, and a day begins; as the C library has it, for all threads."""

import os
import re
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, TypedDict

from otppi.api.services import Service
from otppi.api.settings import TypedSection, text
from otppi.host.settings.config import Config
from otppi.text import _

INDONESIAN: Final[Mapping[str, str]] = {
    "Asia/Jakarta": "WIB-7",
    "Asia/Pontianak": "WIB-7",
    "Asia/Makassar": "WITA-8",
    "Asia/Jayapura": "WIT-9",
}
"""The zones of Indonesia as POSIX writes them (IEEE 1003.1, 8.3), which need no table on the device."""
_TABLES: Final = Path("/usr/share/zoneinfo")
_OF_DEVICE: Final = ":/etc/localtime"
"""What the C library takes where nothing is said (tzset(3)). It is said nevertheless: to replace a variable of the
environment is safe while other threads look at it, and to add one is not."""


class ClockValues(TypedDict):
    """The values of `CLOCK`."""

    time_zone: str


def zones(tables: Path = _TABLES) -> list[str]:
    """Return the names of all zones that this device knows, those of Indonesia first."""
    try:
        lines = (tables / "zone.tab").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    named = sorted({row[2] for row in rows if len(row) > 2} - INDONESIAN.keys())
    return [*INDONESIAN, *named]


def _problem(name: str) -> str | None:
    if name in INDONESIAN or not name:
        return None
    right = re.fullmatch(r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", name)
    known = right is not None and (_TABLES / name).is_file()
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
