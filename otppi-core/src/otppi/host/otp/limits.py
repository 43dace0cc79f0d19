"""How many codes may be requested: against SMS pumping, where somebody earns by the messages to certain numbers.

Every limit looks at the last hour by the monotonic clock. Memory is bounded: where more than 20,000 codes are requested
in an hour, the oldest of them are forgotten early.
"""

import logging
import math
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict, deque

from otppi.host.messages.refusal import NotAccepted
from otppi.host.otp.settings import OtpValues
from otppi.text import _
from otppi.wire.envelope import ResponseCode

logger = logging.getLogger(__name__)

HOUR = 3600.0
MOST = 20_000
_TYPING = 120.0
"""Seconds after which a code that is not verified counts as one that nobody typed in."""
_ALARMS = 100


class Window:
    """Moments of the last hour by key, the newest `most` of all. Not thread-safe."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._moments: dict[str | bytes, list[float]] = {}
        self._order: deque[tuple[float, str | bytes]] = deque()

    def __len__(self) -> int:
        return len(self._order)

    def add(self, key: str | bytes, moment: float, now: float) -> None:
        """Note a moment, and forget what is too old, or too much."""
        insort(self._moments.setdefault(key, []), moment)
        self._order.append((moment, key))
        while self._order and (len(self._order) > self._most or self._order[0][0] <= now - HOUR):
            oldest, its_key = self._order.popleft()
            self.drop(its_key, oldest)

    def drop(self, key: str | bytes, moment: float) -> None:
        """Forget a moment; what is not there is forgotten already."""
        moments = self._moments.get(key, [])
        at = bisect_left(moments, moment)
        if at < len(moments) and moments[at] == moment:
            del moments[at]
            if not moments:
                del self._moments[key]

    def count(self, key: str | bytes, now: float, *, before: float = math.inf) -> int:
        """Count the moments of the last hour, or those of them up to `before`."""
        moments = self._moments.get(key, [])
        return max(0, bisect_right(moments, before) - bisect_right(moments, now - HOUR))

    def wait(self, key: str | bytes, now: float, limit: int) -> float:
        """Return the seconds until fewer than `limit` are left in the hour; 0 where there are fewer."""
        moments = self._moments.get(key, [])
        if len(moments) < limit:
            return 0.0
        return max(0.0, moments[-limit] + HOUR - now)


class RequestLimits:
    """The limits for requests. Not thread-safe: `OneTimePasswords` locks.

    Those by prefix, and the guard, are for numbers only: nobody earns by the mail to a domain.
    """

    def __init__(self, values: OtpValues) -> None:
        self._receivers, self._prefixes, self._all = Window(), Window(), Window()
        self._verified = Window()
        self._alarms: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self.configure(values)

    def configure(self, values: OtpValues) -> None:
        """Use other settings; what was counted by a prefix of another length counts no more."""
        self._values = values
        self._allowed = tuple(values["allowed_prefixes"])

    def check(self, receiver: str, now: float) -> None:
        """Check whether one more code may go to a receiver.

        Raises:
            NotAccepted: It may not, for now (1208).
        """
        values, prefix = self._values, self._prefix(receiver)
        if prefix is None:
            self._check(
                self._receivers, receiver, now, values["per_receiver_per_hour"], _("this receiver"), alarm=False
            )
            self._check(self._all, "", now, values["per_hour"], _("all receivers together"))
            return
        if self._allowed and receiver.isdigit() and not receiver.startswith(self._allowed):
            raise too_many(_("one-time passwords are not sent to numbers that start so"), HOUR)
        self._check(self._receivers, receiver, now, values["per_receiver_per_hour"], _("this receiver"), alarm=False)
        self._check(
            self._prefixes,
            prefix,
            now,
            values["per_prefix_per_hour"],
            _("numbers that start with {prefix}", prefix=prefix),
        )
        self._check(self._all, "", now, values["per_hour"], _("all receivers together"))
        if wait := self._guard(prefix, now):
            cause = _(
                "too few of the one-time passwords to numbers that start with {prefix} are verified", prefix=prefix
            )
            self._raise_alarm(f"guard {prefix}", cause, now, wait)
            raise too_many(cause, wait)

    def _check(self, window: Window, key: str, now: float, limit: int, who: str, *, alarm: bool = True) -> None:
        if limit and (wait := window.wait(key, now, limit)):
            cause = _("{limit} one-time passwords an hour are the limit for {who}", limit=limit, who=who)
            if alarm:
                self._raise_alarm(f"limit {key}", cause, now, wait)
            raise too_many(cause, wait)

    def _guard(self, prefix: str, now: float) -> float:
        """Return the seconds for which a prefix gets no codes since too few were verified; 0 where it does."""
        least = self._values["guard_requests"]
        if not least:
            return 0.0
        typed = now - _TYPING
        verified = self._verified.count(prefix, now)
        early = verified - self._verified.count(prefix, now, before=typed)
        judged = self._prefixes.count(prefix, now, before=typed) + early
        if judged < least or 100 * verified >= self._values["guard_percent"] * judged:
            return 0.0
        # Fewer than `least` can be judged when that many of those that are there now have left the hour.
        return self._prefixes.wait(prefix, now, least) or 1.0

    def count(self, receiver: str, made: float, now: float) -> None:
        """Count a code that was taken in."""
        self._receivers.add(receiver, made, now)
        if (prefix := self._prefix(receiver)) is not None:
            self._prefixes.add(prefix, made, now)
        self._all.add("", made, now)

    def take_back(self, receiver: str, made: float) -> None:
        """Count a code no more, which never went out."""
        self._receivers.drop(receiver, made)
        if (prefix := self._prefix(receiver)) is not None:
            self._prefixes.drop(prefix, made)
        self._all.drop("", made)

    def verified(self, receiver: str, made: float, now: float) -> None:
        """Count a code that was verified."""
        prefix = self._prefix(receiver)
        if prefix is None:
            return
        self._verified.add(prefix, made, now)
        if f"guard {prefix}" in self._alarms and not self._guard(prefix, now):
            del self._alarms[f"guard {prefix}"]

    def warnings(self, now: float) -> list[str]:
        """Return which limits hold codes back, but for those of single receivers."""
        return [cause for cause, until in self._alarms.values() if until > now]

    def _raise_alarm(self, name: str, cause: str, now: float, wait: float) -> None:
        """Warn, once for as long as it lasts."""
        _, until = self._alarms.pop(name, ("", 0.0))
        if until <= now:
            logger.warning("requests for one-time passwords are refused: %s", cause)
        self._alarms[name] = cause, now + wait
        if len(self._alarms) > _ALARMS:
            self._alarms.popitem(last=False)

    def _prefix(self, receiver: str) -> str | None:
        """Return what is counted together: the first digits of a number; None of an e-mail address."""
        return None if "@" in receiver else receiver[: self._values["prefix_length"]]


def too_many(cause: str, wait: float) -> NotAccepted:
    """Refuse with 1208; `wait` in seconds until trying again may help."""
    return NotAccepted(ResponseCode.TOO_MANY, cause, retry_after=max(1, math.ceil(wait)))
