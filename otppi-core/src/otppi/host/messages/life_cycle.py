"""The life cycle of a message: its record and the lock that guards it, its end, who waits for that, later states."""

import logging
import threading
import time
from collections.abc import Callable

from otppi.api.egress import Channel
from otppi.api.events import DeliveryOutcome, DeliveryReport
from otppi.api.message import State
from otppi.host.durable.in_flight import InFlight
from otppi.host.durable.journal import Journal
from otppi.host.durable.report import Report
from otppi.host.durable.spool import Spool
from otppi.host.messages.clock import ClockWatch
from otppi.host.messages.counts import MessageCounts
from otppi.host.messages.notices import StateNotices
from otppi.host.messages.placement import Placement, PlacementRules
from otppi.host.messages.receipts import Receipts
from otppi.host.messages.worker import AnyWorker
from otppi.host.records.outcomes import BECOMES, REPORTED_ON, segments_out
from otppi.host.records.record import Record, Status
from otppi.host.records.table import Records
from otppi.host.runtime.events import EventBus
from otppi.text import _
from otppi.wire.envelope import ResponseCode
from otppi.wire.status_meaning import status_meaning

logger = logging.getLogger(__name__)


class LifeCycle:
    """Owns the records and the one lock of the message path; ends each message once. Any thread.

    The lock guards the states of records, what queue they are in (`Placement`), and who waits for their ends. Nothing
    blocks while it is held: files are written and callbacks are called after it was let go. `Attempts` and `Dispatch`
    build on this and take the same lock.
    """

    def __init__(
        self, rules: PlacementRules, journal: Journal, spool: Spool, notes: InFlight, report: Report, events: EventBus
    ) -> None:
        self.records = Records(journal.key)
        self.counts = MessageCounts()
        self.clock = ClockWatch()
        self._lock = threading.Lock()
        self._closed = False
        self._journal = journal
        self._spool = spool
        self._notes = notes
        self._report = report
        self._events = events
        self._notices = StateNotices(report, events)
        self.note_ended = self._notices.write
        self._placement = Placement(rules)
        self._receipts = Receipts(lambda message_id: self.records.get(message_id) is not None)
        self._waiters: dict[str, list[Callable[[], None]]] = {}

    @property
    def rules(self) -> PlacementRules:
        """The settings that messages are sent by."""
        return self._placement.rules

    @rules.setter
    def rules(self, rules: PlacementRules) -> None:
        self._placement.rules = rules

    def workers(self) -> list[AnyWorker]:
        """List the workers of all channels, modems first, each channel's in the order of the settings."""
        return self._placement.workers()

    def recent(self, count: int) -> list[Record]:
        """List the messages that came last, newest first, whatever became of them."""
        with self._lock:
            return self.records.recent(count)

    def warnings(self) -> list[str]:
        """Say what people should know of what is kept for a crash and a power cut."""
        kept = (self._spool, self._journal, self._notes, self._report)
        return [warning for one in (*kept, self.clock) for warning in one.warnings()]

    def takes(self, seconds: float) -> bool:
        """Whether a message could be taken in within so many seconds: nobody holds the lock for longer."""
        if not self._lock.acquire(timeout=seconds):
            return False
        self._lock.release()
        return True

    # -- who waits for an end ---------------------------------------------------------------------------------------

    def on_end(self, record: Record, callback: Callable[[], None]) -> bool:
        """Call back once when the record ends, or stays for the next start; False (and no call) where that is past."""
        with self._lock:
            if record.state.final or self._closed:
                return False
            self._waiters.setdefault(record.message_id, []).append(callback)
            return True

    def forget_callback(self, record: Record, callback: Callable[[], None]) -> None:
        """Take back an `on_end`, whose waiter has gone."""
        with self._lock:
            callbacks = self._waiters.get(record.message_id, [])
            if callback in callbacks:
                callbacks.remove(callback)
            if not callbacks:
                self._waiters.pop(record.message_id, None)

    def is_awaited(self, record: Record) -> bool:
        """Whether somebody waits for the end of a record at this moment."""
        return record.message_id in self._waiters

    def wait(self, record: Record, seconds: float) -> bool:
        """Wait for the end of a record; False where it has not ended in time."""
        ended = threading.Event()
        if not self.on_end(record, ended.set):
            return True
        if ended.wait(max(0.0, seconds)):
            return True
        self.forget_callback(record, ended.set)
        return False

    # -- the end ----------------------------------------------------------------------------------------------------

    def _expire(self, record: Record) -> None:
        cause = _("it could not be sent before it expired")
        if record.deferrals and record.cause:
            cause = _("{cause}; the last answer was: {answer}", cause=cause, answer=record.cause)
        if record.deadline > time.monotonic():
            cause = _(
                "{cause}: the clock of this device was wrong when it came in, and has been put forward since",
                cause=cause,
            )
        self._end(record, State.EXPIRED, ResponseCode.QUEUE_FULL, cause)

    def _end(self, record: Record, state: State, code: ResponseCode, cause: str | None) -> None:
        with self._lock:
            before = record.status
            if before.state.final:
                return
            segments = segments_out(record, state)
            if record.again and not state.went_out:  # the first attempt may be with the receiver
                state, code = State.UNCONFIRMED, ResponseCode.UNCONFIRMED
            record.become(Status(state, code, cause, before.egress, record.progress.segments, time.time()))
            record.forget_words()
            callbacks = self._waiters.pop(record.message_id, ())
            self._placement.ended(record, segments)
            self.counts.came_to(record)
            early = self._receipts.expect(record) if is_reported(record) else ()
        self._journal.ended(record)
        if record.slot is not None:
            self._spool.drop(record)
        self._notices.ended(record, state, callbacks)
        for report in early:
            self.reported(before.egress or "", report)

    # -- what comes later (on the modem's thread) -------------------------------------------------------------------

    def reported(self, modem: str, report: DeliveryReport) -> None:
        """Take a status report: `sent` and `unconfirmed` become `delivered` or `undelivered` (TS 23.040 9.2.2.3)."""
        with self._lock:
            found = self._receipts.match(modem, report)
        if found is None:
            logger.debug("modem %s brought a status report on no message that is known", modem)
            return
        record, outcome = found
        if outcome is DeliveryOutcome.DELIVERED:
            self._change(record, State.DELIVERED, ResponseCode.SUCCESS, None, report.discharged)
        elif outcome is DeliveryOutcome.FAILED:
            cause = _(
                "the network could not deliver it: {status_meaning}", status_meaning=status_meaning(report.status)
            )
            self._change(record, State.UNDELIVERED, ResponseCode.FAILED, cause, report.discharged)

    def accepted_late(self, message_id: str, reference: int) -> None:
        """Take a +CMGS that came after the time-out: `unconfirmed` becomes `sent`."""
        with self._lock:
            record = self._receipts.accepted(message_id, reference)
        if record is not None:
            self._change(record, State.SENT, ResponseCode.SUCCESS, None, None)

    def _change(
        self, record: Record, state: State, code: ResponseCode, cause: str | None, discharged: float | None
    ) -> None:
        """Give a record that has ended a state that says more."""
        with self._lock:
            before = record.status
            if before.state not in BECOMES[state]:
                return
            record.become(Status(state, code, cause, before.egress, before.segments, before.finished, discharged))
            self.counts.came_to(record)
        self._journal.changed(record)
        self._notices.changed(record, before.state, state)
        for follower in record.followers:
            with self._lock:
                if follower.state not in BECOMES[state]:
                    continue
                follower.become(record.status)
            self._journal.changed(follower)
            self._notices.followed_later(follower)


def is_reported(record: Record) -> bool:
    """Whether a status report may come on a message: those are of SMS (3GPP TS 23.040 3.2.9)."""
    if record.channel is not Channel.SMS or record.follows is not None:
        return False
    status = record.status
    return status.state in REPORTED_ON and status.egress is not None
