"""The clock of the device: looked at each minute, kept as the settings say, and set by whoever may.

A Raspberry Pi has no clock of its own: without a battery (RTC) and without a server (NTP) it says after a power cut
what it last knew. Until somebody tells it the time, certificates, expirations and codes of authenticator apps may be
refused, so that this is told.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from threading import Condition, RLock
from typing import Any, Final, NamedTuple

from otppi.api.clock import ClockState, ClockWriter
from otppi.api.errors import NotDone, NotSupported, OtpPiError
from otppi.api.services import Samples, Service
from otppi.host.clock.settings import CLOCK
from otppi.host.settings.config import Config
from otppi.kit.files import replace_whole
from otppi.text import Text, _, words

logger = logging.getLogger(__name__)

_EACH: Final = 60.0
"""Seconds from look to look."""
_AGAIN, _AGAIN_AT_MOST = 60.0, 3600.0
"""Seconds after which something is tried again that the device did not do: twice as many each time."""
_AGREES: Final = 120.0
"""Seconds by which the clock may differ from that with the battery, which has set it."""
_BEHIND: Final = 60.0
"""Seconds by which the clock has to be behind for a stranger to set it."""
_FARTHEST: Final = 10 * 365 * 86_400.0
"""Seconds from the newest date that is known which no stranger is believed."""
_MARK: Final = "clock-set"
"""The file on the RAM disk that says who has set the clock since the device was switched on."""


class ClockTrust(StrEnum):
    """Why the clock of the device is believed, or why not."""

    SERVER = "server"
    """A server has told it since the device was switched on."""
    PERSON = "person"
    """Whoever is logged in has set it since then."""
    BATTERY = "battery"
    """It comes from a clock with a battery, whose time can be right."""
    STRANGER = "stranger"
    """It was set since then, by a browser of which nobody was logged in."""
    UNSET = "unset"
    """Nobody has told it since then."""
    UNKNOWN = "unknown"
    """It is not this gateway's to know: it does not set the clock of its device."""


_SURE: Final = frozenset({ClockTrust.SERVER, ClockTrust.PERSON, ClockTrust.BATTERY})
_DOUBTS: Final[Mapping[ClockTrust, Text]] = {
    ClockTrust.UNSET: _("nobody has told the device the time since it was switched on"),
    ClockTrust.STRANGER: _("it was set by a browser in which nobody was logged in"),
}


class _Wish(NamedTuple):
    """Something that the settings want of the device: what it is called, how it is to be, is, and is changed."""

    what: str
    wanted: Any
    found: Any
    put: Callable[[Any], None]


class _Attempt(NamedTuple):
    """What was tried for a wish that is not fulfilled: how it was to be, when, and after how long it is tried again."""

    wanted: Any
    at: float
    pause: float = _AGAIN

    def is_recent(self, now: float) -> bool:
        """Whether it is too early to try again: the looks, a minute apart, are not to the second."""
        return now - self.at < self.pause - _AGAIN / 2

    def again(self, now: float) -> "_Attempt":
        """Return the next one."""
        return _Attempt(self.wanted, now, min(2 * self.pause, _AGAIN_AT_MOST))


