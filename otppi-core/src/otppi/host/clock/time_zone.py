"""The time zone of the gateway: in which times are read, and a day begins; as the C library has it, for all threads."""

import os
import time
from collections.abc import Collection
from typing import Final

from otppi.api.services import Service
from otppi.host.clock.settings import CLOCK
from otppi.host.clock.zone_names import INDONESIAN
from otppi.host.settings.config import Config

_OF_DEVICE: Final = ":/etc/localtime"
"""What the C library takes where nothing is said (tzset(3)). It is said nevertheless: to replace a variable of the
environment is safe while other threads look at it, and to add one is not."""


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
        """Use the zone that is set from now on."""
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
