"""The worker of an egress: its queue, and sending what that holds on the egress' own thread."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from otppi.api.egress import SendHooks
from otppi.api.errors import Deferred, Lost, NotSent, Rejected, Unconfirmed, Unfit
from otppi.api.message import OutgoingMessage, State
from otppi.host.messages.egress_thread import E_co, EgressThread
from otppi.host.messages.queue import EgressQueue
from otppi.host.meter.meter import Account
from otppi.host.records.record import Record, Status
from otppi.text import _

logger = logging.getLogger(__name__)

_IDLE = 30.0
_QUARANTINE = 60.0


class Dispatcher(Protocol):
    """What the worker asks of the gateway. All of it is called on the worker's thread."""

    def start_sending(self, worker: "AnyWorker", record: Record) -> bool:
        """Mark a record as being sent; False where it has expired or ended meanwhile."""

    def dispatched(self, record: Record, accepted: Record | None) -> None:
        """Note that the network may have a message from now on.

        `accepted`: the one before it, where its end was not told yet (`sent`).
        """

    def sent(self, record: Record) -> None:
        """Note that all of it was accepted."""

    def is_awaited(self, record: Record) -> bool:
        """Whether somebody waits for the end of a message at this moment."""

    def note_ended(self) -> None:
        """Log and report messages that ended: there is time for it while the network has the next one."""

    def not_sent(self, worker: "AnyWorker", record: Record, error: NotSent) -> None:
        """Find another way for a record of which nothing went out, or end it."""

    def deferred(self, worker: "AnyWorker", record: Record, error: Deferred) -> None:
        """Put a record off whose receiver cannot have it now."""

    def rejected(self, record: Record, error: Rejected) -> None:
        """End a record that was refused for good."""

    def unconfirmed(self, worker: "AnyWorker", record: Record, error: Unconfirmed) -> None:
        """End a record that may or may not have gone out."""

    def egress_changed(self, worker: "AnyWorker") -> None:
        """Look at the queue of an egress whose state changed."""

    @property
    def grace(self) -> float:
        """Seconds for which an egress that was lost counts as recovering."""


@dataclass(frozen=True, slots=True)
class _Hooks:
    before_dispatch: Callable[[], None]
    meanwhile: Callable[[], None]