class DeviceClock(Service):
    """Any thread may call anything; `run` is the one that looks.

    Args:
        config: The settings, which say how the clock is to be kept.
        writer: Sets it; None where this gateway does not set the clock of its device.
        newest: Returns the newest date that this device cannot be before, in Unix seconds.
        boot_folder: On the RAM disk: what is there is gone with the power, as is the time.
        wall: The clock.
        monotonic: What nobody sets; seconds.
    """

    name = "device clock"
    sections: Collection[str] = (CLOCK.key,)

    def __init__(
        self,
        config: Config,
        writer: ClockWriter | None,
        newest: Callable[[], float],
        boot_folder: Path,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._writer = writer
        self._newest = newest
        self._mark = boot_folder / _MARK
        self._wall = wall
        self._monotonic = monotonic
        self._writing = RLock()
        self._wake = Condition()
        self._state: ClockState | None = None
        self._troubles: dict[str, str] = {}
        self._tried: dict[str, _Attempt] = {}
        self._stopping = self._changed = False

    # -- the service ------------------------------------------------------------------------------------------------

    @property
    def has_thread(self) -> bool:
        """Whether there is anything to look at."""
        return self._writer is not None

    def run(self) -> None:
        """Look each minute, and at once when the settings change."""
        while True:
            self.refresh()
            with self._wake:
                self._wake.wait_for(lambda: self._stopping or self._changed, _EACH)
                self._changed = False
                if self._stopping:
                    return

    def start(self) -> None:
        """Work until `stop`, again where it was stopped before."""
        self._stopping = False

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Have the device do as the settings say now."""
        with self._wake:
            self._tried.clear()
            self._changed = True
            self._wake.notify_all()

    def stop(self) -> None:
        """End `run`."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()

    def warnings(self) -> Sequence[str]:
        """Return why the clock may be wrong, and what of the settings the device does not do."""
        doubt = _DOUBTS.get(self.trust)
        told = [_("the clock of this device may be wrong: {reason}", reason=doubt)] if doubt is not None else []
        kept = _("the clock is not kept as the settings say: {reason}")
        return [*told, *(kept.filled(reason=reason) for reason in self._reasons())]

    def samples(self) -> Samples:
        """Return whether the clock is right, and by how much it was wrong."""
        trust, state = self.trust, self._state
        if trust is ClockTrust.UNKNOWN or state is None:
            return {}
        offset = {} if state.offset is None else {"clock_offset_seconds": {"": state.offset}}
        return {
            "clock_trusted": {"": float(trust in _SURE)},
            "clock_synchronized": {"": float(state.synchronized)},
            **offset,
        }

    # -- how it is --------------------------------------------------------------------------------------------------

    @property
    def trust(self) -> ClockTrust:
        """Why the clock is believed, as of the last look."""
        state = self._state
        if state is None:
            return ClockTrust.UNKNOWN
        if state.was_told:
            return ClockTrust.SERVER
        if (mark := self._marked()) is not None:
            return mark
        battery = state.battery_clock
        if battery is not None and battery >= self._newest() and abs(battery - self._wall()) < _AGREES:
            return ClockTrust.BATTERY
        return ClockTrust.UNSET

    @property
    def is_sure(self) -> bool:
        """Whether it is known that the clock is right."""
        return self.trust in _SURE

    @property
    def is_doubtful(self) -> bool:
        """Whether it is known that nobody vouches for the clock."""
        return self.trust in _DOUBTS

    @property
    def is_set_here(self) -> bool:
        """Whether this gateway sets the clock of its device."""
        return self._writer is not None

    def takes_from_strangers(self) -> bool:
        """Whether the time of a browser is taken in which nobody is logged in: as long as nobody has told it."""
        return self.trust is ClockTrust.UNSET

    def describe(self) -> Mapping[str, Any]:
        """Return how the clock is; null is what is not known."""
        state = self._state
        told = {name: getattr(state, name, None) for name in ClockState.__slots__}
        told |= {"servers": list(state.servers) if state is not None else None}
        return {"trust": self.trust.value, "set_here": self.is_set_here, "troubles": self._reasons(), **told}

    def refresh(self) -> None:
        """Look how the clock is, and have the device do what the settings say."""
        if self._writer is None:
            return
        with self._writing:
            try:
                state = self._writer.state()
                if self._put_right(state):
                    state = self._writer.state()
                    for wish in self._wishes(state):
                        self._forget(wish)
            except OtpPiError as error:
                self._note("state", error)
            else:
                self._troubles.pop("state", None)
                self._state = state

    # -- setting it -------------------------------------------------------------------------------------------------

    def set_time(self, unix: float) -> None:
        """Set the clock, forward or back, for whoever is logged in.

        Args:
            unix: What time it is now, in Unix seconds.

        Raises:
            NotSupported: This gateway does not set the clock of its device, or the device does not let it.
            NotDone: The device refuses, or did not answer.
        """
        self._set(unix, ClockTrust.PERSON)

    def set_by_stranger(self, unix: float) -> None:
        """Set the clock by a browser in which nobody is logged in: once, and only forward.

        Raises:
            NotDone: It is known already, or that time is not later, or cannot be; or the device refuses.
            NotSupported: As `set_time`.
        """
        began = time.monotonic()
        with self._writing:  # of two at the same time one is too late
            if not self.takes_from_strangers():
                raise NotDone(_("the device knows the time already: log in to set it"))
            now, newest = unix + time.monotonic() - began, self._newest()
            if not max(self._wall() + _BEHIND, newest) < now < newest + _FARTHEST:
                raise NotDone(_("without a login the clock is only put forward, to a time that can be right"))
            self._set(now, ClockTrust.STRANGER)

    def ask_now(self) -> None:
        """Have servers be asked anew, at once.

        Raises:
            NotSupported: This gateway does not set the clock of its device, or the device does not let it.
            NotDone: The settings say that no server is asked, or the device refuses.
        """
        writer = self._needed()
        if not self._config.one(CLOCK)["ask_servers"]:
            raise NotDone(_("no server is to be asked: switch that on in the settings of the clock"))
        with self._writing:
            writer.set_asking(False)
            writer.set_asking(True)
        self.refresh()

    def _set(self, unix: float, by: ClockTrust) -> None:
        began, writer = time.monotonic(), self._needed()
        with self._writing:
            writer.set_time(unix + time.monotonic() - began)
            replace_whole(self._mark, by.value.encode())
        self.refresh()

    def _needed(self) -> ClockWriter:
        if self._writer is None:
            raise NotSupported(_("OTP-Pi does not set the clock of this device: its system does"))
        return self._writer

    def _marked(self) -> ClockTrust | None:
        """Return who has set the clock since the device was switched on; None where nobody has."""
        try:
            return ClockTrust(self._mark.read_text("ascii"))
        except (OSError, ValueError):
            return None

    # -- as the settings say ----------------------------------------------------------------------------------------

    def _wishes(self, state: ClockState) -> Iterator[_Wish]:
        """Yield what the settings want, how it is, and what changes that."""
        writer, wanted = self._needed(), self._config.one(CLOCK)
        yield _Wish("zone", wanted["time_zone"] or state.time_zone, state.time_zone, writer.set_time_zone)
        yield _Wish("asking", wanted["ask_servers"], state.asks_servers, writer.set_asking)
        if state.asks_servers and wanted["ask_servers"]:
            yield _Wish("servers", tuple(wanted["servers"]), state.servers, writer.set_servers)

    def _put_right(self, state: ClockState) -> bool:
        """Have the device do what the settings say and it does not; return whether something was tried."""
        return sum(self._keep(wish) for wish in self._wishes(state)) > 0

    def _keep(self, wish: _Wish) -> bool:
        """Put one thing right, and return whether that was tried: where it has no effect, less and less often."""
        self._forget(wish)
        now, before = self._monotonic(), self._tried.get(wish.what)
        if before is not None and before.wanted != wish.wanted:
            before = None
        if wish.wanted == wish.found or (before is not None and before.is_recent(now)):
            return False
        self._tried[wish.what] = before.again(now) if before is not None else _Attempt(wish.wanted, now)
        try:
            wish.put(wish.wanted)
        except OtpPiError as error:
            self._note(wish.what, error)
        return True

    def _forget(self, wish: _Wish) -> None:
        """Forget what was tried for a wish that is fulfilled."""
        if wish.wanted == wish.found:
            self._tried.pop(wish.what, None)
            self._troubles.pop(wish.what, None)

    def _reasons(self) -> list[str]:
        """Return why the settings are not done, each reason once."""
        return list(dict.fromkeys(self._troubles.values()))

    def _note(self, what: str, error: OtpPiError) -> None:
        """Tell what is not done, once."""
        told = words(error)
        if told not in self._troubles.values():
            logger.warning("the clock is not kept as the settings say: %s", told)
        self._troubles = {**self._troubles, what: told}
