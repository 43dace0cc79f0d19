"""Debian's security updates: when the gateway has them fetched and installed, and what became of it.

The units do the work as root (`otppi-security-updates@.service`): `fetch` downloads and installs nothing; `install`
installs what was fetched. In between, and before, it is seen whether a message waits.
"""

import json
import logging
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

from otppi.api.services import Service
from otppi.host.settings.config import Config
from otppi.host.update.settings import UPDATES
from otppi.host.update.versions import HOME
from otppi.kit import system_units
from otppi.kit.threads import CANNOT_START, PromptThread
from otppi.text import Text, _, words

logger = logging.getLogger(__name__)

_FETCH: Final = "otppi-security-updates@fetch.service"
_INSTALL: Final = "otppi-security-updates@install.service"
_LONGEST: Final = 3600.0
_AGAIN: Final = 3600.0
"""Seconds after which what failed is tried once more."""


class SecurityUpdates(Service):
    """Looks each minute whether it is time. Any thread.

    Args:
        config: The settings.
        quiet: Whether no message waits, and none is being sent.
        outcome: The file in which the unit says what it did.
        clock: Unix seconds.
        start: Carries a unit out.
    """

    name = "security updates"
    sections: Collection[str] = (UPDATES.key,)

    def __init__(
        self,
        config: Config,
        quiet: Callable[[], bool],
        *,
        outcome: Path = HOME / "security",
        clock: Callable[[], float] = time.time,
        start: Callable[[str, float], None] = system_units.start,
    ) -> None:
        self._config = config
        self._quiet = quiet
        self._outcome = outcome
        self._clock = clock
        self._start = start
        self._day = -1
        self._not_before = 0.0
        self._failed = ""
        self._stopped = False
        self._thread: PromptThread | None = None

    def tidy(self) -> None:
        """Begin, where it is time; about once a minute."""
        busy = self._thread is not None and self._thread.lives
        if self._stopped or busy or not self._is_time():
            return
        thread = PromptThread(self._carry_out, "security updates")
        try:
            thread.start()
        except CANNOT_START:
            logger.error("no security updates: no thread can be started")  # noqa: TRY400 - the reason says it all
            return
        self._thread = thread

    def stop(self) -> None:
        """Begin nothing more; a unit that works goes on without the gateway."""
        self._stopped = True

    def describe(self) -> dict[str, Any]:
        """Return what became of the last ones, in words too; empty on a device that has no unit for them."""
        if not system_units.in_use():
            return {}
        chosen = self._config.one(UPDATES)
        told = self._told()
        return {"on": chosen["security"], "hours": chosen["hours"], **told, "said": self._said(told)}

    def _is_time(self) -> bool:
        values = self._config.one(UPDATES)
        if not values["security"] or not system_units.in_use():
            return False
        now = self._clock()
        return _day(now) != self._day and now >= self._not_before and in_span(values["hours"], now) and self._quiet()

    def _carry_out(self) -> None:
        """Fetch, look once more whether a message waits, and install."""
        self._not_before = self._clock() + _AGAIN
        try:
            self._start(_FETCH, _LONGEST)
            if self._stopped or not self._quiet():
                self._not_before = 0.0  # what was fetched is kept: at the next look
                return
            self._start(_INSTALL, _LONGEST)
        except system_units.UnitError as error:
            self._failed = words(error)
            logger.warning("security updates: %s", error)
            return
        self._failed = ""
        self._day = _day(self._clock())
        logger.info("security updates: %s", self._said(self._told()))

    def _told(self) -> dict[str, Any]:
        """Return what the unit wrote: when, how many packages, whether the device is to start anew."""
        try:
            at, raw = self._outcome.stat().st_mtime, self._outcome.read_bytes()[:4096]
            told = json.loads(raw)
            return {"at": round(at), "packages": int(told["packages"]), "restart": bool(told["restart"])}
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return {"at": None, "packages": 0, "restart": False}

    def _said(self, told: dict[str, Any]) -> Text:
        if self._failed:
            return _("They could not be installed: {why}", why=self._failed)
        if told["at"] is None:
            on = self._config.one(UPDATES)["security"]
            return _("None were installed yet.") if on else _("They are switched off.")
        return _.plural("{count} package was installed.", "{count} packages were installed.", count=told["packages"])


def _day(now: float) -> int:
    """Return the local day, as a number that no other day of the year has."""
    return time.localtime(now).tm_yday


def in_span(span: str, now: float) -> bool:
    """Whether the local time is within a span such as 22:00-06:00; the zone is the process's."""
    begin, end = (int(one[:2]) * 60 + int(one[3:]) for one in span.split("-"))
    local = time.localtime(now)
    minute = local.tm_hour * 60 + local.tm_min
    return begin <= minute < end if begin < end else minute >= begin or minute < end
