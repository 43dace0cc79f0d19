"""From the queue to the end: a message's life, and what follows from each outcome."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from otppi.api.egress import Channel
from otppi.api.errors import Deferred, Lost, NotSent, Rejected, Unconfirmed, Unfit
from otppi.api.events import DeliveryOutcome, DeliveryReport, EgressChanged, MessageSending, MessageTaken
from otppi.api.message import State
from otppi.host.durable.in_flight import InFlight
from otppi.host.durable.journal import Journal
from otppi.host.durable.report import Report
from otppi.host.durable.restart import left_behind
from otppi.host.durable.spool import Spool
from otppi.host.messages.ends import StateNotices
from otppi.host.messages.expiry import ClockWatch
from otppi.host.messages.followers import Followers, goes_itself, own_of
from otppi.host.messages.placement import NotAccepted, Placement, PlacementRules
from otppi.host.messages.receipts import Receipts
from otppi.host.messages.telling import event_of
from otppi.host.messages.worker import AnyWorker
from otppi.host.meter.file import UsageFile
from otppi.host.meter.token_bucket import TokenBucket
from otppi.host.records.outcomes import BECOMES, REPORTED_ON, cause_of, segments_out
from otppi.host.records.record import Record, Status
from otppi.host.records.table import Records
from otppi.host.runtime.events import EventBus
from otppi.text import _
from otppi.text.states import said
from otppi.wire.envelope import ResponseCode
from otppi.wire.status_meaning import status_meaning

__all__ = ["Dispatch", "NotAccepted", "PlacementRules"]

logger = logging.getLogger(__name__)

_SWEEP = 0.5
_SAVE = 60.0
_FREE_REFUSALS = 1_000.0
_REFUSALS_PER_SECOND = 1.0


class Dispatch:
    """Owns the records, from taking one in to its end; tells the event bus what becomes of each.

    One lock guards the states of records and what queue they are in (`Placement`). Nothing blocks while it is held.
    """

    def __init__(
        self,
        rules: PlacementRules,
        journal: Journal,
        spool: Spool,
        notes: InFlight,
        report: Report,
        usage: UsageFile,
        events: EventBus,
        is_blocked: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.records = Records(journal.key)
        self.ended = Counter[tuple[str, str]]()
        self._journal = journal
        self._spool = spool
        self._notes = notes
        self._restored: list[Record] = []
        self._waiters: dict[str, list[Callable[[], None]]] = {}
        self._followers = Followers()
        self.is_blocked = is_blocked
        self.clock = ClockWatch()
        self._report = report
        self._events = events
        self._notices = StateNotices(report, events)
        self._usage = usage
        self._lock = threading.Lock()
        self._placement = Placement(rules)
        self._receipts = Receipts(lambda message_id: self.records.get(message_id) is not None)
        self.note_ended = self._notices.do
        self.each_minute: list[Callable[[], None]] = []
        self._refusals = TokenBucket(_FREE_REFUSALS, _REFUSALS_PER_SECOND)
        self._stopping = threading.Event()
        self._closed = False

    @property
    def rules(self) -> PlacementRules:
        """The settings that messages are sent by."""
        return self._placement.rules

    @rules.setter
    def rules(self, rules: PlacementRules) -> None:
        self._placement.rules = rules

    # -- taking in (any thread) -------------------------------------------------------------------------------------

    def take(self, record: Record) -> Record:
        """Queue a record by the best egress; give the earlier record where this one is its duplicate.

        Raises:
            Refused: none may send it (1101), or no queue has room or time for it (1205).
        """
        ours = not record.content.origin.kept_by_source
        if ours:
            self._spool.prepare()
        # Made now: as soon as it is queued, a modem's thread may be further with it.
        event = event_of(MessageTaken, record) if self._events.wants(MessageTaken) else None
        taken = self._take(record, ours=ours)
        if event is not None and taken is record:
            self._events.publish(event)
        return taken

    def _take(self, record: Record, *, ours: bool) -> Record:
        with self._lock:
            first = self._first(record)
            if first is not None and (own := own_of(first, record)):
                self._tell_too(own, record)
                return own
            if self._closed:
                raise NotAccepted(ResponseCode.NO_MODEM, _("the gateway is stopping"))
            # What is refused is compared with no stranger's message: the answer would tell whether it is like it.
            worker = self._placement.place(record)
            self._followers.check_guess(record, self.rules.duplicate_window)
            if first is not None:
                record.digest = b""  # that is the first one's
                self._followers.follow(record, first, self._placement.seconds(record, worker))
            self.records.add(record)
            if ours:
                self._spool.keep(record)
                if first is None:
                    self._notes.watch(record)
            self._journal.taken(record)
            if first is None:
                self._placement.queue(record, worker)
        return record

    def is_duplicate(self, record: Record) -> bool:
        """Whether `take` would send nothing; between this and that the earlier one may end."""
        with self._lock:
            return self._first(record) is not None

    def _first(self, record: Record) -> Record | None:
        """Find the message that this one is the same as, whoever sent that.

        One without an id is a duplicate only where its source says that it delivers it again.
        """
        content = record.content
        if not record.digest or (content.client_id is None and not content.origin.redelivered):
            return None
        return self.records.earlier(record.digest, self.rules.duplicate_window)

    def _tell_too(self, earlier: Record, record: Record) -> None:
        """Tell a duplicate's sender the later states of the earlier one, if nobody else is told."""
        if earlier.answer_to is None and record.answer_to is not None:
            earlier.answer_to = record.answer_to
            self._journal.asked(earlier)

    def refuse(self, record: Record, state: State, refused: NotAccepted) -> bool:
        """End a message that is not taken in, so that report, log and counters have it, and its state can be asked.

        Gives False where so many were refused lately that only the counters have it.
        """
        record.digest = b""  # the same message may be taken in later
        with self._lock:
            if not self._refusals.allows():  # a loop that sends to a blocked number fills neither report nor log
                self.ended[state.value, record.origin.ingress] += 1
                return False
            self.records.add_refused(record)
        self._end(record, state, refused.code, refused.cause)
        return True

    def withdraw(self, record: Record) -> None:
        """End a message that waits, since its source will deliver it again; not where a second sender waits for it."""
        with self._lock:
            alone = len(self._waiters.get(record.message_id, ())) <= 1 and not record.followers
            taken = alone and record.state is State.QUEUED and self._placement.remove(record)
        if taken:
            cause = _("taken back before it was sent: its source delivers it again, here or to another gateway")
            self._end(record, State.FAILED, ResponseCode.NO_MODEM, cause)

    def is_held(self, record: Record) -> bool:
        """Whether a message waits for an egress that cannot send it now."""
        return record.state is State.QUEUED and self._placement.is_held(record)

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

    # -- outcomes (each on its egress' thread) ---------------------------------------------------------------------

    def start_sending(self, worker: AnyWorker, record: Record) -> bool:
        """Mark a record as being sent; False where it has expired or ended meanwhile."""
        if record.left() <= 0:
            self._expire(record)
            return False
        if self.is_blocked(record.content.receiver):  # since it was taken in, also by an earlier run
            self._end(record, State.BLOCKED, ResponseCode.BLOCKED, _("the receiver was blocked while it waited"))
            return False
        with self._lock:
            if record.status.state is not State.QUEUED or self._closed:
                return False
            record.become(worker.as_sending)
            record.attempts += 1
        if self._events.wants(MessageSending):
            self._events.publish(event_of(MessageSending, record))
        return True

    def dispatched(self, record: Record) -> None:
        """Note that the network may have the message from now on."""
        if not self._journal.dispatched(record) and record.slot is not None:
            self._spool.drop(record)  # the RAM disk is full: what may have gone out is not there to be sent again

    def sent(self, record: Record) -> None:
        """End a record that was accepted: by the SMSC, by the mail server."""
        self._end(record, State.SENT, ResponseCode.SUCCESS, None)

    def rejected(self, record: Record, error: Rejected) -> None:
        """End a record that was refused for good."""
        self._end(record, State.FAILED, ResponseCode.FAILED, cause_of(error))

    def unconfirmed(self, worker: AnyWorker, record: Record, error: Unconfirmed) -> None:
        """End a record that may or may not have gone out, or send it once more where the administrator wants that."""
        if not self.rules.resend_unconfirmed or record.again:
            self._end(record, State.UNCONFIRMED, ResponseCode.UNCONFIRMED, cause_of(error))
            return
        with self._lock:
            if record.state.final:
                return
            record.again = True
            self._wait_again(record)
            queued = self._placement.send_again(worker, record)
        if not queued:
            self._end(record, State.UNCONFIRMED, ResponseCode.UNCONFIRMED, cause_of(error))

    def not_sent(self, worker: AnyWorker, record: Record, error: NotSent) -> None:
        """Try again, by this egress or, when its attempts are used up, by another; end the record if there is none."""
        begun = bool(record.progress.references)
        used_up = not isinstance(error, Lost) and record.attempts >= self.rules.attempts
        if begun and used_up:
            self._end(record, State.FAILED, ResponseCode.FAILED, cause_of(error))
            return
        unfit = used_up or isinstance(error, Unfit)
        if unfit and not begun:
            record.excluded |= {worker.name}
            record.attempts = 0
        with self._lock:
            if record.state.final:
                return
            self._wait_again(record)
            if not begun and not record.again:
                self._journal.taken(record)  # it is certain that it did not go out: it only waits again
            found = used = self._placement.uses(worker)
            if used and (begun or (error.retry_after and not unfit)):
                worker.queue.put_back(record)  # parts are out, or it is a matter of waiting: the same goes on
            else:
                found = not begun and self._placement.move(worker, record, leave=used and not unfit)
        if not found:
            self._end(record, State.FAILED, ResponseCode.FAILED, cause_of(error))

    def deferred(self, worker: AnyWorker, record: Record, error: Deferred) -> None:
        """Put a record off whose receiver cannot have it now; one of which parts are out waits for the same egress."""
        if record.progress.references:
            self.not_sent(worker, record, error)
            return
        with self._lock:
            if record.state.final:
                return
            record.become(Status(cause=cause_of(error), egress=record.egress))  # why it waits, for whoever asks
            record.attempts -= 1
            if not record.again:
                self._journal.taken(record)
            self._placement.defer(record, error.retry_after)

    @staticmethod
    def _wait_again(record: Record) -> None:
        """Let a record that was being sent wait, under the lock."""
        record.become(Status(egress=record.egress))

    def egress_changed(self, worker: AnyWorker) -> None:
        """Tell of an egress' new state, and hand its queue, where it cannot send, to others that can."""
        self._relieve(worker)
        status = worker.status
        self._events.publish(EgressChanged(worker.channel, worker.shown_name, status.state, status.detail))

    def _relieve(self, worker: AnyWorker) -> None:
        with self._lock:
            self._placement.relieve(worker)

    @property
    def grace(self) -> float:
        """Seconds for which messages wait for an egress that was lost."""
        return self.rules.modem_grace

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
            self.ended[state.value, record.content.origin.ingress] += 1
            early = self._receipts.expect(record) if _is_reported(record) else ()
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
            found = self._receipts.take(modem, report)
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
            if record.state not in BECOMES[state]:
                return
            before = record.status
            record.become(Status(state, code, cause, before.egress, before.segments, before.finished, discharged))
            self.ended[state.value, record.origin.ingress] += 1
        self._journal.changed(record)
        self._notices.changed(record, state)
        for follower in record.followers:
            with self._lock:
                if follower.state not in BECOMES[state]:
                    continue
                follower.become(record.status)
            self._journal.changed(follower)
            self._notices.followed_later(follower)

    # -- the egresses (main thread) ---------------------------------------------------------------------------------

    def workers(self) -> list[AnyWorker]:
        """List the workers of all channels, modems first, each channel's in the order of the settings."""
        return self._placement.workers()

    def use(self, workers: Iterable[AnyWorker], channel: Channel = Channel.SMS) -> None:
        """Replace the egresses of a channel; what waits for one that is gone goes to others or fails."""
        with self._lock:
            left = self._placement.use(workers, channel)
        cause = _("no {noun} may send it since the settings changed", noun=channel.noun)
        for record in left:
            self._end(record, State.FAILED, ResponseCode.NO_MODEM, cause)
        restored, self._restored = self._restored, []
        for record in restored:
            if record.channel is channel:
                self._queue_again(record)
            else:
                self._restored.append(record)

    def restore(self) -> None:
        """Take over what an earlier run of the gateway left; `use` queues again what waits."""
        behind = left_behind(self._journal, self._spool, self._notes, self._report)
        for record in behind.records:
            with self._lock:
                self.records.add(record)
                if _is_reported(record):
                    self._receipts.expect(record)
            if not record.state.final:
                self._wait_after_restart(record)
                continue
            if record.finished is None:
                record.become(replace(record.status, finished=time.time()))
                self.ended[record.state.value, record.origin.ingress] += 1
                self._notices.restored(record)
            self._count_anew(record)
        self._compact()
        if behind.noted:
            self.note_ended()
            self._report.flush()
        self._notes.begin(self._restored, behind.noted)

    def _wait_after_restart(self, record: Record) -> None:
        if record.follows is None:
            self._restored.append(record)
            return
        with self._lock:
            self._followers.wait_for(record, record.follows)

    def _count_anew(self, record: Record) -> None:
        """Count what went out after the usage was saved the last time; one that follows another one did not."""
        egress, finished = record.egress, record.finished
        if egress and finished and record.follows is None and record.state.went_out and finished > self._usage.saved:
            self._usage.count_later(egress, (finished, record.receiver_shown, max(record.segments, 1)))

    def _queue_again(self, record: Record, place: Callable[[Record], AnyWorker] | None = None) -> None:
        """Queue what was taken in before: by an earlier run, before anything new; or what was put off."""
        if record.left() <= 0:
            self._expire(record)
            return
        try:
            with self._lock:
                self._placement.queue(record, (place or self._placement.place)(record))
        except NotAccepted as refused:
            self._end(record, State.FAILED, refused.code, refused.cause)

    def warnings(self) -> list[str]:
        """Say what people should know of what is kept for a crash and a power cut."""
        kept = (self._spool, self._journal, self._notes, self._report)
        return [warning for one in (*kept, self.clock) for warning in one.warnings()]

    # -- housekeeping (a thread of its own) -------------------------------------------------------------------------

    def run(self) -> None:
        """Expire what waits too long, give up on egresses that stay away, and save what is kept, until `stop`."""
        saved = time.monotonic()
        while not self._stopping.wait(_SWEEP):
            self.note_ended()
            self._journal.flush()
            self._sweep()
            now = time.monotonic()
            if now - saved >= _SAVE:
                self._save()
                for chore in self.each_minute:
                    chore()
                saved = now
            elif self._report.full:
                self._report.flush()
        self.note_ended()
        self._save()

    def _save(self) -> None:
        """Write report and usage to the card."""
        self._report.flush()
        with self._lock:
            snapshot = self._usage.snapshot()
        if snapshot is not None:
            self._usage.write(snapshot)

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    def _sweep(self) -> None:
        now = time.monotonic()
        self.clock.look()
        self._notes.sweep(now)
        self._end_followers()
        self._try_deferred()
        for worker in self.workers():
            for record in worker.queue.waiting():
                if record.left() <= 0 and worker.queue.remove(record):
                    self._expire(record)
            if worker.queue:
                self._relieve(worker)  # another one may have become ready
            if worker.queue and not self._placement.may_wait_for(worker, now):
                self._abandon(worker)
        if self._journal.wants_compaction:
            self._compact()

    def _try_deferred(self) -> None:
        """Queue again what was put off and is due; what has expired meanwhile ends."""
        with self._lock:
            due = self._placement.deferred_due()
        for record in due:
            if record.left() <= 0:
                self._expire(record)
            else:
                self._queue_again(record, self._placement.place_again)

    def _end_followers(self) -> None:
        """End the messages that follow another sender's, each when its time has come.

        Where the first one did not go out for a reason that is not the message's, the next one goes itself.
        """
        told, alone = [], []
        with self._lock:
            for record, first in self._followers.due():
                if record.follows is not first:
                    self._followers.wait_for(record, record.follows or first)  # one that goes itself since a moment
                    continue
                if goes_itself(record, first):
                    self._go_alone(record, first)
                    alone.append(record)
                    continue
                record.become(first.status)
                record.forget_words()
                callbacks = self._waiters.pop(record.message_id, ())
                self.ended[record.state.value, record.origin.ingress] += 1
                told.append((record, record.state, callbacks))
        for record, state, callbacks in told:
            self._journal.ended(record)
            if record.slot is not None:
                self._spool.drop(record)
            self._notices.followed(record, state, callbacks)
        for record in alone:
            self._queue_again(record)

    def _go_alone(self, record: Record, first: Record) -> None:
        """Let a message be sent that followed another one, and all others that did follow it; under the lock."""
        for other in self._followers.lead(record, first):
            self._journal.taken(other)
        self.records.add(record)
        self._journal.taken(record)
        if not record.origin.kept_by_source:
            self._notes.watch(record)

    def _compact(self) -> None:
        with self._lock:
            try:
                self._journal.compact(self.records.latest())
            except OSError as error:
                logger.error("the journal cannot be written anew: %s", error)  # noqa: TRY400 - the reason says it all

    def _abandon(self, worker: AnyWorker) -> None:
        with self._lock:
            left = self._placement.give_up(worker)
        state = said(worker.status.state.value)
        cause = _(
            "no {noun} is connected that may send this: {shown_name} is {state}",
            noun=worker.channel.noun,
            shown_name=worker.shown_name,
            state=state,
        )
        for record in left:
            self._end(record, State.FAILED, ResponseCode.NO_MODEM, cause)

    def close(self) -> None:
        """Take nothing more, after the egresses' threads have ended. What waits stays in the spool for the next start.

        Who waits for its answer gets it as it stands. What is not in the spool ends, and its senders are told.
        """
        with self._lock:
            self._closed = True
        staying = []
        for record in self.records.open():
            if record.state is State.SENDING:  # its egress' thread did not end in time
                cause = _("the gateway stopped before the network answered")
                self._end(record, State.UNCONFIRMED, ResponseCode.UNCONFIRMED, cause)
            elif record.follows is not None or self._stays(record):
                if record.follows is None:
                    staying.append(record)
                with self._lock:
                    callbacks = self._waiters.pop(record.message_id, ())
                self._notices.answer(record, callbacks)
            else:
                self._end(record, State.FAILED, ResponseCode.NO_MODEM, _("the gateway is stopping; it was not sent"))
        if staying:
            logger.info("%d messages wait in the spool; they will be sent after the next start", len(staying))
        self.note_ended()
        self._save()
        self._notes.close(staying)
        self._journal.close()
        self._spool.close()

    def _stays(self, record: Record) -> bool:
        """Whether the next start can go on with a message of which nothing went out."""
        return self._spool.holds(record) and not (record.again or record.progress.references)


def _is_reported(record: Record) -> bool:
    """Whether a status report may come on a message: those are of SMS (3GPP TS 23.040 3.2.9)."""
    if record.channel is not Channel.SMS or record.follows is not None:
        return False
    status = record.status
    return status.state in REPORTED_ON and status.egress is not None
