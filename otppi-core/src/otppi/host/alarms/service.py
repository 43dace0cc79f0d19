"""The service that watches for alarms: it looks every few seconds at what others know, and has notices handed over."""

import json
import logging
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from otppi.api.egress import EgressState
from otppi.api.services import Samples, Service
from otppi.host.alarms.book import AlarmBook, AlarmLimits, AlarmLine, AlarmNotice, Happened
from otppi.host.alarms.conditions import CONDITIONS, Watched, said_of
from otppi.host.alarms.settings import ALARMS, AlarmsValues
from otppi.host.alarms.signal import AlarmSignal
from otppi.host.settings.config import Config
from otppi.host.webhook.webhook import Webhook
from otppi.kit.files import as_json, replace_whole
from otppi.kit.threads import CANNOT_START, PromptThread
from otppi.kit.token_bucket import TokenBucket
from otppi.text import Text, _

if TYPE_CHECKING:  # only where there is something to tell: it takes memory
    from otppi.host.alarms.ways import AlarmWays, HandedOver, Sends

logger = logging.getLogger(__name__)

_EVERY: Final = 15.0
"""Seconds between two looks."""
_KEEP_AFTER: Final = 600.0
"""Seconds after which what was not told is written, too: what is told is written at once, and bounded by the limits."""
_PATIENCE: Final = 5.0
_ELSEWHERE: Final = frozenset({"balance", "modem", "ingress", "quota", "voltage", "clock", "update"})
"""Conditions that the first page tells of with the modem, the source or the device that they are about."""


class _Following(NamedTuple):
    """A notice whose end is waited for, and what was handed over of it."""

    notice: AlarmNotice
    handed: "Sequence[HandedOver]"