class Worker(EgressThread[E_co]):
    """One egress with its queue and its thread.

    Args:
        name: Its internal name, unique among all channels: `egress_name` of `otppi.host.records.names`.
        egress: What sends.
        dispatcher: Who decides about the messages.
        queue_size: Messages that may wait, for each priority.
        prefixes: First digits of the receivers that it is meant for.
        default: Whether it is meant for all others.
        send_from_api: Whether senders may use it, or only a person at the device.
        account: What it has sent, and its limits.
    """

    def __init__(
        self,
        name: str,
        egress: E_co,
        dispatcher: Dispatcher,
        *,
        queue_size: int,
        prefixes: tuple[str, ...] = (),
        default: bool = False,
        send_from_api: bool = True,
        account: Account | None = None,
    ) -> None:
        super().__init__(name, egress)
        # A status is frozen: all messages that it has share these.
        self.as_queued = Status(egress=name)
        self.as_sending = Status(State.SENDING, egress=name)
        self.queue = EgressQueue(queue_size)
        self.prefixes = prefixes
        self.default = default
        self.send_from_api = send_from_api
        self.account = account or Account(name)
        self.unfit_until = 0.0
        self.turn = 0
        self.sent = 0
        self.seconds_per_message = 0.0
        self.sending: Record | None = None
        self._send_message: Callable[[OutgoingMessage, SendHooks], None] = egress.send
        self._hooks = _Hooks(self._before_dispatch, self._meanwhile)
        self._rest_until = 0.0
        self._just_sent: Record | None = None
        self._took = 0.0
        self._prepared: OutgoingMessage | None = None
        # A message is in the queue, in hand, or noted for the rate: whoever counts finds it once.
        self._counting = threading.Lock()
        self._paced = False
        self._handed_over = False
        self._dispatcher = dispatcher
        self._idle = False

    # -- any thread -------------------------------------------------------------------------------------------------

    def put(self, record: Record) -> None:
        """Queue a record."""
        self.queue.put(record)
        if self._idle:
            self.egress.wake()

    def load(self, *, bulk: bool = False) -> int:
        """Count the messages before a new one, the one being sent included."""
        return self.queue.ahead_of(bulk) + (self.sending is not None)

    def rate_wait(self, *, bulk: bool) -> float:
        """Return the seconds until the rate lets a new message go, after those that wait and the one in hand."""
        with self._counting:
            in_hand = self.sending is not None and not self._paced
            return self.account.pace.delay(time.monotonic(), self.queue.ahead_of(bulk) + in_hand)

    def rest_left(self) -> float:
        """Return the seconds for which it sends nothing since it was found unfit; 0 where it may send."""
        if not self.unfit_until:
            return 0.0
        return max(0.0, min(self.unfit_until, self._rest_until) - time.monotonic())

    # -- its own thread ---------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        try:
            while not self._stopping.is_set():
                if self._jobs:
                    self._prepared = None  # a job may take long, and what is left of its life is in it
                    self._do_jobs()
                held = self._rest_until or self.account.holds  # else nothing but an empty queue has it wait
                record = None if held and self._pause_before_next() else self._take_next()
                if record is None:
                    self._tell_sent()
                    self._wait_for_work()
                elif self._dispatcher.start_sending(self, record):
                    self._send(record)
                else:
                    self.sending = None
        finally:
            self.sending = self._prepared = None
            self._tell_sent()

    def _take_next(self) -> Record | None:
        """Take a message in hand; None where the queue has none that may go now."""
        bulk = not (self.account.holds and self.account.quiet_left(bulk=True))
        with self._counting:
            self.sending = record = self.queue.pop(bulk=bulk)
            self._paced = record is not None and bool(record.progress.references)  # of several parts: counted with one
        return record

    def _tell_sent(self) -> None:
        """End the message that was sent last. With the next one at hand that is done while the network has that."""
        record, self._just_sent = self._just_sent, None
        if record is not None:
            self._measure(self._took)
            self._dispatcher.sent(record)

    def _pause_before_next(self) -> float:
        """Return the seconds until a message may be taken: 0 where one is due."""
        if not self.queue:
            return _IDLE
        rest = 0.0
        if self._rest_until:
            rest = self._rest_until - time.monotonic()
            if rest <= 0:
                self._rest_until = rest = 0.0
        if not self.account.holds:
            return min(rest, _IDLE)
        bulk = not self.queue.ahead_of(bulk=False)
        return min(max(rest, self.account.pace.delay(time.monotonic()), self.account.quiet_left(bulk=bulk)), _IDLE)

    def _wait_for_work(self) -> None:
        self._prepared = None  # its text is not kept for longer than needed, nor is the rest of its life the same later
        self._idle = True
        try:
            # Looked at again after the flag is up: what was put in between did not wake us.
            pause = self._pause_before_next()
            if pause and not self._jobs and not self._stopping.is_set():
                self.egress.idle(pause)
        finally:
            self._idle = False

    def _send(self, record: Record) -> None:
        started = time.monotonic()
        try:
            self._attempt(record)
        except Lost as error:
            self.sending = None
            # Before it counts as lost, so that this message stays in front of those that follow it elsewhere.
            self._dispatcher.not_sent(self, record, error)
            raise
        except Deferred as error:
            self.sending = None
            self._dispatcher.deferred(self, record, error)
        except NotSent as error:
            self.sending = None
            now = time.monotonic()
            if isinstance(error, Unfit):
                self.unfit_until = now + max(error.retry_after, _QUARANTINE)
            if error.retry_after:
                self._rest_until = now + error.retry_after
            self._dispatcher.not_sent(self, record, error)
        except Rejected as error:
            self.sending = None
            self._dispatcher.rejected(record, error)
        except Unconfirmed as error:
            self.sending = None
            self._dispatcher.unconfirmed(self, record, error)
        except Exception as error:
            self.sending = None
            unknown = Unconfirmed(
                _("the {noun}'s driver failed ({error})", noun=self.channel.noun, error=type(error).__name__)
            )
            self._dispatcher.unconfirmed(self, record, unknown)
            raise
        else:
            record.accepted = True
            self.sending = None
            self._just_sent, self._took = record, time.monotonic() - started

    def _attempt(self, record: Record) -> None:
        self._handed_over = False
        message, self._prepared = self._prepared, None
        if message is None or message.message_id != record.message_id:
            message = self._message(record)
        try:
            self._send_message(message, self._hooks)
        finally:
            self._tell_sent()  # of the message before, where the egress did not come so far

    def _before_dispatch(self) -> None:
        record = self.sending
        if record is None:
            return
        if self.account.holds and not record.progress.references:  # a message of several parts counts once
            with self._counting:
                self.account.pace.sent(time.monotonic())
                self._paced = True
        self._dispatcher.dispatched(record, self._just_sent)
        self._handed_over = True

    def _meanwhile(self) -> None:
        """Use the time in which egress or network is waited for: most of it comes after the message was handed over."""
        if self._just_sent is not None and (self._handed_over or self._dispatcher.is_awaited(self._just_sent)):
            self._tell_sent()  # at once where its sender waits
        if not self._handed_over:
            return
        self._dispatcher.note_ended()
        if (record := self.queue.peek()) and not record.progress.references:
            self._prepared = self._message(record)
            self.egress.prepare(self._prepared)

    def _message(self, record: Record) -> OutgoingMessage:
        content, words = record.content, record.words
        return OutgoingMessage(
            message_id=record.message_id,
            destination=content.destination or content.receiver,
            text=words.text if words else "",
            validity=max(record.remaining(), 0.0),
            again=record.again,
            progress=record.progress,
            subject=words.subject if words else "",
        )

    def _measure(self, seconds: float) -> None:
        self.sent += 1
        self.unfit_until = 0.0
        weight = 0.1 if self.seconds_per_message else 1.0
        self.seconds_per_message += weight * (seconds - self.seconds_per_message)

    # -- what its thread tells --------------------------------------------------------------------------------------

    def _status_changed(self) -> None:
        self._dispatcher.egress_changed(self)

    @property
    def _grace(self) -> float:
        return self._dispatcher.grace


AnyWorker = Worker[Any]
"""A worker of whatever channel."""
