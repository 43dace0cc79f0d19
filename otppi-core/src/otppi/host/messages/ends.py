"""Who is told of a message's end: those who wait, at once; log and report, when an egress' thread has time."""

import logging
from collections import deque
from collections.abc import Callable, Iterable

from otppi.api.message import State
from otppi.host.durable.report import Report
from otppi.host.records.record import Record

logger = logging.getLogger(__name__)


class Paperwork:
    """Any thread.

    Attributes:
        listeners: told of every end, and of every later state; quick, on any thread.
        listeners_later: told of states that no answer tells: such as a status report brings, and the ends of messages
            that an earlier run of the gateway took in.
    """

    def __init__(self, report: Report) -> None:
        self.listeners: list[Callable[[Record], None]] = []
        self.listeners_later: list[Callable[[Record], None]] = []
        self._report = report
        self._waiting: deque[tuple[Record, State, Callable[[Record], None]]] = deque()

    def ended(self, record: Record, state: State, callbacks: Iterable[Callable[[], None]]) -> None:
        """Tell of an end, first those who wait for it. It may have come to a later state already."""
        self._waiting.append((record, state, self._report.append))
        self.answer(record, callbacks)
        for listener in (*self.listeners, *self.listeners_later) if record.restored else self.listeners:
            _tell(record, listener, record)

    def followed(self, record: Record, state: State, callbacks: Iterable[Callable[[], None]]) -> None:
        """Tell of the end of a message that another one stood for: there is none more in the report."""
        self._waiting.append((record, state, _nothing))
        self.answer(record, callbacks)
        for listener in self.listeners:
            _tell(record, listener, record)

    def followed_later(self, record: Record) -> None:
        """Tell of a later state of such a message."""
        for listener in (*self.listeners, *self.listeners_later):
            _tell(record, listener, record)

    def answer(self, record: Record, callbacks: Iterable[Callable[[], None]]) -> None:
        """Let those go on who wait for a message: it has ended, or it stays for the gateway's next start."""
        for callback in callbacks:
            _tell(record, callback)

    def changed(self, record: Record, state: State) -> None:
        """Tell of a later state."""
        self._waiting.append((record, state, self._report.changed))
        for listener in (*self.listeners, *self.listeners_later):
            _tell(record, listener, record)

    def restored(self, record: Record) -> None:
        """Tell of the end of a message that an earlier run of the gateway had, which nobody waits for any more.

        One that its source sends again is answered there.
        """
        self._waiting.append((record, record.state, self._report.append))
        by_source = record.origin.kept_by_source
        for listener in self.listeners if by_source else (*self.listeners, *self.listeners_later):
            _tell(record, listener, record)

    def do(self) -> None:
        """Write log and report of what ended: on a modem's thread while the network has its next message, or later."""
        while self._waiting:
            try:
                record, state, write = self._waiting.popleft()
            except IndexError:  # another thread was quicker
                return
            write(record)
            _log(record, state)


def _nothing(_: Record) -> None:
    """Write nothing."""


def _tell(record: Record, callback: Callable[..., None], *arguments: Record) -> None:
    try:
        callback(*arguments)
    except Exception:  # a fault of whoever waits must not look like one of the modem whose thread this is
        logger.exception("the state of message %s could not be told", record.message_id)


def _log(record: Record, state: State) -> None:
    logger.log(
        logging.DEBUG if state is State.DELIVERED else logging.INFO,  # what goes as it should is told once
        "message %s to %s from %s/%s by %s: %s%s",
        record.message_id,
        record.receiver_shown,
        record.origin.ingress,
        record.origin.sender.name,
        record.egress,
        state.value,
        f" ({record.cause})" if record.cause and state is record.state else "",
    )
