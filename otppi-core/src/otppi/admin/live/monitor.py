"""What the monitor tells: how the gateway stands, and then each change."""

import time
from typing import Final

from otppi.admin.live.feed import EventFeed
from otppi.admin.live.frames import RETRY, SentChanges, frame
from otppi.admin.live.hub import Hub, Telling, WatcherLimits
from otppi.admin.live.snapshot import STATE_PARTS, GatewayView, Part, changed_messages, clock
from otppi.api.events import Events, MessageEvent

THREAD: Final = "administration-live"
_STATE: Final = 1.0
"""Seconds between two looks at what no event tells of: queues, signal."""
_LIMITS: Final = WatcherLimits()


class LiveHub(Hub):
    """The hub of the monitor.

    The feed is subscribed only while there are watchers. The messages are looked at where an event came, all else once
    a second.

    Args:
        events: The gateway's event bus.
        view: Looks at the gateway.
        limits: What watchers may take.
    """

    def __init__(self, events: Events, view: GatewayView, limits: WatcherLimits = _LIMITS) -> None:
        super().__init__(THREAD, lambda told: GatewayTelling(EventFeed(events), view, told), limits)
        self.view = view


class GatewayTelling(Telling):
    """What of the gateway is shown at this time, and what is told of it."""

    def __init__(self, feed: EventFeed, view: GatewayView, limits: WatcherLimits) -> None:
        super().__init__(limits)
        self._feed = feed
        self._view = view
        self._sent = SentChanges()
        self._shown: Part = {}
        self._next_state = time.monotonic() + _STATE
        feed.open()

    def prepare(self) -> None:
        """Look at all that is shown."""
        self._shown = self._view.snapshot()

    def change(self, now: float) -> bytes:
        """Look at what may have changed."""
        events, look = self._feed.drain(), now >= self._next_state
        if look:
            self._next_state = now + _STATE
        change: Part = {}
        if look or not all(isinstance(one, MessageEvent) for one in events):
            state = self._view.state()
            change = {part: state[part] for part in STATE_PARTS if state[part] != self._shown[part]}
            self._shown.update(change)
        if look or events:
            messages = self._view.messages()
            if changed := changed_messages(self._shown["messages"], messages):
                change["messages"] = changed
            self._shown["messages"] = messages
        return self._sent.add(change) if change else b""

    def greeting(self, last_event_id: str) -> bytes:
        """Return what a watcher has missed, or else all that is shown."""
        missed = self._sent.since(last_event_id)
        if missed is None:
            return frame("snapshot", {**self._shown, **clock()}, self._sent.last_id, retry=RETRY)
        return missed or frame("ping", clock())

    def end(self) -> None:
        """Unsubscribe."""
        self._feed.close()
