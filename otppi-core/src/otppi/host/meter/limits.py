"""What a modem may send, and when: quotas, quiet hours and pace, without any clock of their own."""

import re
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from otppi.host.meter.values import LimitValues, QuietRow
from otppi.text import _

_WINDOW = 60.0
_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY = 24 * 60

DAILY_USED_UP = _("daily quota is used up")
MONTHLY_USED_UP = _("monthly quota is used up")


class Span(NamedTuple):
    """A part of each day, in minutes from midnight by the device's time zone; it may reach over midnight."""

    start: int
    end: int

    def has(self, minute: int) -> bool:
        """Whether a minute of the day is in it."""
        return (minute - self.start) % _DAY < (self.end - self.start) % _DAY


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one modem; 0 stands for none. `quiet_for_all` keeps OTPs back in quiet hours too."""

    rate_per_minute: int = 0
    daily_quota: int = 0
    monthly_quota: int = 0
    monthly_receivers: int = 0
    quiet_hours: tuple[Span, ...] = ()
    quiet_for_all: bool = False


class Used(NamedTuple):
    """What counts against the quotas: segments of today and this month, and the month's distinct receivers."""

    today: int
    this_month: int
    receivers: int


def used_up(limits: Limits, used: Used, segments: int, *, new_receiver: bool) -> str:
    """Name the quota that leaves no room for a message; empty where it may be sent."""
    if limits.daily_quota and used.today + segments > limits.daily_quota:
        return DAILY_USED_UP
    if limits.monthly_quota and used.this_month + segments > limits.monthly_quota:
        return MONTHLY_USED_UP
    if limits.monthly_receivers and new_receiver and used.receivers >= limits.monthly_receivers:
        return _("monthly number of receivers is used up")
    return ""


def quiet_left(limits: Limits, now: float, *, bulk: bool) -> float:
    """Return the seconds until a message may be sent as to quiet hours; 0 outside of them.

    Args:
        limits: The modem's limits.
        now: Unix time; the device's time zone makes it a time of day.
        bulk: Whether it is a bulk message.
    """
    if not limits.quiet_hours or not (bulk or limits.quiet_for_all):
        return 0.0
    local = time.localtime(now)
    at, days = local.tm_hour * 60 + local.tm_min, 0
    for _turn in limits.quiet_hours:  # one span may begin where another ends
        span = next((span for span in limits.quiet_hours if span.has(at % _DAY)), None)
        if span is None:
            break
        at += (span.end - at) % _DAY
    days, minute = divmod(at, _DAY)
    if (days, minute) == (0, local.tm_hour * 60 + local.tm_min):
        return 0.0
    # The clock's own day knows how long it is: on a day of daylight saving it has not 24 hours.
    end = time.mktime((local.tm_year, local.tm_mon, local.tm_mday + days, minute // 60, minute % 60, 0, 0, 0, -1))
    return max(1.0, end - now)


class Pace:
    """When so many messages a minute let the next one go: never more than the rate in any 60 s.

    One thread notes what is sent, any may ask; times are those of the monotonic clock.
    """

    def __init__(self, rate: int = 0, sent: Iterable[float] = ()) -> None:
        self._rate = rate
        self._sent = deque(sent, maxlen=rate)

    def at(self, rate: int) -> "Pace":
        """Return the pace at another rate, with what was sent so far."""
        return Pace(rate, self._sent)

    def sent(self, now: float) -> None:
        """Note that a message goes to the network."""
        self._sent.append(now)

    def delay(self, now: float, ahead: int = 0) -> float:
        """Return the seconds until a message may be sent that has so many before it."""
        if not self._rate:
            return 0.0
        minutes, ahead = divmod(ahead, self._rate)
        before = len(self._sent) + ahead - self._rate  # the one that it has to keep a minute's distance to
        wait = 0.0 if before < 0 else self._sent[before] + _WINDOW - now
        return max(0.0, wait) + minutes * _WINDOW


def limits_of(modem: LimitValues) -> Limits:
    """Read the limits from a modem's settings, which are valid."""
    return Limits(
        rate_per_minute=modem["rate_per_minute"],
        daily_quota=modem["daily_quota"],
        monthly_quota=modem["monthly_quota"],
        monthly_receivers=modem["monthly_receivers"],
        quiet_hours=tuple(Span(_minute(row["start"]), _minute(row["end"])) for row in modem["quiet_hours"]),
        quiet_for_all=modem["quiet_for"] == "all",
    )


def quiet_row(text: str) -> dict[str, str]:
    """Read quiet hours as earlier versions had them: ``22:00-06:00``.

    Raises:
        ValueError: It has another form.
    """
    start, _, end = text.partition("-")
    if not _SPAN.fullmatch(text):
        raise ValueError(f"{text!r} is not written as 22:00-06:00")
    return {"start": start, "end": end}


def quiet_hours_problem(rows: Iterable[QuietRow]) -> str | None:
    """Return what is wrong with the rows of setting `quiet_hours`, each of which is valid by itself."""
    empty = any(row["start"] == row["end"] for row in rows)
    return _("must end at another time than they begin: they are empty") if empty else None


def whole_day_problem(limits: Limits) -> str | None:
    """Say so where quiet hours for all messages leave no minute of the day."""
    if not limits.quiet_for_all or not limits.quiet_hours:
        return None
    quiet = all(any(span.has(minute) for span in limits.quiet_hours) for minute in range(_DAY))
    return _("leave no minute of the day in which the modem may send") if quiet else None


def _minute(time_of_day: str) -> int:
    hour, _, minute = time_of_day.partition(":")
    return 60 * int(hour) + int(minute)
