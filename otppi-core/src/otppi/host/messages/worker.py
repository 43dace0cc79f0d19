"""A modem's own thread: opens the modem, sends what its queue holds, and opens it again when it was lost."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, TypeVar

from otppi.api.errors import ModemBlocked, ModemLost, ModemUnfit, NotSent, Rejected, Trouble, Unconfirmed
from otppi.api.message import OutgoingMessage
from otppi.api.modem import Modem, ModemState
from otppi.host.messages.queue import ModemQueue
from otppi.host.meter.meter import Account
from otppi.host.modems.healer import Healer
from otppi.host.modems.power_supply import PowerSupply
from otppi.host.modems.recovery import DEFAULT_SCHEDULE, Schedule
from otppi.host.records.record import Record
from otppi.kit.net.back_off import Backoff

logger = logging.getLogger(__name__)

_REOPEN_CAP = 2.0
"""A modem that comes back is used again within this time and what opening it takes."""
_SEARCH_CAP = 5.0
"""The same for one without network: to make it ready again and again disturbs its search."""
_SOONEST = 0.5
"""Not even what may have come back is opened sooner than this: two modems may wake each other for one device."""
_IDLE = 30.0
_QUARANTINE = 60.0


T = TypeVar("T")


class Dispatcher(Protocol):
    """What the worker asks of the gateway. All of it is called on the worker's thread."""

    def start_sending(self, worker: "ModemWorker", record: Record) -> bool:
        """Mark a record as being sent; False where it has expired or ended meanwhile."""

    def dispatched(self, record: Record) -> None:
        """Note that the network may have the message from now on."""

    def sent(self, record: Record) -> None:
        """Note that the SMSC accepted every part."""

    def note_ended(self) -> None:
        """Do the paperwork of messages that ended: there is time for it while the network has the next one."""

    def not_sent(self, worker: "ModemWorker", record: Record, error: NotSent) -> None:
        """Find another way for a record of which nothing went out, or end it."""

    def rejected(self, record: Record, error: Rejected) -> None:
        """End a record that was refused for good."""

    def unconfirmed(self, worker: "ModemWorker", record: Record, error: Unconfirmed) -> None:
        """End a record that may or may not have gone out."""

    def modem_changed(self, worker: "ModemWorker") -> None:
        """Look at the queue of a modem whose state changed."""

    @property
    def grace(self) -> float:
        """Seconds for which a modem that was lost counts as recovering."""


@dataclass(frozen=True, slots=True)
class ModemStatus:
    """The state of a modem, and since when (Unix seconds)."""

    state: ModemState
    detail: str
    since: float


_Job = Callable[[], None]


