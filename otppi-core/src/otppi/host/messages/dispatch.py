"""From taking a message in to its end, over restarts: what comes in, what waits, and what is kept."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from otppi.api.egress import Channel
from otppi.api.events import MessageTaken
from otppi.api.message import State
from otppi.host.durable.in_flight import InFlight
from otppi.host.durable.journal import Journal
from otppi.host.durable.report import Report
from otppi.host.durable.restart import left_behind
from otppi.host.durable.spool import Spool
from otppi.host.messages.attempts import Attempts
from otppi.host.messages.followers import Followers, goes_itself, own_of
from otppi.host.messages.life_cycle import is_reported
from otppi.host.messages.placement import PlacementRules
from otppi.host.messages.record_events import event_of
from otppi.host.messages.refusal import NotAccepted
from otppi.host.messages.trial import TriedModem, tried
from otppi.host.messages.worker import AnyWorker
from otppi.host.meter.file import UsageFile
from otppi.host.records.record import Record
from otppi.host.runtime.events import EventBus
from otppi.kit.token_bucket import TokenBucket
from otppi.text import _
from otppi.text.states import egress_said
from otppi.wire.envelope import ResponseCode

__all__ = ["Dispatch", "PlacementRules"]

logger = logging.getLogger(__name__)

_SWEEP = 0.5
_SAVE = 60.0
_FREE_REFUSALS = 1_000.0
_REFUSALS_PER_SECOND = 1.0


class Dispatch(Attempts):
    """Takes messages in, ends those that expire, and goes on with what an earlier run left.

    `LifeCycle` owns the records, their lock and their ends; `Attempts` decides what follows from an attempt to send.
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
        super().__init__(rules, journal, spool, notes, report, events)
        self.is_blocked = is_blocked
        self.each_minute: list[Callable[[], None]] = []
        self._usage = usage
        self._restored: list[Record] = []
        self._followers = Followers()
        self._refusals = TokenBucket(_FREE_REFUSALS, _REFUSALS_PER_SECOND)
        self._stopping = threading.Event()

    # -- taking in (any thread) -------------------------------------------------------------------------------------

    def enqueue(self, record: Record) -> Record:
        """Queue a record by the best egress; return the earlier record where this one is its duplicate.

        Raises:
            NotAccepted: none may send it (1101), or no queue has room or time for it (1205).
        """
        ours = not record.content.origin.kept_by_source
        # Made now: as soon as it is queued, a modem's thread may be further with it.
        event = event_of(MessageTaken, record) if self._events.wants(MessageTaken) else None
        taken = self._enqueue(record, ours=ours)
        if event is not None and taken is record:
            self._events.publish(event)
        return taken

    def _enqueue(self, record: Record, *, ours: bool) -> Record:
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
            self.counts.taken[record.content.origin.ingress] += 1
            if ours:
                self._spool.store(record)
                if first is None:
                    self._notes.watch(record)
            self._journal.taken(record)
            if first is None:
                self._placement.queue(record, worker)
        return record

    def is_quick(self) -> bool:
        """Whether `enqueue` would wait for nothing now: the spool is ready, and nobody holds the lock.

        It is held for a moment by the egresses, but for long where the journal is written anew, or egresses leave.
        """
        return self._spool.is_ready and not self._lock.locked()

    def is_duplicate(self, record: Record) -> bool:
        """Whether `enqueue` would send nothing; between this and that the earlier one may end."""
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
                self.counts.refused(record, state, refused.code)
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

    def tried(self, receiver: str) -> list[TriedModem]:
        """Return which modems a message to a receiver (an MSISDN) would ask now, in their order."""
        with self._lock:
            return tried(self._placement, receiver)

    def is_held(self, record: Record) -> bool:
        """Whether a message waits for an egress that cannot send it now."""
        return record.state is State.QUEUED and self._placement.is_held(record)

    # -- the egresses (main thread) ---------------------------------------------------------------------------------

    def replace_egresses(self, workers: Iterable[AnyWorker], channel: Channel = Channel.SMS) -> None:
        """Replace the egresses of a channel; what waits for one that is gone goes to others or fails."""
        with self._lock:
            left = self._placement.replace_egresses(workers, channel)
        cause = _("no {noun} may send it since the settings changed", noun=channel.noun)
        for record in left:
            self._end(record, State.FAILED, ResponseCode.NO_MODEM, cause)
        restored, self._restored = self._restored, []
        for record in restored:
            if record.channel is channel:
                self._queue_again(record)
            else:
                self._restored.append(record)

    def waits(self, channel: Channel) -> bool:
        """Whether a message of a channel has not come to its end."""
        with self._lock:
            return self.records.waits(channel)

    def restore(self) -> None:
        """Take over what an earlier run of the gateway left; `replace_egresses` queues again what waits."""
        behind = left_behind(self._journal, self._spool, self._notes, self._report)
        for record in behind.records:
            with self._lock:
                self.records.add(record)
                if is_reported(record):
                    self._receipts.expect(record)
            if not record.state.final:
                self._wait_after_restart(record)
                continue
            if record.finished is None:
                record.become(replace(record.status, finished=time.time()))
                self.counts.came_to(record)
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
        if record.remaining() <= 0:
            self._expire(record)
            return
        try:
            with self._lock:
                self._placement.queue(record, (place or self._placement.place)(record))
        except NotAccepted as refused:
            self._end(record, State.FAILED, refused.code, refused.cause)

    # -- housekeeping (a thread of its own) -------------------------------------------------------------------------

    def run(self) -> None:
        """Expire what waits too long, give up on egresses that stay away, and save what is kept, until `stop`."""
        saved = time.monotonic()
        while not self._stopping.wait(_SWEEP):
            self.note_ended()
            self._journal.flush()
            self._sweep()
            self._report.make_sums()
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
                if record.remaining() <= 0 and worker.queue.remove(record):
                    self._expire(record)
            if worker.queue:
                self._relieve(worker)  # another one may have become ready
            if worker.queue and not worker.held and not self._placement.may_wait_for(worker, now):
                self._abandon(worker)
        if self._journal.wants_compaction:
            self._compact()

    def _try_deferred(self) -> None:
        """Queue again what was put off and is due; what has expired meanwhile ends."""
        with self._lock:
            due = self._placement.deferred_due()
        for record in due:
            if record.remaining() <= 0:
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
                self.counts.came_to(record)
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
        state = egress_said(worker.status.state.value)
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
            if record.accepted:  # its egress' thread did not come to tell that: it hangs in the next one
                self.sent(record)
            elif record.state is State.SENDING:  # its egress' thread did not end in time
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
