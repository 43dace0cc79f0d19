"""The wall clock, which may be wrong: a Raspberry Pi has none of its own, and starts with what it last knew.

Here is what is known against it. How long a message lives is measured by the monotonic clock.
"""

import logging
import time
from collections.abc import Callable

from otppi.text import _, joined

logger = logging.getLogger(__name__)

_STEP = 2.0
"""Seconds beyond which a change was a jump, and no slewing (adjtimex(2): 0.5 ms in a second)."""
_DIFFERENCE = 60.0
_TOLD = 3600.0
_THIS_PROGRAM = 1_735_689_600
"""The beginning of 2025: this program is younger."""


class ClockWatch:
    """Any thread may call anything."""

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._offset = wall() - monotonic()
        self._step = (0.0, -_TOLD)
        self._difference = (0.0, -_TOLD)
        self._is_sure: Callable[[], bool] = lambda: False

    def trust(self, is_sure: Callable[[], bool]) -> None:
        """Say who knows whether the clock is right now: a jump is then one that has put it right."""
        self._is_sure = is_sure

    def look(self) -> None:
        """See whether the clock has jumped; twice a second."""
        now = self._monotonic()
        offset = self._wall() - now
        change, self._offset = offset - self._offset, offset
        if abs(change) > _STEP:
            self._step = change, now
            logger.warning(
                "the clock of this device was put %s by %.0f s", "forward" if change > 0 else "back", abs(change)
            )

    def compare(self, date_time: int) -> None:
        """Note the time by the clock of a sender who waits for the answer."""
        difference, now = self._wall() - date_time, self._monotonic()
        before, when = self._difference
        if abs(difference) <= _DIFFERENCE:
            self._difference = 0.0, now
            return
        self._difference = difference, now
        if before == 0.0 or now - when > _TOLD:
            logger.warning("the clock of this device is %s", _ahead(difference))

    def warnings(self) -> list[str]:
        """Return what people should know."""
        return [_("the clock of this device may be wrong: {reason}", reason=reason) for reason in self._reasons()]

    def suspicion(self) -> str:
        """Return why the clock may be wrong, to stand behind a cause; empty where nothing is known against it."""
        reasons = self._reasons()
        return _("; that clock may be wrong: {reasons}", reasons=joined(", ", reasons)) if reasons else ""

    def shown(self) -> str:
        """Write the time by this clock."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._wall()))

    def _reasons(self) -> list[str]:
        now = self._monotonic()
        reasons: list[str] = []
        if self._wall() < _THIS_PROGRAM:
            reasons.append(_("it says {shown}", shown=self.shown()))
        if self._is_sure():
            return reasons
        step, when = self._step
        if now - when < _TOLD:
            put = (
                _("it was put forward by {step:.0f} s, {ago:.0f} s ago")
                if step > 0
                else _("it was put back by {step:.0f} s, {ago:.0f} s ago")
            )
            reasons.append(put.filled(step=abs(step), ago=now - when))
        difference, when = self._difference
        if difference and now - when < _TOLD:
            reasons.append(_("it is {difference}", difference=_ahead(difference)))
        return reasons


def _ahead(difference: float) -> str:
    way = (
        _("{seconds:.0f} s ahead of a sender's date_time")
        if difference > 0
        else _("{seconds:.0f} s behind a sender's date_time")
    )
    return way.filled(seconds=abs(difference))
