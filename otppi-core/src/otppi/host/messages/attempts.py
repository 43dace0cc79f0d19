"""What follows from each attempt to send a message: it has ended, or waits, for the same egress or for another one."""

from collections.abc import Callable

from otppi.api.errors import Deferred, Lost, NotSent, Rejected, Unconfirmed, Unfit
from otppi.api.events import EgressChanged, MessageSending
from otppi.api.message import State
from otppi.host.messages.life_cycle import LifeCycle
from otppi.host.messages.record_events import event_of
from otppi.host.messages.worker import AnyWorker
from otppi.host.records.outcomes import cause_of
from otppi.host.records.record import Record, Status
from otppi.text import _
from otppi.wire.envelope import ResponseCode


class Attempts(LifeCycle):
    """Decides after each attempt (`otppi.host.messages.worker.Dispatcher`); each call is on its egress' thread.

    Attributes:
        is_blocked: Whether a receiver has been blocked.
    """

    is_blocked: Callable[[str], bool]

    def start_sending(self, worker: AnyWorker, record: Record) -> bool:
        """Mark a record as being sent; False where it has expired or ended meanwhile."""
        if record.remaining() <= 0:
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

    def dispatched(self, record: Record, accepted: Record | None) -> None:
        """Note that the network may have the message from now on, and that it accepted the one before."""
        if not self._journal.dispatched(record, accepted) and record.slot is not None:
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