class ModemWorker:
    """One modem with its queue and its thread (whose owner is the supervisor: `run` is the thread's body)."""

    def __init__(
        self,
        name: str,
        modem: Modem,
        dispatcher: Dispatcher,
        *,
        queue_size: int,
        prefixes: tuple[str, ...] = (),
        default: bool = False,
        send_from_api: bool = True,
        delivery_reports: bool = True,
        account: Account | None = None,
        schedule: Schedule = DEFAULT_SCHEDULE,
        power_supply: PowerSupply | None = None,
    ) -> None:
        self.name = name
        self.modem = modem
        self.queue = ModemQueue(queue_size)
        self.prefixes = prefixes
        self.default = default
        self.send_from_api = send_from_api
        self.delivery_reports = delivery_reports
        self.account = account or Account(name)
        self.status = ModemStatus(ModemState.STARTING, "", time.time())
        self.usable_since_loss = time.monotonic()
        self.unfit_until = 0.0
        self.turn = 0
        self.sent = 0
        self.seconds_per_message = 0.0
        self.sending: Record | None = None
        self.healer = Healer(name, modem, schedule)
        self._power_supply = power_supply
        self._just_sent: Record | None = None
        self._handed_over = False
        self._dispatcher = dispatcher
        self._stopping = threading.Event()
        self._idle = False
        self._open = False
        self._jobs: deque[_Job] = deque()
        self._jobs_lock = threading.Lock()
        self._takes_jobs = True
        self._called = threading.Event()
        self._retry = False

    # -- any thread -------------------------------------------------------------------------------------------------

    def put(self, record: Record) -> None:
        """Queue a record."""
        self.queue.put(record)
        if self._idle:
            self.modem.wake()

    def call(self, job: Callable[[Modem], T], *, closed: bool = False) -> "Future[T]":
        """Let the modem's thread do something with the modem between two messages.

        Where the modem is not open, the future gets ModemLost at once, unless the job can do with a `closed` one; where
        its thread has ended, in either case. A future that is cancelled before its turn is not carried out.
        """
        future: Future[T] = Future()

        def body() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                if not (self._open or closed):
                    raise self._not_open()  # noqa: TRY301 - as if the job had found it out
                future.set_result(job(self.modem))
            except BaseException as error:  # noqa: BLE001 - raised again by whoever asks for the result
                future.set_exception(error)

        with self._jobs_lock:
            taken = self._takes_jobs
            if taken:
                self._jobs.append(body)
        if not taken:
            future.set_exception(self._not_open())
            return future
        self._called.set()
        self.modem.wake()
        return future

    def _not_open(self) -> ModemLost:
        return ModemLost(f"the modem is {self.status.state.value}: {self.status.detail or 'being opened'}")

    def retry_now(self) -> None:
        """Open the modem at once where it waits to be opened again: what kept it from working may be gone."""
        self._retry = True
        self._called.set()

    def stop(self) -> None:
        """End the thread after the message that is being sent."""
        self._stopping.set()
        self._called.set()
        self.modem.wake()

    def load(self, *, bulk: bool = False) -> int:
        """Count the messages before a new one, the one being sent included."""
        return self.queue.ahead_of(bulk) + (self.sending is not None)

    def rate_wait(self, *, bulk: bool) -> float:
        """Give the seconds until the modem's rate lets a new message go, after those that wait."""
        return self.account.pace.delay(time.monotonic(), self.queue.ahead_of(bulk))

    # -- the modem's thread -----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Keep the modem open and send, until `stop`; no job is left over, even when the driver fails."""
        with self._jobs_lock:
            self._takes_jobs = True
        try:
            self._keep_open()
        finally:
            with self._jobs_lock:
                self._takes_jobs = False
            self._do_jobs()

    def _keep_open(self) -> None:
        backoff = Backoff(0.2, _SEARCH_CAP)
        while not self._stopping.is_set():
            pause = 0.0
            try:
                self._use(backoff)
            except ModemBlocked as error:
                self._change(ModemState.BLOCKED, error.cause)
                pause = self._recover(error, backoff)
            except ModemLost as error:
                self._lost(error.cause, error.trouble)
                pause = self._recover(error, backoff)
            except Exception as error:
                self._lost(f"its driver failed ({type(error).__name__})", Trouble.FAULTY)
                raise
            self._pause(pause)
        self._change(ModemState.STOPPED, "")

    def _pause(self, seconds: float) -> None:
        """Wait before the modem is opened again; jobs are done meanwhile, and `stop` ends it."""
        began = time.monotonic()
        while not self._stopping.is_set():
            self._do_jobs()
            left = began + (min(seconds, _SOONEST) if self._retry else seconds) - time.monotonic()
            if left <= 0 or not self._called.wait(left):
                return
            self._called.clear()

    def _do_jobs(self) -> None:
        while self._jobs:
            self._jobs.popleft()()

    def _recover(self, error: ModemLost, backoff: Backoff) -> float:
        """Do what may cure a modem that was lost; give the seconds until it is opened again."""
        pause = self.healer.heal(error, self._stopping.is_set)
        if pause is not None:
            return pause
        delay = backoff.delay()
        return delay if error.trouble is Trouble.NO_NETWORK else min(delay, _REOPEN_CAP)

    def _use(self, backoff: Backoff) -> None:
        """Open the modem and send; it is closed before anybody waits, since a port that is held cannot come back."""
        self._retry = False  # before it is opened: what comes up meanwhile is worth another try
        try:
            self.modem.open()
            backoff.reset()
            self._open = True
            self.healer.ready()
            self._change(ModemState.READY, "")
            self._serve()
        finally:
            self._open = False
            self.modem.close()

    def _serve(self) -> None:
        try:
            while not self._stopping.is_set():
                if self._jobs:
                    self._do_jobs()
                if self._pause_before_next():
                    record = None
                else:
                    record = self.queue.take(bulk=not self.account.quiet_left(bulk=True))
                if record is None:
                    self._tell_sent()
                    self._wait_for_work()
                elif self._dispatcher.start_sending(self, record):
                    self._send(record)
        finally:
            self._tell_sent()

    def _tell_sent(self) -> None:
        """End the message that was sent last. With the next one at hand that is done while the modem takes it in."""
        record, self._just_sent = self._just_sent, None
        if record is not None:
            self._dispatcher.sent(record)

    def _pause_before_next(self) -> float:
        """Give the seconds until a message may be taken: 0 where one is due."""
        if not self.queue:
            return _IDLE
        if not self.account.holds:
            return 0.0
        bulk = not self.queue.ahead_of(bulk=False)
        return min(max(self.account.pace.delay(time.monotonic()), self.account.quiet_left(bulk=bulk)), _IDLE)

    def _wait_for_work(self) -> None:
        self._idle = True
        try:
            # Looked at again after the flag is up: what was put in between did not wake us.
            pause = self._pause_before_next()
            if pause and not self._jobs and not self._stopping.is_set():
                self.modem.idle(pause)
        finally:
            self._idle = False

    def _send(self, record: Record) -> None:
        started = time.monotonic()
        self.sending = record
        try:
            self._attempt(record)
        except ModemLost as error:
            self.sending = None
            # Before the modem counts as lost, so that this message stays in front of those that follow it elsewhere.
            self._dispatcher.not_sent(self, record, error)
            raise
        except NotSent as error:
            self.sending = None
            if isinstance(error, ModemUnfit):
                self.unfit_until = time.monotonic() + _QUARANTINE
            self._dispatcher.not_sent(self, record, error)
            self._rest(error.retry_after)
        except Rejected as error:
            self.sending = None
            self._dispatcher.rejected(record, error)
        except Unconfirmed as error:
            self.sending = None
            self._dispatcher.unconfirmed(self, record, error)
        except Exception as error:
            self.sending = None
            unknown = Unconfirmed(f"the modem's driver failed ({type(error).__name__})")
            self._dispatcher.unconfirmed(self, record, unknown)
            raise
        else:
            self.sending = None
            self._measure(time.monotonic() - started)
            self._just_sent = record

    def _attempt(self, record: Record) -> None:
        record.progress.before_dispatch = lambda: self._dispatched(record)
        record.progress.meanwhile = self._meanwhile
        self._handed_over = False
        try:
            self.modem.send(self._message(record))
        finally:
            self._tell_sent()  # of the message before, where the modem did not come so far

    def _dispatched(self, record: Record) -> None:
        if not record.progress.references:  # a message of several parts counts once
            self.account.pace.sent(time.monotonic())
        self._dispatcher.dispatched(record)
        self._handed_over = True

    def _meanwhile(self) -> None:
        """Use the time in which modem or network is waited for: most of it comes after the message was handed over."""
        if self._just_sent is not None and (self._handed_over or self._just_sent.callbacks):
            self._tell_sent()  # at once where its sender waits
        if not self._handed_over:
            return
        self._dispatcher.note_ended()
        if (record := self.queue.peek()) and not record.progress.references:
            self.modem.prepare(self._message(record))

    def _rest(self, seconds: float) -> None:
        """Let the network be for some seconds; what wakes the modem does not shorten them, but `stop` does."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._stopping.is_set():
            self.modem.idle(left)

    def _message(self, record: Record) -> OutgoingMessage:
        return OutgoingMessage(
            message_id=record.message_id,
            destination=record.receiver,
            text=record.text or "",
            validity=max(record.left(), 0.0),
            flash=record.flash,
            report=self.delivery_reports,
            again=record.again,
            progress=record.progress,
        )

    def _measure(self, seconds: float) -> None:
        self.sent += 1
        self.unfit_until = 0.0
        weight = 0.1 if self.seconds_per_message else 1.0
        self.seconds_per_message += weight * (seconds - self.seconds_per_message)

    def _lost(self, cause: str, trouble: Trouble) -> None:
        now = time.monotonic()
        if self._power_supply and trouble in (Trouble.ABSENT, Trouble.SILENT) and (hint := self._power_supply.hint()):
            cause = f"{cause}; {hint}"
        if self.status.state in (ModemState.READY, ModemState.BLOCKED):
            self.usable_since_loss = now
        if now - self.usable_since_loss > self._dispatcher.grace:
            self._change(ModemState.ABSENT, cause)
        elif self.status.state is ModemState.STARTING:
            self._change(ModemState.STARTING, cause)
        else:
            self._change(ModemState.RECOVERING, cause)

    def _change(self, state: ModemState, detail: str) -> None:
        before = self.status
        if (before.state, before.detail) == (state, detail):
            return
        self.status = ModemStatus(state, detail, time.time())
        log: Callable[..., None] = logger.info if state in (ModemState.READY, ModemState.STOPPED) else logger.warning
        log("modem %s is %s%s", self.name, state.value, f": {detail}" if detail else "")
        self._dispatcher.modem_changed(self)
