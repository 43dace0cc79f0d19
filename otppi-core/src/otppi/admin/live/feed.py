"""The feed of the monitor: what the event bus tells while somebody watches, kept until it is looked at."""

from collections import deque
from collections.abc import Callable

from otppi.api.events import BalanceLow, EgressChanged, Event, Events, MessageEvent, ServiceChanged, Subscribed

_KINDS: tuple[type[Event], ...] = (MessageEvent, EgressChanged, ServiceChanged, BalanceLow)
_KEPT = 1_024
"""Events that are kept at most. What falls out is not lost: whoever is woken by one looks at how things are."""


class EventFeed:
    """Events since they were taken last. `open`, `close` and `drain`: one thread at a time.

    It is subscribed between `open` and `close` only: while nobody watches, no event is made for it. Each event is
    appended to a bounded ring on the thread on which it happens, and nothing more is done there.
    """

    def __init__(self, events: Events, kept: int = _KEPT) -> None:
        self._events = events
        self._ring: deque[Event] = deque(maxlen=kept)
        self._subscriptions: tuple[Subscribed, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it is subscribed."""
        return bool(self._subscriptions)

    def open(self) -> None:
        """Subscribe, where it is not."""
        if not self._subscriptions:
            append: Callable[[Event], None] = self._ring.append
            self._subscriptions = tuple(self._events.subscribe(kind, append) for kind in _KINDS)

    def close(self) -> None:
        """Unsubscribe, and forget what was not taken."""
        subscriptions, self._subscriptions = self._subscriptions, ()
        for one in subscriptions:
            one.end()
        self._ring.clear()

    def drain(self) -> list[Event]:
        """Return what came since the last time."""
        return [self._ring.popleft() for _ in range(len(self._ring))]