class Alarms(Service):
    """Any thread may look; `look`, `tidy`, `start`, `stop` and `close` are called as those of any service.

    `tests` bounds how often a way is tried by hand; `signal` is what shows alarms at the device.

    Args:
        config: The settings.
        watched: What conditions look at.
        send: Sends an SMS or an e-mail.
        webhook: Posts.
        path: The file of what is kept.
        clock: Counts seconds, monotonically: nothing here depends on what the device's clock says.
        wall: Gives the time in Unix seconds.
        signal: Shows alarms at the device; by default what the device has.
    """

    name = "alarms"
    sections: Collection[str] = (ALARMS.key,)

    def __init__(
        self,
        config: Config,
        watched: Watched,
        send: "Sends",
        webhook: Webhook,
        path: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        signal: AlarmSignal | None = None,
    ) -> None:
        self.signal = signal or AlarmSignal()
        self.tests = TokenBucket(5, 1 / 60)
        self._config = config
        self._watched = watched
        self._send = send
        self._webhook = webhook
        self._path = path
        self._clock = clock
        self._wall = wall
        self._lock = Lock()
        self._writing = Lock()
        self._book = AlarmBook()
        self._started = False
        self._next = clock()
        self._written = clock()
        self._failed = ""
        self._thread: PromptThread | None = None
        self._following: list[_Following] = []
        self._last: list[tuple[float, HandedOver]] = []

    @cached_property
    def ways(self) -> "AlarmWays":
        """The ways that notices go."""
        from otppi.host.alarms.ways import AlarmWays

        return AlarmWays(self._config, self._send, self._webhook, os.uname().nodename, self.when)

    def when(self, at: float) -> float:
        """Turn a time of the monotonic clock into Unix seconds, by what the device's clock says now."""
        return self._wall() - (self._clock() - at)

    # -- as a service -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Go on with what an earlier run knew."""
        book = AlarmBook()
        try:
            kept = json.loads(self._path.read_bytes())
            book.restore(kept, self._clock(), self._wall())
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            logger.warning("what is kept of alarms cannot be read, and is forgotten: %s", type(error).__name__)
            book = AlarmBook()
        self._book = book
        self._started = True

    def look(self) -> None:
        """Look at all that is watched, each fifteen seconds."""
        now = self._clock()
        if self._started and now >= self._next:
            self._next = now + _EVERY
            self.look_now()

    def look_now(self) -> None:
        """Look at all that is watched, and have told what is to be told."""
        values, now = self._config.one(ALARMS), self._clock()
        telling = values["sms"] or values["webhook"] or values["email"]
        settings: Mapping[str, Any] = {**values}
        seen = [(one, list(one.look(self._watched, settings))) for one in CONDITIONS if settings[one.key]]
        self._follow(now)
        with self._lock:
            self._book.watch_only(now, [one.key for one, _signs in seen])
            for condition, signs in seen:
                self._book.see(now, condition.key, condition.rule(settings), signs, telling=telling)
            if not telling:
                self._book.tell_nobody()
            busy = self._thread is not None and self._thread.lives
            notice = None if busy or not telling else self._book.due(now, _limits(values))
            if notice is not None:
                self._book.tell(now, notice)
            raised = self._book.raised()
        self.signal.follow(raised, values)
        if notice is not None:
            self._begin(notice)

    def tidy(self) -> None:
        """Write what has changed, at most every ten minutes."""
        if self._book.changed and self._clock() - self._written >= _KEEP_AFTER:
            self._write()

    def stop(self) -> None:
        """Look no more, and let a notice be handed over that is about to be."""
        self._started = False
        self.signal.close()
        if self._thread is not None and not self._thread.end(_PATIENCE):
            logger.warning("an alarm is still being handed over")

    def close(self) -> None:
        """Write what has changed."""
        if self._book.changed:
            self._write()

    def warnings(self) -> Sequence[str]:
        """Return that nothing can be kept."""
        return [_("what is known of alarms cannot be written: {reason}", reason=self._failed)] if self._failed else []

    def problems(self) -> Sequence[str]:
        """Return the alarms that nothing else tells of to a person at the device."""
        return [
            said_of(one.condition, one.subject, one.facts)
            for one in self.raised()
            if one.condition not in _ELSEWHERE and one.facts.get("writable", 1)
        ]

    def samples(self) -> Samples:
        """Return how many alarms are raised, by condition."""
        raised = [one.condition for one in self.raised()]
        return {"alarms_raised": {f'condition="{one.key}"': float(raised.count(one.key)) for one in CONDITIONS}}

    # -- what people look at (any thread) ---------------------------------------------------------------------------

    def raised(self) -> list[AlarmLine]:
        """Return the alarms that are raised, the longest first."""
        with self._lock:
            return self._book.raised()

    def history(self) -> list[Happened]:
        """Return what has become of alarms, the newest last."""
        with self._lock:
            return self._book.history()

    def last_handed(self) -> "list[tuple[float, HandedOver]]":
        """Return what was handed over last, and when, in Unix seconds."""
        with self._lock:
            return [(self.when(at), one) for at, one in self._last]

    def lost_modems(self) -> frozenset[str]:
        """Return the modems that do not work now: no alarm goes by one of them, as it would wait for it."""
        return frozenset(one.name for one in self._watched.modems() if one.status.state is not EgressState.READY)

    def handed_over(self, handed: "Sequence[HandedOver]") -> None:
        """Note what was handed over, in place of what was before by the same ways."""
        ways, at = {one.way for one in handed}, self._clock()
        with self._lock:
            self._last = [*(one for one in self._last if one[1].way not in ways), *((at, one) for one in handed)]

    def announce(self, text: Text, seconds: float) -> None:
        """Tell a sentence by the ways that are switched on, and wait for so many seconds at most until it is told."""
        handed = self.ways.announce(text, without=self.lost_modems())
        until = self._clock() + seconds
        for one in handed:
            one.ask(max(0.0, until - self._clock()))
        ways = ", ".join(sorted({one.way.value for one in handed})) or "nobody"
        logger.warning("told by %s: %s", ways, text)

    # -- telling ----------------------------------------------------------------------------------------------------

    def _begin(self, notice: AlarmNotice) -> None:
        """Have a notice handed over by a thread of its own: the card and a modem's queue may take their time."""
        self._thread = PromptThread(partial(self._hand_over, notice), "alarm notice")
        try:
            self._thread.start()
        except CANNOT_START:
            self._thread = None
            logger.error("an alarm is not told: no thread can be started")  # noqa: TRY400 - the reason says it all
            with self._lock:
                self._book.take_back(self._clock(), notice)

    def _hand_over(self, notice: AlarmNotice) -> None:
        from otppi.host.alarms.wording import told_of

        handed: Sequence[HandedOver] = ()
        self._write()  # first: a restart in between tells it not once more
        try:
            handed = self.ways.hand_over(notice, without=self.lost_modems())
        finally:
            self.handed_over(handed)
            with self._lock:
                self._following.append(_Following(notice, handed))
        ways = ", ".join(sorted({one.way.value for one in handed})) or "nobody"
        logger.warning("alarm, told by %s: %s", ways, " ".join(told_of(one) for one in notice.lines))

    def _follow(self, now: float) -> None:
        """See what has become of notices; one that reached nobody for certain is told once more."""
        with self._lock:
            following = list(self._following)
        for one in following:
            states = [handed.ask(0.0) for handed in one.handed]
            if not all(state.is_final for state in states):
                continue
            nobody = all(state.reached_nobody for state in states)
            with self._lock:
                self._following.remove(one)
                if nobody:
                    self._book.take_back(now, one.notice)
                else:
                    self._book.confirm(one.notice)
            if nobody:
                why = next((state.cause for state in states if state.cause), "") or "no way takes it"
                logger.warning("an alarm reached nobody, and is told again later: %s", why)

    def _write(self) -> None:
        with self._writing:
            with self._lock:
                kept = self._book.as_kept(self._clock(), self._wall())
                self._book.changed = False
            self._written = self._clock()
            try:
                replace_whole(self._path, as_json(kept) + b"\n")
            except OSError as error:
                self._failed = error.strerror or str(error)
                self._book.changed = True
                logger.error("what is known of alarms cannot be written: %s", self._failed)  # noqa: TRY400 - it says all
            else:
                self._failed = ""


def _limits(values: AlarmsValues) -> AlarmLimits:
    return AlarmLimits(values["most_an_hour"], values["most_a_day"])
