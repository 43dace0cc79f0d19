"""From the queue to the end: which modem gets a message, what follows from each outcome, and who is told."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from otppi.api.errors import ModemLost, ModemUnfit, NotSent, OtpPiError, Rejected, SendError, Unconfirmed
from otppi.api.message import State
from otppi.api.modem import ModemState
from otppi.host.journal import Journal
from otppi.host.lifecycle import Record, Records
from otppi.host.report import Report
from otppi.host.routing import Target, choose
from otppi.host.worker import ModemWorker
from otppi.wire.envelope import ResponseCode

logger = logging.getLogger(__name__)

_SWEEP = 0.5
_FLUSH = 60.0


class Refused(OtpPiError):  # noqa: N818
    """A message that is not taken in; `retry_after` in seconds where trying again may help."""

    def __init__(self, code: ResponseCode, cause: str, *, retry_after: int | None = None) -> None:
        super().__init__(cause)
        self.code = code
        self.cause = cause
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that the dispatcher works by (section `sms`)."""

    duplicate_window: float
    attempts: int
    modem_grace: float
    fail_over: bool
    resend_unconfirmed: bool


class Dispatch:
    """Owns the records, the modems' workers and the order of messages to one receiver.

    One lock guards the states of records and what queue they are in. Nothing blocks while it is held.
    """

    def __init__(self, rules: Rules, journal: Journal, report: Report) -> None:
        self.rules = rules
        self.records = Records(journal.key)
        self.ended = Counter[tuple[str, str]]()
        self._journal = journal
        self._report = report
        self._lock = threading.Lock()
        self._workers: dict[str, ModemWorker] = {}
        self._turn = 0
        # Messages to one receiver stay in order: while one is on its way, the next ones follow it to the same modem.
        self._on_the_way: dict[str, list[Record]] = {}
        self._due = threading.Event()
        self._stopping = False

    # -- taking in (any thread) -------------------------------------------------------------------------------------

    def take(self, record: Record) -> Record:
        """Queue a record by the best modem; give the earlier record where this one is its duplicate.

        Raises:
            Refused: no modem may send it (1101), or no queue has room or time for it (1205).
        """
        with self._lock:
            if record.digest and (earlier := self.records.earlier(record.digest, self.rules.duplicate_window)):
                return earlier
            worker = self._place(record)
            self.records.add(record)
            self._journal.taken(record)
            self._queue(record, worker)
        return record

    def on_end(self, record: Record, callback: Callable[[], None]) -> bool:
        """Call back once when the record ends; False (and no call) where it has ended."""
        with self._lock:
            if record.state.final:
                return False
            record.callbacks.append(callback)
            return True

    def forget_callback(self, record: Record, callback: Callable[[], None]) -> None:
        """Take back an `on_end`, whose waiter has gone."""
        with self._lock:
            if callback in record.callbacks:
                record.callbacks.remove(callback)

    def wait(self, record: Record, seconds: float) -> bool:
        """Wait for the end of a record; False where it has not ended in time."""
        ended = threading.Event()
        if not self.on_end(record, ended.set):
            return True
        if ended.wait(max(0.0, seconds)):
            return True
        self.forget_callback(record, ended.set)
        return False

    def _place(self, record: Record) -> ModemWorker:
        candidates = self._candidates(record)
        if not candidates:
            raise Refused(ResponseCode.NO_MODEM, "no modem is connected that may send this")
        companions = self._on_the_way.get(record.receiver)
        if companions and (together := self._workers.get(companions[-1].modem or "")) in candidates:
            candidates = [together]
        remaining = record.deadline - time.monotonic()
        for worker in candidates:
            wait = worker.load(bulk=record.bulk) * worker.seconds_per_message
            if wait <= remaining and not worker.queue.full(bulk=record.bulk):
                self._turn += 1
                return worker
        soonest = min(worker.load(bulk=record.bulk) * worker.seconds_per_message for worker in candidates)
        raise Refused(
            ResponseCode.QUEUE_FULL,
            "the queue is full" if soonest <= remaining else "it could not be sent before it expires",
            retry_after=max(1, round(min(soonest, 60))),
        )

    def _candidates(self, record: Record, *, only_ready: bool = False) -> list[ModemWorker]:
        now = time.monotonic()
        targets = [
            Target(
                name=worker.name,
                prefixes=worker.prefixes,
                default=worker.default,
                ready=worker.status.state is ModemState.READY,
                unfit=worker.unfit_until > now,
                load=worker.load(bulk=record.bulk),
            )
            for worker in self._workers.values()
            if worker.name not in record.excluded
            and (worker.send_from_api if record.only is None else record.only == worker.name)
            and self._may_wait_for(worker, now)
        ]
        ranked = choose(targets, record.receiver, self._turn, fail_over=self.rules.fail_over)
        return [self._workers[target.name] for target in ranked if target.ready or not only_ready]

    def _may_wait_for(self, worker: ModemWorker, now: float) -> bool:
        if worker.status.state in (ModemState.STARTING, ModemState.RECOVERING):
            return now - worker.usable_since_loss <= self.rules.modem_grace
        return worker.status.state is ModemState.READY

    def _queue(self, record: Record, worker: ModemWorker) -> None:
        record.modem = worker.name
        companions = self._on_the_way.setdefault(record.receiver, [])
        if record not in companions:
            companions.append(record)
        worker.put(record)

    # -- outcomes (each on its modem's thread) ----------------------------------------------------------------------

    def start_sending(self, worker: ModemWorker, record: Record) -> bool:
        """Mark a record as being sent; False where it has expired or ended meanwhile."""
        if time.monotonic() >= record.deadline:
            self._expire(record)
            return False
        with self._lock:
            if record.state is not State.QUEUED:
                return False
            record.state = State.SENDING
            record.modem = worker.name
            record.attempts += 1
            return True

    def dispatched(self, record: Record) -> None:
        """Note that the network may have the message from now on."""
        self._journal.dispatched(record)

    def sent(self, worker: ModemWorker, record: Record) -> None:
        """End a record that the SMSC accepted."""
        self._end(record, State.SENT, ResponseCode.SUCCESS, None)

    def rejected(self, record: Record, error: Rejected) -> None:
        """End a record that was refused for good."""
        self._end(record, State.FAILED, ResponseCode.FAILED, _cause(error))

    def unconfirmed(self, worker: ModemWorker, record: Record, error: Unconfirmed) -> None:
        """End a record that may or may not have gone out, or send it once more where the administrator wants that."""
        if not self.rules.resend_unconfirmed or record.again:
            self._end(record, State.UNCONFIRMED, ResponseCode.UNCONFIRMED, _cause(error))
            return
        with self._lock:
            record.again = True
            record.state = State.QUEUED
            worker.queue.put_back(record)

    def not_sent(self, worker: ModemWorker, record: Record, error: NotSent) -> None:
        """Try again, by this modem or another; end the record when its attempts are used up."""
        if isinstance(error, ModemUnfit):
            record.excluded.add(worker.name)
        elif not isinstance(error, ModemLost) and record.attempts >= self.rules.attempts:
            self._end(record, State.FAILED, ResponseCode.FAILED, _cause(error))
            return
        with self._lock:
            record.state = State.QUEUED
            if record.progress.references or (error.retry_after and not isinstance(error, ModemUnfit)):
                found = True  # parts are out, or it is a matter of waiting: the same modem goes on
                worker.queue.put_back(record)
            else:
                found = self._move(worker, record, leave=not isinstance(error, ModemUnfit))
        if not found:
            self._end(record, State.FAILED, ResponseCode.FAILED, _cause(error))

    def modem_changed(self, worker: ModemWorker) -> None:
        """Hand the queue of a modem that cannot send to others that can."""
        if worker.status.state is ModemState.READY:
            return
        with self._lock:
            for record in worker.queue.waiting():
                if record.progress.references:
                    continue  # parts of it went out by this modem
                if (other := self._other(worker, record)) and worker.queue.remove(record):
                    self._queue(record, other)

    def _other(self, worker: ModemWorker, record: Record) -> ModemWorker | None:
        for other in self._candidates(record, only_ready=True):
            if other is not worker and not other.queue.full(bulk=record.bulk):
                return other
        return None

    def _move(self, worker: ModemWorker, record: Record, *, leave: bool) -> bool:
        """Queue a record by another modem that is ready, its companions behind it; else put it back in front."""
        if other := self._other(worker, record):
            self._queue(record, other)
            for companion in self._on_the_way.get(record.receiver, []):
                if companion is not record and worker.queue.remove(companion):
                    self._queue(companion, other)
            return True
        if leave:
            worker.queue.put_back(record)
        return leave

    def _expire(self, record: Record) -> None:
        self._end(record, State.EXPIRED, ResponseCode.QUEUE_FULL, "it could not be sent before it expired")

    def _end(self, record: Record, state: State, code: ResponseCode, cause: str | None) -> None:
        with self._lock:
            if record.state.final:
                return
            record.state, record.code, record.cause = state, code, cause
            record.finished = time.time()
            record.segments = record.progress.segments
            record.text = None
            callbacks, record.callbacks = record.callbacks, []
            companions = self._on_the_way.get(record.receiver)
            if companions is not None and record in companions:
                companions.remove(record)
                if not companions:
                    del self._on_the_way[record.receiver]
            self.ended[state.value, record.origin.ingress] += 1
        self._journal.ended(record)
        self._note(record)
        for callback in callbacks:
            callback()

    def _note(self, record: Record) -> None:
        if self._report.append(record):
            self._due.set()
        logger.info(
            "message %s to %s from %s/%s by %s: %s%s",
            record.message_id,
            record.receiver_shown,
            record.origin.ingress,
            record.origin.sender.name,
            record.modem,
            record.state.value,
            f" ({record.cause})" if record.cause else "",
        )

    # -- the modems (main thread) -----------------------------------------------------------------------------------

    def workers(self) -> list[ModemWorker]:
        """List the modems' workers in the order of the settings."""
        return list(self._workers.values())

    def use(self, workers: Iterable[ModemWorker]) -> None:
        """Replace the set of modems; what waits for one that is gone goes to others or fails."""
        with self._lock:
            before, self._workers = self._workers, {worker.name: worker for worker in workers}
        for worker in before.values():
            if self._workers.get(worker.name) is not worker:
                self._abandon(worker, "its modem was removed from the settings")

    def restore(self) -> None:
        """Take over what an earlier run of the gateway left in the journal."""
        for record in self._journal.replay():
            with self._lock:
                self.records.add(record)
            if record.finished is None:
                record.finished = time.time()
                self._journal.ended(record)
                self._note(record)

    # -- housekeeping (a thread of its own) -------------------------------------------------------------------------

    def run(self) -> None:
        """Expire what waits too long, give up on modems that stay away, and flush the report, until `stop`."""
        flushed = time.monotonic()
        while not self._stopping:
            due = self._due.wait(_SWEEP)
            self._sweep()
            if due or time.monotonic() - flushed >= _FLUSH:
                self._due.clear()
                self._report.flush()
                flushed = time.monotonic()
        self._report.flush()

    def stop(self) -> None:
        """End `run`."""
        self._stopping = True
        self._due.set()

    def _sweep(self) -> None:
        now = time.monotonic()
        for worker in self.workers():
            for record in worker.queue.waiting():
                if now >= record.deadline and worker.queue.remove(record):
                    self._expire(record)
            if worker.queue and not self._may_wait_for(worker, now):
                self._abandon(worker, f"no modem is connected that may send this: {worker.name} is {worker.status.state.value}")
        if self._journal.wants_compaction:
            with self._lock:
                self._journal.compact(self.records.latest())

    def _abandon(self, worker: ModemWorker, cause: str) -> None:
        for record in worker.queue.waiting():
            if not worker.queue.remove(record):
                continue
            with self._lock:
                moved = self._move(worker, record, leave=False)
            if not moved:
                self._end(record, State.FAILED, ResponseCode.NO_MODEM, cause)

    def close(self) -> None:
        """End what still waits (its senders are told), after the modems' threads have ended."""
        for record in self.records.open():
            self._end(record, State.FAILED, ResponseCode.NO_MODEM, "the gateway is stopping; it was not sent")
        self._report.flush()
        self._journal.close()


def _cause(error: SendError) -> str:
    return f"{error.cause} ({error.code})" if error.code else error.cause
