"""What waits to be done on a connection's own thread: answers to publish, deliveries to settle, each at its time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from otppi.api.ingress import Callback
from otppi.kit.schedule import Schedule
from otppi.kit.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message as a broker delivered it.

    Attributes:
        body: Its payload.
        tag: What the broker's protocol settles it by.
        session: The connection that it came by: `Consumer.session`, set by the consumer.
        callback: Where the protocol itself says that the answer is wanted (AMQP `reply-to`, MQTT 5 response topic);
            what the envelope says goes before it.
        kept: Whether the broker keeps it until it is settled.
        redelivered: Whether the broker says that it may have come before.
        attempt: How many times it was given back before, where the broker counts.
        message_id, date_time, expiration, priority: What the protocol says, for where the envelope says nothing.
    """

    body: bytes = field(repr=False)
    tag: Any = None
    session: int = 0
    callback: Callback | None = None
    kept: bool = True
    redelivered: bool = False
    attempt: int = 0
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


class Outbox:
    """Actions by the time when they are due. Any thread.

    Args:
        wake: Called by whatever thread puts an action in, to let the connection's thread look at `due`; must be quick.
        limit: How many publications may wait that no delivery depends on, such as later states: the broker may be away
            for long. More are dropped and counted.
    """

    def __init__(self, wake: Callable[[], None], limit: int = 10_000) -> None:
        self._wake = wake
        self._limit = limit
        self._settling = Schedule[Action]()
        self._spare = Schedule[Action]()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._settling) + len(self._spare)

    def put(self, action: Action, delay: float = 0.0) -> None:
        """Add an action that is due in `delay` seconds."""
        if action.delivery is not None:
            self._settling.put(action, delay)
        elif len(self._spare) < self._limit:
            self._spare.put(action, delay)
        else:
            self.dropped += 1
        self._wake()

    def due(self, *, all_of_them: bool = False) -> list[Action]:
        """Take out what is due now: what settles deliveries first."""
        return self._settling.due(all_of_them=all_of_them) + self._spare.due(all_of_them=all_of_them)

    def pause(self) -> float | None:
        """Give the seconds until something is due; None where nothing waits."""
        return soonest(self._settling.pause(), self._spare.pause())

    def forget(self, session: int) -> None:
        """Drop what settles deliveries of an earlier connection: the broker delivers those again."""
        self._settling.drop(lambda action: action.delivery is not None and action.delivery.session != session)


def soonest(*pauses: float | None) -> float | None:
    """Give the shortest of some pauses, of which None is none."""
    return min((pause for pause in pauses if pause is not None), default=None)
