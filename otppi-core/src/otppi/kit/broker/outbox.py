"""What waits to be done on a connection's own thread: answers to publish, deliveries to settle, each at its time."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from otppi.api.ingress import Callback
from otppi.kit.broker.verdict import Verdict
from otppi.kit.bursts import Bursts
from otppi.kit.schedule import Schedule

logger = logging.getLogger(__name__)

_BYTES = 16 << 20
_REMEMBERED = 1_000
_BEHIND = 1e-6
"""So many seconds behind an answer comes what must not overtake it: more than sums of such times are off by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message as a broker delivered it.

    Attributes:
        body: Its payload.
        tag: What the broker's protocol settles it by.
        session: The connection that it came by: `Consumer.session`, set by the consumer.
        callback: Where the protocol itself says that the answer is wanted (AMQP `reply-to`, MQTT 5 response topic);
            what the envelope says goes before it. One without a topic has just the correlation.
        kept: Whether the broker keeps it until it is settled.
        redelivered: Whether the broker says that it may have come before.
        attempt: How many times it was given back before, where the broker counts.
        first_seen: Of what is given back: when it came first, in Unix seconds, also where its broker did not tell.
        message_id, date_time, expiration, priority: What the protocol says, for where the envelope says nothing.
    """

    body: bytes = field(repr=False)
    tag: Any = None
    session: int = 0
    callback: Callback | None = None
    kept: bool = True
    redelivered: bool = False
    attempt: int = 0
    first_seen: int | None = None
    message_id: str | None = None
    date_time: int | None = None
    expiration: int | None = None
    priority: Literal["otp", "bulk"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is to be done: publish `payload` where there is a callback; then, when that is safe, settle the delivery."""

    callback: Callback | None = None
    payload: bytes = field(default=b"", repr=False)
    delivery: Delivery | None = None
    verdict: Verdict = Verdict.DONE


class _Shelf:
    """Publications that wait, not more than some number and some bytes. The outbox locks."""

    def __init__(self, limit: int, limit_bytes: int) -> None:
        self.waiting = Schedule[Action]()
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._bytes = 0

    def put(self, action: Action, delay: float, now: float) -> bool:
        """Add one; False where there is no room."""
        if len(self.waiting) >= self._limit or self._bytes + len(action.payload) > self._limit_bytes:
            return False
        self._bytes += len(action.payload)
        self.waiting.put(action, delay, now=now)
        return True

    def due(self, *, all_of_them: bool, now: float) -> list[Action]:
        """Take out what is due now."""
        actions = self.waiting.due(all_of_them=all_of_them, now=now)
        self._bytes -= sum(len(action.payload) for action in actions)
        return actions


class Outbox:
    """Actions by the time when they are due. Any thread.

    Args:
        wake: Called by whatever thread puts an action in, to let the connection's thread look at `due`; must be quick.
        limit: How many publications may wait that no delivery depends on, such as later states: the broker may be away
            for long. More are dropped and counted. As many again may wait for a time that their sender chose; more are
            published before it.
        limit_bytes: How long their payloads may be together, in octets.
        name: Whose outbox it is, for the log.
    """

    def __init__(
        self, wake: Callable[[], None], limit: int = 10_000, *, limit_bytes: int = _BYTES, name: str = "outbox"
    ) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._settling = Schedule[Action]()
        self._spare = _Shelf(limit, limit_bytes)
        self._later = _Shelf(limit, limit_bytes)
        self._last: dict[Callback, float] = {}
        self._prune_at = _REMEMBERED
        self._lines = Bursts(logger, name, most=1, period=60.0)
        self._name = name
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._settling) + len(self._spare.waiting) + len(self._later.waiting)

    @property
    def settling(self) -> int:
        """How many of them settle a delivery."""
        return len(self._settling)

    def put(self, action: Action, delay: float = 0.0) -> None:
        """Add an action that is due in `delay` seconds; it does not overtake an earlier one of the same callback."""
        with self._lock:
            now = time.monotonic()  # one look for all: between two the thread may have to wait, and the order be lost
            delay = self._in_order(action, delay, now)
            placed = True
            if action.delivery is not None:
                self._settling.put(action, delay, now=now)
            elif not (delay > 0 and self._later.put(action, delay, now)):
                placed = self._spare.put(action, 0.0, now)
            self.dropped += not placed
        if placed:
            self._wake()
        else:
            message = "%s: too many answers wait to be published; this one is dropped, its message is not affected"
            self._lines.log(logging.WARNING, "answers dropped, too many wait", message, self._name)

    def _in_order(self, action: Action, delay: float, now: float) -> float:
        """Return the delay with which a publication does not overtake an earlier one of the same callback."""
        if action.callback is None:
            return delay
        if action.delivery is None:  # what settles a delivery waits for nobody
            delay = max(delay, self._last.get(action.callback, now) - now)
        if delay > 0:
            self._last[action.callback] = now + delay + _BEHIND
            if len(self._last) > self._prune_at:
                self._last = {callback: due for callback, due in self._last.items() if due > now}
                self._prune_at = max(_REMEMBERED, 2 * len(self._last))
        return delay

    def due(self, *, all_of_them: bool = False) -> list[Action]:
        """Take out what is due now: what settles deliveries first."""
        self._lines.flush()
        with self._lock:
            if all_of_them:
                self._last.clear()
            now = time.monotonic()
            return [
                *self._settling.due(all_of_them=all_of_them, now=now),
                *self._later.due(all_of_them=all_of_them, now=now),
                *self._spare.due(all_of_them=all_of_them, now=now),
            ]

    def pause(self) -> float | None:
        """Return the seconds until something is due; None where nothing waits."""
        return soonest(self._settling.pause(), self._spare.waiting.pause(), self._later.waiting.pause())

    def forget(self, session: int) -> None:
        """Drop what settles deliveries of an earlier connection: the broker delivers those again."""
        self._settling.drop(lambda action: action.delivery is not None and action.delivery.session != session)


def soonest(*pauses: float | None) -> float | None:
    """Return the shortest of some pauses, of which None is none."""
    return min((pause for pause in pauses if pause is not None), default=None)
