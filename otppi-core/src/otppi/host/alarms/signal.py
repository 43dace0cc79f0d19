"""Shows by a light and a buzzer of the device that an alarm is raised: a unit of the card image does it.

Both are LEDs to the kernel (`dtoverlay=gpio-led`); without them, and on any other computer, nothing happens.
"""

import logging
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Final

from otppi.api.errors import NotSupported, sentence
from otppi.host.alarms.book import AlarmLine
from otppi.host.alarms.conditions import BY_KEY, AlarmLevel
from otppi.host.alarms.settings import AlarmsValues
from otppi.kit import system_units
from otppi.kit.system_units import UnitError
from otppi.kit.threads import CANNOT_START, PromptThread
from otppi.text import _

logger = logging.getLogger(__name__)

LEDS: Final = Path("/sys/class/leds")
LIGHT: Final = "otppi-alarm"
BUZZER: Final = "otppi-buzzer"
_UNIT: Final = "otppi-alarm@{pattern}.service"
_PATIENCE: Final = 10.0


class AlarmPattern(StrEnum):
    """What is shown; the values name the unit's instances."""

    LIGHT = "light"
    SOUND = "sound"
    BOTH = "both"
    TEST = "test"


class AlarmSignal:
    """The light blinks while any alarm is raised; the buzzer beeps while one is that is a problem. Any thread.

    Args:
        leds: Where the kernel shows LEDs.
    """

    def __init__(self, leds: Path = LEDS) -> None:
        self._leds = leds
        self._lock = Lock()
        self._beeping: frozenset[tuple[str, str]] = frozenset()
        self._silenced: frozenset[tuple[str, str]] = frozenset()
        self._wanted: AlarmPattern | None = None
        self._shown: AlarmPattern | None = None
        """What is shown, or is about to be."""
        self._works = False
        self._thread: PromptThread | None = None

    @property
    def there(self) -> tuple[str, ...]:
        """Which of the two the device has: `otppi-alarm`, `otppi-buzzer`."""
        if not system_units.in_use():
            return ()
        return tuple(one for one in (LIGHT, BUZZER) if (self._leds / one).is_dir())

    @property
    def is_beeping(self) -> bool:
        """Whether the buzzer beeps for an alarm."""
        return self._wanted in (AlarmPattern.SOUND, AlarmPattern.BOTH)

    def follow(self, raised: Iterable[AlarmLine], values: AlarmsValues) -> None:
        """Show what is raised now, by the settings. What takes time is done by a thread of its own.

        Args:
            raised: The alarms.
            values: The settings of alarms.
        """
        there = self.there
        if not there and self._wanted is None:
            return
        lines = list(raised)
        with self._lock:
            self._beeping = frozenset(
                (one.condition, one.subject) for one in lines if BY_KEY[one.condition].level is AlarmLevel.PROBLEM
            )
            self._silenced &= self._beeping  # one that comes back is heard again
            wanted = _pattern(
                light=bool(lines) and values["light"] and LIGHT in there,
                sound=bool(self._beeping - self._silenced) and values["buzzer"] and BUZZER in there,
            )
        self._show(wanted)

    def silence(self) -> int:
        """Have the buzzer be silent about what is raised now, until that comes anew; return how many alarms it was."""
        with self._lock:
            fresh = self._beeping - self._silenced
            self._silenced = self._beeping
            before = self._wanted
        if fresh and before is not None:
            self._show(AlarmPattern.LIGHT if before in (AlarmPattern.LIGHT, AlarmPattern.BOTH) else None)
        return len(fresh)

    def test(self) -> tuple[str, ...]:
        """Show both for a few seconds; return which of the two are there.

        Raises:
            NotSupported: Neither is.
            UnitError: It cannot be shown.
        """
        there = self.there
        if not there:
            raise NotSupported(
                _(
                    "this device has no light called {light} and no buzzer called {buzzer} (docs/hardware.md)",
                    light=LIGHT,
                    buzzer=BUZZER,
                )
            )
        system_units.start(_UNIT.format(pattern=AlarmPattern.TEST), _PATIENCE)
        return there

    def close(self) -> None:
        """Wait for what is being begun; what is shown ends with the gateway's unit."""
        if self._thread is not None and not self._thread.end(2 * _PATIENCE):
            logger.warning("the signal of alarms is still being changed")

    def _show(self, wanted: AlarmPattern | None) -> None:
        with self._lock:
            self._wanted = wanted
            if self._works or wanted is self._shown:
                return
            self._thread = PromptThread(self._work, "alarm signal")
            self._works = True
            try:
                self._thread.start()
            except CANNOT_START:
                self._thread, self._works = None, False
                logger.error("alarms are not shown: no thread can be started")  # noqa: TRY400 - it says all

    def _work(self) -> None:
        """Have shown what is wanted, until that is so."""
        while True:
            with self._lock:
                before, self._shown = self._shown, self._wanted
                if before is self._shown:
                    self._works = False
                    return
                now = self._shown
            try:
                _change(before, now)
            except BaseException:
                with self._lock:
                    self._works = False  # the next change has a thread of its own
                raise


def _pattern(*, light: bool, sound: bool) -> AlarmPattern | None:
    if light:
        return AlarmPattern.BOTH if sound else AlarmPattern.LIGHT
    return AlarmPattern.SOUND if sound else None


def _change(before: AlarmPattern | None, now: AlarmPattern | None) -> None:
    """Have one pattern shown in place of another one. What cannot be shown is told once, and not tried each time."""
    steps: list[tuple[Callable[[str, float], None], AlarmPattern | None]] = [
        (system_units.stop, before),
        (system_units.stop, AlarmPattern.TEST if now else None),  # its end would switch the light off
        (system_units.start, now),
    ]
    for step, pattern in steps:
        if pattern is None:
            continue
        try:
            step(_UNIT.format(pattern=pattern), _PATIENCE)
        except UnitError as error:  # whoever is told by other ways is told all the same
            logger.warning("the signal of alarms is not as it should be: %s", sentence(error))
