"""The event bus: who subscribes to a kind of event is told of each, on the thread on which it happens."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from otppi.api.events import Event

logger = logging.getLogger(__name__)

E = TypeVar("E", bound=Event)
_Subscriber = Callable[[Any], None]
_Concern = Callable[[Any], bool]


def _everything(_: object) -> bool:
    """Have a use for each event."""
    return True


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__name__)


class Subscription:
    """One subscription. Used as a context manager it ends with the block."""

    def __init__(self, bus: "EventBus", kind: type[Event], subscriber: _Subscriber, concerns: _Concern) -> None:
        self.kind = kind
        self.subscriber = subscriber
        self.concerns = concerns
        self._bus = bus

    def end(self) -> None:
        """Unsubscribe (any thread; safe to call twice).

        An event that another thread publishes at this moment may still come.
        """
        self._bus._forget(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()


class EventBus:
    """Carries events from where they happen to whoever subscribes. Any thread may call anything.

    Subscribers are called one after the other, in the order in which they subscribed, on the thread that publishes:
    for messages that is the thread of an egress or of an ingress. So a subscriber has to be quick and must not wait
    for anything: neither for a network nor for a card, nor for an egress. One that needs time puts the event into a
    queue of its own, whose thread may block. What a subscriber raises is logged, and neither stops the others nor
    comes to the publisher. No lock of the dispatcher is held; who brought a message may hold one of its own when
    `MessageTaken` comes. Events of one message that two threads publish at one time may come in either order.

    Publishing where nobody listens costs one look into a table. `wants` says so before the event is made, and whether
    those who listen have a use for this one.
    """

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._subscriptions: tuple[Subscription, ...] = ()
        # Replaced as a whole whenever somebody subscribes or unsubscribes, so that publishing needs no lock.
        self._told: dict[type[Event], tuple[Subscription, ...]] = {}

    def subscribe(
        self, kind: type[E], subscriber: Callable[[E], None], *, concerns: _Concern = _everything
    ) -> Subscription:
        """Have `subscriber` called with each event of a kind, or of a kind that is derived from it.

        `concerns` says of what an event would be made of (a record, of events of messages) whether the subscriber has
        any use for that. Where no subscriber has, the event may never be made: each costs as much as ten looks. Where
        another one has, it comes to all. What it raises is logged, and counts as a use.
        """
        subscription = Subscription(self, kind, subscriber, concerns)
        with self._changing:
            self._subscriptions = (*self._subscriptions, subscription)
            self._told = {}
        return subscription

    def wants(self, kind: type[Event], subject: object = None) -> bool:
        """Return whether anybody is told of this kind, and has a use for an event on `subject` where one is given."""
        told = self._told.get(kind)
        if told is None:
            told = self._subscribers(kind)
        if subject is None:
            return bool(told)
        for one in told:  # any() takes twice as long, and this is on each message's path
            try:
                if one.concerns(subject):
                    return True
            except (Exception, SystemExit):  # whoever cannot tell is told of it, and the publisher goes on
                logger.exception("a %s: %s could not say whether it is concerned", kind.__name__, _name(one.concerns))
                return True
        return False

    def publish(self, event: Event) -> None:
        """Tell everybody who subscribed; raises nothing."""
        for one in self._subscribers(type(event)):
            try:
                one.subscriber(event)
            except (Exception, SystemExit):  # a fault of whoever listens must not look like one of this thread
                logger.exception("%r could not be told to %s", event, _name(one.subscriber))

    def _subscribers(self, kind: type[Event]) -> tuple[Subscription, ...]:
        told = self._told  # one look: another thread may replace it
        found = told.get(kind)
        if found is None:
            with self._changing:
                found = tuple(one for one in self._subscriptions if issubclass(kind, one.kind))
                self._told[kind] = found
        return found

    def _forget(self, subscription: Subscription) -> None:
        with self._changing:
            self._subscriptions = tuple(one for one in self._subscriptions if one is not subscription)
            self._told = {}
