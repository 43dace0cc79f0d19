"""From the queue to the end: which modem gets a message, what follows from each outcome, and who is told."""

import logging
import threading
import time
from collections import Counter, deque
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
        self._to_note: deque[Record] = deque()
        self._stopping = threading.Event()
        self._closed = False

    # -- taking in (any thread) -------------------------------------------------------------------------------------

    def take(self, record: Record) -> Record:
        """Queue a record by the best modem; give the earlier record where this one is its duplicate.

        Raises:
            Refused: no modem may send it (1101), or no queue has room or time for it (1205).
        """
        with self._lock:
            if record.digest and (earlier := self.records.earlier(record.digest, self.rules.duplicate_window)):
                return earlier
            if self._closed:
                raise Refused(ResponseCode.NO_MODEM, "the gateway is stopping")
            worker = self._place(record)
            self.records.add(record)
            self._journal.taken(record)
            self._queue(record, worker)
        return record

    def refuse(self, record: Record, state: State, refused: Refused) -> None:
        """End a message that is not taken in, so that report, log and counters have it, and its state can be asked."""
        record.digest = b""  # the same message may be taken in later
        with self._lock:
            self.records.add_refused(record)
        self._end(record, state, refused.code, refused.cause)

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
        if (together := self._companions_worker(record)) in candidates:
            candidates = [together]
        remaining = record.deadline - time.monotonic()
        for worker in candidates:
            wait = worker.load(bulk=record.bulk) * worker.seconds_per_message
            if wait <= remaining and not worker.queue.full(bulk=record.bulk):
                self._turn += 1
                worker.turn = self._turn
                return worker
        soonest = min(worker.load(bulk=record.bulk) * worker.seconds_per_message for worker in candidates)
        raise Refused(
            ResponseCode.QUEUE_FULL,
            "the queue is full" if soonest <= remaining else "it could not be sent before it expires",
            retry_after=max(1, round(min(soonest, 60))),
        )

    def _companions_worker(self, record: Record) -> ModemWorker | None:
        """Find where earlier messages to the same receiver wait; they leave a modem that is of no use first."""
        companions = self._on_the_way.get(record.receiver)
        if not companions:
            return None
        worker = self._workers.get(companions[-1].modem or "")
        if worker is not None and not self._may_wait_for(worker, time.monotonic()):
            self._hand_over(worker, only_ready=False)
            worker = self._workers.get(companions[-1].modem or "")
        return worker

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
                turn=worker.turn,
                usable=worker.name not in record.excluded and self._may_wait_for(worker, now),
            )
            for worker in self._workers.values()
            if (worker.send_from_api if record.only is None else record.only == worker.name)
        ]
        # A modem that a person chose is asked whatever its prefixes are.
        ranked = choose(targets, record.receiver, fail_over=self.rules.fail_over or record.only is not None)
        return [self._workers[target.name] for target in ranked if target.ready or not only_ready]

    def _may_wait_for(self, worker: ModemWorker, now: float) -> bool:
        state = worker.status.state  # read once: its thread may change it at any time
        if state in (ModemState.STARTING, ModemState.RECOVERING):
            return now - worker.usable_since_loss <= self.rules.modem_grace
        return state is ModemState.READY

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

    def sent(self, record: Record) -> None:
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
            if record.state.final:
                return
            record.again = True
            record.state = State.QUEUED
            if found := self._uses(worker):
                worker.queue.put_back(record)
            elif not record.progress.references:
                found = self._move(worker, record, leave=False)
        if not found:
            self._end(record, State.UNCONFIRMED, ResponseCode.UNCONFIRMED, _cause(error))

    def not_sent(self, worker: ModemWorker, record: Record, error: NotSent) -> None:
        """Try again, by this modem or, when its attempts are used up, by another; end the record if there is none."""
        begun = bool(record.progress.references)
        used_up = not isinstance(error, ModemLost) and record.attempts >= self.rules.attempts
        if begun and used_up:
            self._end(record, State.FAILED, ResponseCode.FAILED, _cause(error))
            return
        unfit = used_up or isinstance(error, ModemUnfit)
        if unfit and not begun:
            record.excluded |= {worker.name}
            record.attempts = 0
        with self._lock:
            if record.state.final:
                return
            record.state = State.QUEUED
            if not begun and not record.again:
                self._journal.taken(record)  # it is certain that it did not go out: it only waits again
            found = used = self._uses(worker)
            if used and (begun or (error.retry_after and not unfit)):
                worker.queue.put_back(record)  # parts are out, or it is a matter of waiting: the same modem goes on
            else:
                found = not begun and self._move(worker, record, leave=used and not unfit)
        if not found:
            self._end(record, State.FAILED, ResponseCode.FAILED, _cause(error))

    def modem_changed(self, worker: ModemWorker) -> None:
        """Hand the queue of a modem that cannot send to others that can."""
        with self._lock:
            ready = [one for one in self._workers.values() if one.status.state is ModemState.READY]
            if ready and worker not in ready:
                self._hand_over(worker, only_ready=True)

    @property
    def grace(self) -> float:
        """Seconds for which messages wait for a modem that was lost."""
        return self.rules.modem_grace

    def _uses(self, worker: ModemWorker) -> bool:
        """Whether a modem is still one of the settings', as it was made."""
        return self._workers.get(worker.name) is worker

    def _hand_over(self, worker: ModemWorker, *, only_ready: bool) -> None:
        """Queue what waits for a modem by others; messages to one receiver go to the same one, in their order."""
        followed: dict[str, ModemWorker] = {}
        staying: set[str] = set()
        for record in worker.queue.waiting():
            if record.receiver in staying:
                continue
            other = None
            if _may_change(record):
                other = followed.get(record.receiver)
                if other is None or other.name in record.excluded:
                    other = self._other(worker, record, only_ready=only_ready)
            if other is not None and worker.queue.remove(record):
                followed[record.receiver] = other
                self._queue(record, other)
            elif only_ready:
                staying.add(record.receiver)  # the next ones to this receiver stay behind this one

    def _other(self, worker: ModemWorker, record: Record, *, only_ready: bool) -> ModemWorker | None:
        for other in self._candidates(record, only_ready=only_ready):
            if other is not worker and not other.queue.full(bulk=record.bulk):
                return other
        return None

    def _move(self, worker: ModemWorker, record: Record, *, leave: bool) -> bool:
        """Queue a record by another modem, its companions behind it.

        With `leave` only a modem that is ready will do; else the record is put back in front.
        """
        if other := self._other(worker, record, only_ready=leave):
            self._queue(record, other)
            for companion in self._on_the_way.get(record.receiver, []):
                may = companion is not record and _may_change(companion) and other.name not in companion.excluded
                if may and worker.queue.remove(companion):
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
            if record.again and not state.went_out:  # the first attempt may be with the receiver
                state, code = State.UNCONFIRMED, ResponseCode.UNCONFIRMED
            record.state, record.code, record.cause = state, code, cause
            record.finished = time.time()
            record.segments = record.progress.segments
            record.progress.before_dispatch = record.progress.meanwhile = _nothing  # they hold on to the modem's thread
            record.text = None
            callbacks, record.callbacks = record.callbacks, []
            companions = self._on_the_way.get(record.receiver)
            if companions is not None and record in companions:
                companions.remove(record)
                if not companions:
                    del self._on_the_way[record.receiver]
            self.ended[state.value, record.origin.ingress] += 1
        self._journal.ended(record)
        self._to_note.append(record)
        for callback in callbacks:
            try:
                callback()
            except Exception:  # a fault of whoever waits must not look like one of the modem whose thread this is
                logger.exception("the end of message %s could not be told", record.message_id)

    def note_ended(self) -> None:
        """Write log and report of what ended: on a modem's thread while the network has its next message, or later."""
        while self._to_note:
            try:
                record = self._to_note.popleft()
            except IndexError:  # another thread was quicker
                return
            self._note(record)

    def _note(self, record: Record) -> None:
        self._report.append(record)
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
        left: list[Record] = []
        with self._lock:
            before, self._workers = self._workers, {worker.name: worker for worker in workers}
            for worker in before.values():
                if not self._uses(worker):
                    left += self._give_up(worker)
        for record in left:
            self._end(record, State.FAILED, ResponseCode.NO_MODEM, "its modem was removed from the settings")

    def restore(self) -> None:
        """Take over what an earlier run of the gateway left in the journal."""
        for record in self._journal.replay():
            with self._lock:
                self.records.add(record)
            if record.finished is None:
                record.finished = time.time()
                self._to_note.append(record)
        self._compact()

    # -- housekeeping (a thread of its own) -------------------------------------------------------------------------

    def run(self) -> None:
        """Expire what waits too long, give up on modems that stay away, and flush the report, until `stop`."""
        flushed = time.monotonic()
        while not self._stopping.wait(_SWEEP):
            self.note_ended()
            self._sweep()
            now = time.monotonic()
            if now - flushed >= _FLUSH or self._report.full:
                self._report.flush()
                flushed = now
        self.note_ended()
        self._report.flush()

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    def _sweep(self) -> None:
        now = time.monotonic()
        for worker in self.workers():
            for record in worker.queue.waiting():
                if now >= record.deadline and worker.queue.remove(record):
                    self._expire(record)
            if worker.queue:
                self.modem_changed(worker)  # another one may have become ready
            if worker.queue and not self._may_wait_for(worker, now):
                self._abandon(worker)
        if self._journal.wants_compaction:
            self._compact()

    def _compact(self) -> None:
        with self._lock:
            try:
                self._journal.compact(self.records.latest())
            except OSError as error:
                logger.error("the journal cannot be written anew: %s", error)  # noqa: TRY400 - the reason says it all

    def _abandon(self, worker: ModemWorker) -> None:
        with self._lock:
            left = self._give_up(worker)
        cause = f"no modem is connected that may send this: {worker.name} is {worker.status.state.value}"
        for record in left:
            self._end(record, State.FAILED, ResponseCode.NO_MODEM, cause)

    def _give_up(self, worker: ModemWorker) -> list[Record]:
        """Wait no longer for a modem: its queue goes to others, also to such as may send later; give what is left."""
        self._hand_over(worker, only_ready=False)
        return [record for record in worker.queue.waiting() if worker.queue.remove(record)]

    def close(self) -> None:
        """Take nothing more and end what still waits (its senders are told), after the modems' threads have ended."""
        with self._lock:
            self._closed = True
        for record in self.records.open():
            if record.state is State.SENDING:  # its modem's thread did not end in time
                cause = "the gateway stopped before the network answered"
                self._end(record, State.UNCONFIRMED, ResponseCode.UNCONFIRMED, cause)
            else:
                self._end(record, State.FAILED, ResponseCode.NO_MODEM, "the gateway is stopping; it was not sent")
        self.note_ended()
        self._report.flush()
        self._journal.close()


def _nothing() -> None:
    """Stand for what a modem may call no more."""


def _may_change(record: Record) -> bool:
    """Whether another modem may send a record: not where a person chose one, or parts of it went out."""
    return record.only is None and not record.progress.references


def _cause(error: SendError) -> str:
    return f"{error.cause} ({error.code})" if error.code else error.cause
