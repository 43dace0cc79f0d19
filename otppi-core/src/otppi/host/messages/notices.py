"""Who is told of a message's end: who waits, then the event bus; log and report when an egress' thread has time."""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from otppi.api.events import MessageChanged, MessageEnded
from otppi.api.message import State
from otppi.host.durable.report import Report
from otppi.host.messages.record_events import event_of
from otppi.host.records.record import Record
from otppi.host.runtime.events import EventBus

logger = logging.getLogger(__name__)


class StateNotices:
    """Any thread."""

    def __init__(self, report: Report, events: EventBus) -> None:
        self._report = report
        self._events = events
        self._waiting: deque[tuple[Record, State, Callable[[Record, State], None]]] = deque()

    def ended(self, record: Record, state: State, callbacks: Iterable[Callable[[], None]]) -> None:
        """Tell of an end, first those who wait for it. It may have come to a later state already."""
        self._waiting.append((record, state, self._report.append))
        self.answer(record, callbacks)
        self._ended(record, unanswered=record.restored)

    def followed(self, record: Record, state: State, callbacks: Iterable[Callable[[], None]]) -> None:
        """Tell of the end of a message that another one stood for: there is none more in the report."""
        self._waiting.append((record, state, _nothing))
        self.answer(record, callbacks)
        self._ended(record, unanswered=False)

    def followed_later(self, record: Record) -> None:
        """Tell of a later state of such a message."""
        self._changed(record)

    def answer(self, record: Record, callbacks: Iterable[Callable[[], None]]) -> None:
        """Let those go on who wait for a message: it has ended, or it stays for the gateway's next start."""
        for callback in callbacks:
            _tell(record, callback)

    def changed(self, record: Record, was: State, state: State) -> None:
        """Tell of a later state."""
        self._waiting.append((record, state, partial(self._report.changed, was)))
        self._changed(record)

    def restored(self, record: Record) -> None:
        """Tell of the end of a message that an earlier run of the gateway had, which nobody waits for any more.

        One that its source sends again is answered there.
        """
        self._waiting.append((record, record.state, self._report.append))
        self._ended(record, unanswered=not record.origin.kept_by_source)

    def _ended(self, record: Record, *, unanswered: bool) -> None:
        if self._events.wants(MessageEnded, record):
            self._events.publish(event_of(MessageEnded, record, unanswered=unanswered))

    def _changed(self, record: Record) -> None:
        if self._events.wants(MessageChanged, record):
            self._events.publish(event_of(MessageChanged, record, unanswered=True))

    def write(self) -> None:
        """Write log and report of what ended: on a modem's thread while the network has its next message, or later."""
        while self._waiting:
            try:
                record, state, write = self._waiting.popleft()
            except IndexError:  # another thread was quicker
                return
            write(record, state)
            _log(record, state)


def _nothing(_record: Record, _state: State) -> None:
    """Write nothing."""


def _tell(record: Record, callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:  # a fault of whoever waits must not look like one of the modem whose thread this is
        logger.exception("the state of message %s could not be told", record.message_id)


def _log(record: Record, state: State) -> None:
    level = logging.DEBUG if state is State.DELIVERED else logging.INFO  # what goes as it should is told once
    if not logger.isEnabledFor(level):
        return
    content, status = record.content, record.status
    logger.log(
        level,
        "message %s to %s from %s/%s by %s: %s%s",
        record.message_id,
        content.receiver_shown,
        content.origin.ingress,
        content.origin.sender.name,
        status.egress,
        state,
        f" ({status.cause})" if status.cause and state is status.state else "",
    )
