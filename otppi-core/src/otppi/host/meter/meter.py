"""What each modem has sent, today and this month, and what of its quotas is held for messages on their way."""

import hashlib
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from otppi.host.meter.limits import Limits, Pace, Used, quiet_left, used_up
from otppi.host.meter.prices import DAY, Tariff, price_of
from otppi.text import _

_PERIODS_KEPT = 3
"""So many days and months are remembered: a clock that is set back and forward again goes on where it was."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The limits and prices of one modem, as its settings have them."""

    limits: Limits = field(default_factory=Limits)
    tariff: Tariff = field(default_factory=Tariff)


@dataclass(slots=True)
class Tally:
    """What was sent in one day or month.

    `by_prefix` counts messages by the prefixes of promotions; `receivers` are the tags of the month's receivers.
    """

    messages: int = 0
    segments: int = 0
    spent: float = 0.0
    by_prefix: Counter[str] = field(default_factory=Counter)
    receivers: set[str] = field(default_factory=set)


_NOTHING = Tally()


class _Reservation(NamedTuple):
    """What is held for a message on its way."""

    segments: int
    tag: str
    prefixes: tuple[str, ...]


class Account:
    """One modem's counters. The dispatcher's lock guards every change; any thread may ask.

    A day and a month are those of the device's time zone. What is reserved belongs to the day and month in which it is
    asked about, and counts for those in which the message ends.

    Attributes:
        counts: whether what the modem has sent may exclude it.
        reserves: whether it matters what is on its way by it.
        holds: whether its limits may let messages wait.
    """

    def __init__(
        self, name: str, plan: Plan | None = None, *, key: bytes = b"", clock: Callable[[], float] = time.time
    ) -> None:
        self.name = name
        self.days: dict[str, Tally] = {}
        self.months: dict[str, Tally] = {}
        self.changed = False
        self._key = key
        self._clock = clock
        self._named = ((-1.0, 0, 0), "", "")
        self._reserved: dict[str, _Reservation] = {}
        self._segments = 0
        self._tags = Counter[str]()
        self._prefixes = Counter[str]()
        self.pace = Pace()
        self.agree(plan or Plan())

    def agree(self, plan: Plan) -> None:
        """Go by these limits and prices from now on."""
        self.plan = plan
        limits = plan.limits
        self.pace = self.pace.at(limits.rate_per_minute)
        self.counts = bool(limits.daily_quota or limits.monthly_quota or limits.monthly_receivers)
        self.reserves = self.counts or bool(plan.tariff.promotions)
        self.holds = bool(limits.rate_per_minute or limits.quiet_hours)

    # -- what may be sent -------------------------------------------------------------------------------------------

    def used_up(self, receiver: str, segments: int) -> str:
        """Name the quota that leaves no room for a message; empty where it may be sent."""
        new = False
        if self.plan.limits.monthly_receivers:
            tag = self._tag(receiver)
            new = tag not in self._periods()[1].receivers and tag not in self._tags
        return used_up(self.plan.limits, self._used(), segments, new_receiver=new)

    def quiet_left(self, *, bulk: bool) -> float:
        """Return the seconds for which quiet hours hold a message back."""
        return quiet_left(self.plan.limits, self._clock(), bulk=bulk) if self.plan.limits.quiet_hours else 0.0

    def price(self, receiver: str = "") -> float:
        """Return the price of a segment of the next message; without a receiver, to those that no prefix names."""
        if not self.plan.tariff.promotions:
            return price_of(self.plan.tariff, receiver, _none_sent)
        day, month = self._periods()

        def sent(prefix: str, period: str) -> int:
            waiting = self._prefixes[prefix] if prefix else len(self._reserved)
            return waiting + _messages(day if period == DAY else month, prefix)

        return price_of(self.plan.tariff, receiver, sent)

    # -- what is on its way, and what went out ----------------------------------------------------------------------

    def reserve(self, message_id: str, receiver: str, segments: int) -> None:
        """Hold what a message needs, from when it is queued until `charge`."""
        if message_id in self._reserved:
            return
        held = _Reservation(segments, self._new_tag(receiver), self._promoted(receiver))
        self._reserved[message_id] = held
        self._segments += held.segments
        self._prefixes.update(held.prefixes)
        if held.tag:
            self._tags[held.tag] += 1

    def charge(self, message_id: str, receiver: str, segments: int) -> float:
        """Give back what was held for a message, and count the segments that went out; return what they cost."""
        if held := self._reserved.pop(message_id, None):
            self._segments -= held.segments
            for counter, keys in ((self._prefixes, held.prefixes), (self._tags, [held.tag] if held.tag else [])):
                for key in keys:
                    counter[key] -= 1
                    if not counter[key]:
                        del counter[key]
        return self.count(receiver, segments) if segments else 0.0

    def count(self, receiver: str, segments: int, *, messages: int = 1, at: float | None = None) -> float:
        """Count what went out, at the price that it had, and return what it cost."""
        today, this_month = self._names(at)
        day, month = _kept(self.days, today), _kept(self.months, this_month)
        tariff = self.plan.tariff
        price = price_of(tariff, receiver, lambda prefix, period: _messages(day if period == DAY else month, prefix))
        for tally in (day, month):
            tally.messages += messages
            tally.segments += segments
            if price:
                tally.spent = round(tally.spent + segments * price, 4)
            if messages and tariff.promotions:
                tally.by_prefix.update(self._promoted(receiver))
        if tag := self._new_tag(receiver):
            month.receivers.add(tag)
        self.changed = True
        return segments * price

    # -- for the administrator --------------------------------------------------------------------------------------

    def unusable(self) -> str:
        """Return which limit keeps the modem from sending an OTP now, to a receiver that it knows; else nothing."""
        if reason := used_up(self.plan.limits, self._used(), 1, new_receiver=False):
            return reason
        return _("quiet hours") if self.quiet_left(bulk=False) else ""

    def sent_today(self) -> int:
        """Count the messages that went out today."""
        return self._periods()[0].messages

    def describe(self) -> dict[str, Any]:
        """Describe counters, limits and prices; a limit that is not set is None."""
        limits, (day, month) = self.plan.limits, self._periods()
        return {
            "unusable": self.unusable(),
            "today": _described(day),
            "this_month": _described(month),
            "on_the_way": self._segments if self.reserves else None,
            "receivers": len(month.receivers) if limits.monthly_receivers else None,
            "rate_per_minute": limits.rate_per_minute or None,
            "daily_quota": limits.daily_quota or None,
            "monthly_quota": limits.monthly_quota or None,
            "monthly_receivers": limits.monthly_receivers or None,
            "quiet": self.quiet_left(bulk=True) > 0,
            "price": self.price(),
        }

    # -- inside -----------------------------------------------------------------------------------------------------

    def _used(self) -> Used:
        (day, month), most = self._periods(), self.plan.limits.monthly_receivers
        receivers = len(month.receivers) + len(self._tags)
        if receivers >= most:  # perhaps: some of those on their way are counted already
            receivers = len(month.receivers) + sum(tag not in month.receivers for tag in list(self._tags))
        return Used(day.segments + self._segments, month.segments + self._segments, receivers)

    def _periods(self) -> tuple[Tally, Tally]:
        """Return the tallies of today and this month, to be read."""
        day, month = self._names()
        return self.days.get(day, _NOTHING), self.months.get(month, _NOTHING)

    def _names(self, at: float | None = None) -> tuple[str, str]:
        """Name the day and the month of a time: now, if none is given."""
        at = self._clock() if at is None else at
        moment = (at // 60, time.timezone, time.altzone)  # the zone of the device may be set meanwhile
        named, day, month = self._named
        if named != moment:
            local = time.localtime(at)
            month = f"{local.tm_year:04}-{local.tm_mon:02}"
            day = f"{month}-{local.tm_mday:02}"
            self._named = moment, day, month
        return day, month

    def _promoted(self, receiver: str) -> tuple[str, ...]:
        """Return the prefixes of promotions that a message counts for (all count for those without)."""
        prefixes = {one.prefix for one in self.plan.tariff.promotions if one.prefix}
        return tuple(prefix for prefix in prefixes if receiver.startswith(prefix))

    def _tag(self, receiver: str) -> str:
        return _tag(self._key, receiver)

    def _new_tag(self, receiver: str) -> str:
        """Return a receiver's tag where receivers are counted; a masked one, out of a report, has none."""
        return self._tag(receiver) if self.plan.limits.monthly_receivers and receiver.isdecimal() else ""


@lru_cache(maxsize=1024)
def _tag(key: bytes, receiver: str) -> str:
    """Name a receiver by a short keyed hash: 48 bits tell tens of thousands from each other."""
    return urlsafe_b64encode(hashlib.blake2b(receiver.encode(), key=key, digest_size=6).digest()).decode()


def _kept(periods: dict[str, Tally], name: str) -> Tally:
    """Return the tally of a period, to be changed."""
    tally = periods.get(name)
    if tally is None:
        tally = periods[name] = Tally()
        for oldest in list(periods)[:-_PERIODS_KEPT]:
            del periods[oldest]
    elif len(periods) > 1 and next(reversed(periods)) != name:
        # In the order of their last use: a day must not outlive its month.
        periods[name] = periods.pop(name)
    return tally


def _messages(tally: Tally, prefix: str) -> int:
    return tally.by_prefix[prefix] if prefix else tally.messages


def _none_sent(prefix: str, period: str) -> int:  # noqa: ARG001 - asked of promotions, of which there are none
    return 0


def _described(tally: Tally) -> dict[str, Any]:
    return {"messages": tally.messages, "segments": tally.segments, "spent": tally.spent}
