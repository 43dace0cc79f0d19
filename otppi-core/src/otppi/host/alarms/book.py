"""Which alarms there are, and which of that is to be told now: without I/O, and with no clock but the one it is given.

All times here are of a monotonic clock: the device's own may be set at any moment. Where what is kept is written or
read, they are turned into times of the wall clock and back. Values are named tuples: they take less memory.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

Facts = Mapping[str, str | float]
"""What the sentence about an alarm is made of."""
NO_FACTS: Final[Facts] = MappingProxyType({})

COMES_BACK: Final = 3600.0
"""Seconds after an alarm was told in which it is not told anew when it has come back."""
RETRY: Final = 120.0
"""Seconds after which what could not be told is tried again at first; each time it is twice as long."""
_LONGEST_RETRY: Final = 3_600.0
_HOUR, _DAY = 3600.0, 86_400.0
_HISTORY: Final = 100
_VERSION: Final = 1


class AlarmChange(StrEnum):
    """What has become of an alarm."""

    RAISED = "raised"
    REPEATED = "repeated"
    ENDED = "ended"


class Sign(NamedTuple):
    """How something that is watched is now.

    Attributes:
        subject: What it is, such as a modem's name; empty of the device as a whole.
        bad: Whether it is as it should not be; None where nobody knows, or it is neither.
        facts: What is to be said of it.
    """

    subject: str
    bad: bool | None
    facts: Facts = NO_FACTS


class AlarmRule(NamedTuple):
    """When a condition counts, in seconds.

    Attributes:
        after: For how long it has to be bad, in which it may be well for less than `well`.
        well: For how long it has to be well again.
        repeat: How long after it was told it is told again; 0 for never.
        tells_end: Whether its end is told.
    """

    after: float
    well: float
    repeat: float
    tells_end: bool


class AlarmLimits(NamedTuple):
    """How many notices may be told within an hour, and within a day."""

    an_hour: int
    a_day: int


class AlarmLine(NamedTuple):
    """What is told of one alarm.

    Attributes:
        change: What has become of it.
        condition: The key of its condition.
        subject, facts: As its `Sign` said.
        since: When it began, by the monotonic clock.
        told: When it was told before that; None where it was not.
    """

    change: AlarmChange
    condition: str
    subject: str
    facts: Facts
    since: float
    told: float | None = None


class AlarmNotice(NamedTuple):
    """What is told at once; `held_back` alarms came and went without being told, because of the limits."""

    lines: tuple[AlarmLine, ...]
    held_back: int = 0


class Happened(NamedTuple):
    """One line of the history; `at` is of the monotonic clock."""

    at: float
    line: AlarmLine


class _Vain(NamedTuple):
    """A try to tell that reached nobody: when it was, and whether it was to tell of an end."""

    at: float
    of_end: bool


_NO_RULE: Final = AlarmRule(0.0, 0.0, 0.0, tells_end=False)


@dataclass(slots=True)
class _Entry:
    """One thing that is watched.

    `known` is whether those who are told believe that it is raised, `owed` whether it was tried to tell them in vain:
    then they are to know of its end at least, as where the only modem was lost. `retry` is after how many seconds it is
    tried again where the next try is in vain, too.
    """

    rule: AlarmRule = _NO_RULE
    facts: Facts = field(default_factory=dict)
    bad: float | None = None
    good: float | None = None
    raised: bool = False
    since: float = 0.0
    known: bool = False
    owed: bool = False
    told: float | None = None
    not_before: float = float("-inf")
    retry: float = RETRY

    def try_at_once(self) -> None:
        """Wait for nothing any more, however often it was tried to tell of it in vain."""
        self.not_before, self.retry = float("-inf"), RETRY

    def try_later(self, now: float) -> None:
        """Wait, each time for longer than the time before."""
        self.not_before, self.retry = now + self.retry, min(2 * self.retry, _LONGEST_RETRY)

    def take_back(self, line: AlarmLine) -> None:
        """Go back to what those who are told believe where this has not reached them; it may be over meanwhile."""
        if line.change is AlarmChange.ENDED:
            self.known = True
            return
        self.told = line.told
        if line.change is AlarmChange.RAISED and self.raised:
            self.known, self.owed = False, True

    def is_over(self, now: float) -> bool:
        """Whether nothing of it matters any more."""
        waits = self.told is not None and now - self.told < COMES_BACK
        return self.bad is None and not self.known and not waits

    def due(self, now: float) -> AlarmChange | None:
        """Return what is to be told of it; None where nothing is."""
        if now < self.not_before or self.good is not None:  # it may be over in a moment
            return None
        if not self.raised:
            return AlarmChange.ENDED if self.known else None
        ago = float("inf") if self.told is None else now - self.told
        if not self.known:
            return AlarmChange.RAISED if ago >= COMES_BACK else None
        return AlarmChange.REPEATED if self.rule.repeat and ago >= self.rule.repeat else None


class AlarmBook:
    """Alarms by condition and subject. One thread at a time.

    Attributes:
        held_back: How many alarms came and went without being told since the last notice.
        changed: Whether there is anything that is not kept yet.
    """

    def __init__(self) -> None:
        self.held_back = 0
        self.changed = False
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._told: deque[float] = deque()
        self._vain: deque[_Vain] = deque()
        self._followed: list[tuple[float, AlarmNotice]] = []
        self._history: deque[Happened] = deque(maxlen=_HISTORY)

    # -- what is seen -----------------------------------------------------------------------------------------------

    def see(self, now: float, condition: str, rule: AlarmRule, signs: Iterable[Sign], *, telling: bool = True) -> None:
        """Note how all is that a condition watches; what it does not name any more is forgotten.

        Args:
            now: The time.
            condition: Its key.
            rule: When it counts.
            signs: One of each thing.
            telling: Whether anybody is told of alarms, so that one who is not counts as held back.
        """
        seen = set()
        for sign in signs:
            seen.add(sign.subject)
            entry = self._entries.get((condition, sign.subject))
            if entry is None and sign.bad:
                entry = self._entries[condition, sign.subject] = _Entry()
            if entry is not None:
                entry.rule = rule
                self._see(now, (condition, sign.subject), entry, sign, telling=telling)
        for key in [one for one in self._entries if one[0] == condition and one[1] not in seen]:
            self._forget(now, key)

    def watch_only(self, now: float, conditions: Iterable[str]) -> None:
        """Forget the alarms of all other conditions."""
        known = set(conditions)
        for key in [one for one in self._entries if one[0] not in known]:
            self._forget(now, key)

    def _see(self, now: float, key: tuple[str, str], entry: _Entry, sign: Sign, *, telling: bool) -> None:
        if sign.bad:
            entry.good = None
            entry.bad = now if entry.bad is None else entry.bad
            entry.facts = sign.facts
            if not entry.raised and now - entry.bad >= entry.rule.after:
                entry.raised, entry.since = True, entry.bad
                self._note(now, AlarmChange.RAISED, key, entry)
        elif sign.bad is False and entry.bad is not None:
            entry.good = now if entry.good is None else entry.good
            if now - entry.good >= entry.rule.well:
                entry.facts = {**entry.facts, **sign.facts}
                self._end(now, key, entry, telling=telling)
        if entry.is_over(now) and not self._is_followed(key):
            del self._entries[key]

    def _end(self, now: float, key: tuple[str, str], entry: _Entry, *, telling: bool) -> None:
        if entry.raised:
            self._note(now, AlarmChange.ENDED, key, entry)
            if not (entry.known or entry.owed) and telling:
                self.held_back += 1
            entry.known = (entry.known or entry.owed) and entry.rule.tells_end
            entry.try_at_once()  # what the alarm was about may be what its notices go by
        entry.bad = entry.good = None
        entry.raised = entry.owed = False

    def _forget(self, now: float, key: tuple[str, str]) -> None:
        entry = self._entries.pop(key)
        if entry.raised:
            self._note(now, AlarmChange.ENDED, key, entry)

    def _note(self, now: float, change: AlarmChange, key: tuple[str, str], entry: _Entry) -> None:
        self._history.append(Happened(now, AlarmLine(change, *key, entry.facts, entry.since)))
        self.changed = True

    # -- what is told -----------------------------------------------------------------------------------------------

    def due(self, now: float, limits: AlarmLimits) -> AlarmNotice | None:
        """Return all that is to be told now, as one notice; None where nothing is, or the limits are reached."""
        while self._told and now - self._told[0] >= _DAY:
            self._told.popleft()
        while self._vain and now - self._vain[0].at >= _HOUR:
            self._vain.popleft()
        lines = tuple(self._lines(now))
        lately = sum(now - one < _HOUR for one in self._told)
        # What was tried in vain while an alarm lasted does not keep its end from being told.
        ends = any(line.change is AlarmChange.ENDED for line in lines)
        lately += sum(one.of_end or not ends for one in self._vain)
        if not lines or lately >= limits.an_hour or len(self._told) >= limits.a_day:
            return None
        return AlarmNotice(lines, self.held_back)

    def _lines(self, now: float) -> Iterable[AlarmLine]:
        for (condition, subject), entry in self._entries.items():
            if change := entry.due(now):
                yield AlarmLine(change, condition, subject, entry.facts, entry.since, entry.told)

    def tell(self, now: float, notice: AlarmNotice) -> None:
        """Note that a notice is told; `confirm` or `take_back` says then what has become of it."""
        for line in notice.lines:
            if entry := self._entries.get((line.condition, line.subject)):
                entry.known, entry.owed = line.change is not AlarmChange.ENDED, False
                entry.told = entry.told if line.change is AlarmChange.ENDED else now
        self._told.append(now)
        self._followed.append((now, notice))
        self.held_back = 0
        self.changed = True

    def confirm(self, notice: AlarmNotice) -> None:
        """Note that a notice has reached somebody, or may have."""
        self._end_following(notice)
        for line in notice.lines:
            if entry := self._entries.get((line.condition, line.subject)):
                entry.try_at_once()

    def take_back(self, now: float, notice: AlarmNotice) -> None:
        """Note that a notice was told to nobody after all: what is still so of it is told a little later.

        It does not count for the day: what is to be told as soon as the way works again must not wait for the next one.
        It counts for its hour, and is tried less and less often, so that a way which never works is not tried without
        end.
        """
        told = self._end_following(notice)
        if told is not None and told in self._told:
            self._told.remove(told)
        self._vain.append(_Vain(now, any(line.change is AlarmChange.ENDED for line in notice.lines)))
        for line in notice.lines:
            if entry := self._entries.get((line.condition, line.subject)):
                entry.take_back(line)
                entry.try_later(now)
        self.held_back += notice.held_back
        self.changed = True

    def _is_followed(self, key: tuple[str, str]) -> bool:
        """Whether it is still open what becomes of a notice that tells of this."""
        return any((line.condition, line.subject) == key for _told, notice in self._followed for line in notice.lines)

    def _end_following(self, notice: AlarmNotice) -> float | None:
        """Return when a notice was told that nothing more is to become of; None of one that is not known."""
        for index, (told, one) in enumerate(self._followed):
            if one is notice:
                del self._followed[index]
                return told
        return None

    def tell_nobody(self) -> None:
        """Forget what was to be told of alarms that have ended: nobody is told anything now."""
        self.held_back = 0
        for entry in self._entries.values():
            entry.known, entry.owed = entry.known and entry.raised, False

    # -- what people look at ----------------------------------------------------------------------------------------

    def raised(self) -> list[AlarmLine]:
        """Return the alarms that are raised, the longest first; `told` is None of one that nobody was told of."""
        lines = [
            AlarmLine(AlarmChange.RAISED, *key, one.facts, one.since, one.told if one.known else None)
            for key, one in self._entries.items()
            if one.raised
        ]
        return sorted(lines, key=lambda line: line.since)

    def history(self) -> list[Happened]:
        """Return what has become of alarms, the newest last."""
        return list(self._history)

    # -- what is kept -----------------------------------------------------------------------------------------------

    def as_kept(self, now: float, wall: float) -> dict[str, Any]:
        """Return what the next start has to know, in JSON values, with times of the wall clock."""
        ahead = wall - now

        def written(at: float | None) -> float | None:
            return None if at is None else round(at + ahead, 1)

        return {
            "version": _VERSION,
            "held_back": self.held_back,
            "told": [written(one) for one in self._told],
            "alarms": [
                {"c": key[0], "s": key[1], "f": dict(one.facts), "since": written(one.since), "raised": one.raised}
                | {"known": one.known, "owed": one.owed, "told": written(one.told)}
                for key, one in self._entries.items()
                if one.raised or one.known or one.told is not None
            ],
            "history": [
                {"at": written(one.at), "is": one.line.change.value, "c": one.line.condition, "s": one.line.subject}
                | {"f": dict(one.line.facts), "since": written(one.line.since)}
                for one in self._history
            ],
        }

    def restore(self, kept: Mapping[str, Any], now: float, wall: float) -> None:
        """Begin with what an earlier run kept.

        A time that lies ahead, since the clock was put back meanwhile, counts as now: nothing is told too early.

        Raises:
            ValueError, TypeError, LookupError: It is damaged; some of it may have been taken over.
        """
        if kept["version"] != _VERSION:
            raise ValueError(f"version {kept['version']}")

        def read(at: float) -> float:
            return now - max(0.0, wall - float(at))

        self.held_back = int(kept["held_back"])
        self._told.extend(read(one) for one in kept["told"])
        for one in kept["alarms"]:
            entry = self._entries[str(one["c"]), str(one["s"])] = _Entry(
                facts=dict(one["f"]),
                raised=bool(one["raised"]),
                since=read(one["since"]),
                known=bool(one["known"]),
                owed=bool(one["owed"]),
                told=None if one["told"] is None else read(one["told"]),
            )
            entry.bad = entry.since if entry.raised else None
        for one in kept["history"]:
            at, since = now - (wall - float(one["at"])), now - (wall - float(one["since"]))
            line = AlarmLine(AlarmChange(one["is"]), str(one["c"]), str(one["s"]), dict(one["f"]), since)
            self._history.append(Happened(at, line))
