"""What consumers of all brokers have in common: take a message in, follow it to its end, settle and answer it."""

import logging
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from otppi.api.ingress import Callback, Gateway, Origin, Sender
from otppi.kit.broker.completion import callback_of, completed
from otppi.kit.broker.outbox import Action, Delivery, Outbox, soonest
from otppi.kit.broker.parking import Parking
from otppi.kit.broker.remembered import Remembered
from otppi.kit.broker.verdict import Verdict
from otppi.kit.broker.work import Work
from otppi.kit.bursts import Bursts
from otppi.kit.schedule import Schedule
from otppi.text import _
from otppi.wire.envelope import Answer, ResponseCode, malformed
from otppi.wire.errors import EnvelopeError

logger = logging.getLogger(__name__)

_HOLDS_ACK = 1.0
"""A callback that is wanted later than this, in seconds, does not hold up the acknowledgement."""
_LONGEST_HOLD = 540.0
"""A list of which a part went out is held, in seconds, for the rest: not beyond the time in which duplicates are known
(setting `sms.duplicate_window`), since its broker may deliver it again as a whole."""
_MOST_WAITING = 1_000
_MOST_WAITING_BYTES = 8 << 20
"""How many deliveries that no broker keeps may wait here to be tried again, and their octets."""

_LOOK = 0.5
"""Seconds between looks at what waits in modems' queues: whether its modem can send."""


class Consumer:
    """Between a broker's connection and the gateway. The connection's thread calls `consume`, `due`, `pause`, `lost`.

    What is due, the connection's thread does: publish, and settle by the verdict. A delivery is settled once, after all
    of its messages are final; its answer is published first, so that a crash in between tells it twice and not never.

    To stop: call `stop`, go on with `due` until `in_flight` is 0 and the outbox is empty, or the patience is over.

    Args:
        gateway: What takes the commands.
        ingress: The key of the ingress.
        sender: Whose messages they are.
        wake: Called by any thread when something is due.
        requeue: Whether the broker takes back what may be sent later, for others; else it is tried again from here.
    """

    def __init__(
        self, gateway: Gateway, ingress: str, sender: Sender, wake: Callable[[], None], *, requeue: bool
    ) -> None:
        self._gateway = gateway
        self._ingress = ingress
        self._sender = sender
        self._requeue = requeue
        self.outbox = Outbox(wake, name=ingress)
        self._wake = wake
        self._retries = Schedule[Work]()
        self._lines = Bursts(logger, ingress)
        self._lock = threading.Lock()
        self._in_flight: set[Work] = set()
        self._waiting, self._waiting_bytes = 0, 0
        self._remembered = Remembered()
        self.parking = Parking()
        self._looked = 0.0
        self._stopping = False
        self._resting = False
        self._hurries = False
        self.session = 0
        self.counts = Counter[str]()

    # -- the connection's thread ------------------------------------------------------------------------------------

    def consume(self, delivery: Delivery) -> None:
        """Take a message in. Every problem with it is logged without its text, and answered where that is wanted."""
        delivery = replace(delivery, session=self.session)
        with self._lock:
            self.counts["taken"] += 1
        if self._stopping and delivery.kept:
            self._give_back(delivery, _("the gateway is stopping"))
            return
        try:
            envelope = self._gateway.read(delivery.body, self._ingress)
        except EnvelopeError as error:
            self._refuse(delivery, error)
            return
        except Exception as error:  # noqa: BLE001 - it would come again and again, and stop the ingress each time
            self._finish(delivery, Verdict.NEVER, callback_of(delivery, None, ""), self._fault("", error), 0.0)
            return
        origin = Origin(
            self._ingress,
            self._sender,
            callback=callback_of(delivery, envelope.callback_topic, envelope.name),
            kept_by_source=delivery.kept,
            redelivered=delivery.redelivered,
        )
        whole = replace(envelope, items=completed(envelope.items, delivery))
        first_seen, attempt = self._remembered.look_up(delivery)
        work = Work(replace(delivery, attempt=attempt), whole, origin, first_seen=first_seen)
        with self._lock:
            self._in_flight.add(work)
        self._submit(work)

    def refuse(self, delivery: Delivery, error: EnvelopeError) -> None:
        """Reject a message of which the protocol already says that it cannot be read, such as a compressed one."""
        with self._lock:
            self.counts["taken"] += 1
        self._refuse(replace(delivery, session=self.session), error)

    def rest(self, *, resting: bool) -> None:
        """Say whether anything is taken now. While nothing is, others get what no modem has begun to send, at once."""
        with self._lock:
            begins, self._resting = resting and not self._resting, resting
            self._hurries |= begins
            left = [work for work in self._in_flight if work.delivery.kept] if begins else []
        for work in left:
            if work.ticket is not None:
                work.ticket.withdraw()

    def due(self) -> list[Action]:
        """Return what is to be done now; try again what is to be tried again."""
        hurries, self._hurries = self._hurries, False
        for work in self._retries.due(all_of_them=self._stopping or hurries):
            self._try_again(work)
        self._look_at_queues()
        self._lines.flush()
        actions = self.outbox.due(all_of_them=self._stopping)
        actions = [one for one in actions if one.delivery is None or one.delivery.session == self.session]
        for action in actions:
            if action.delivery is not None and action.verdict is not Verdict.AGAIN:
                self._remembered.forget(action.delivery)
        return actions

    def pause(self) -> float | None:
        """Return the seconds until `due` has something; None where nothing waits."""
        pause = soonest(self.outbox.pause(), self._retries.pause())
        if self._stopping and pause is not None:
            return 0.0
        return soonest(pause, self._lines.pause())

    def lost(self) -> None:
        """Forget what a connection that is gone delivered: it will be delivered again, so what waits is not sent."""
        with self._lock:
            self.session += 1
            left = [work for work in self._in_flight if work.delivery.kept]
            self._in_flight.difference_update(left)
            for work in left:
                self.parking.park(work)
        self.outbox.forget(self.session)
        self._retries.drop(lambda work: work.delivery.kept)
        for work in left:
            self._remembered.leave(work.delivery)
            if work.ticket is not None:
                work.ticket.withdraw()
        if left:
            logger.info("%s: %d messages were on their way and will be delivered again", self._ingress, len(left))

    # -- any thread -------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Wait for nothing any more: what is to be tried again is given back, what is due later is due now."""
        self._stopping = True
        self._wake()

    @property
    def in_flight(self) -> int:
        """How many deliveries have not been settled."""
        return len(self._in_flight) + self.outbox.settling

    @property
    def working(self) -> int:
        """How many of these count as being worked on: all but those parked that there is room for beside the others."""
        return self.in_flight - self.parking.room

    def describe(self) -> dict[str, Any]:
        """Return how many messages came, and what became of them."""
        counts = ("taken", "done", "never", "again", "malformed")
        return {
            **{name: self.counts[name] for name in counts},
            "in_flight": self.in_flight,
            "parked": len(self.parking),
            "callbacks_waiting": len(self.outbox),
            "callbacks_dropped": self.outbox.dropped,
        }

    def publish(self, callback: Callback, payload: bytes) -> None:
        """Publish what no delivery depends on: a later state, a message that came in."""
        self.outbox.put(Action(callback=callback, payload=payload))

    # -- a delivery's way -------------------------------------------------------------------------------------------

    def _submit(self, work: Work) -> None:
        """Hand what is pending of a delivery to the gateway (the connection's thread)."""
        try:
            ticket = work.ticket = self._gateway.submit(work.to_submit(), work.origin)
        except Exception as error:  # noqa: BLE001 - it would come again and again, and stop the ingress each time
            self._settle(work, Verdict.NEVER, self._fault(work.envelope.name, error))
            return
        ticket.when_final(partial(self._final, work))
        if ticket.is_held():
            self._park(work)

    def _final(self, work: Work, answer: Answer) -> None:
        """Judge a delivery whose messages are final, on whatever thread made the last one so."""
        if not self._is_followed(work):
            return
        work.note(answer)
        again, answer = work.again(), work.answer(answer)
        nothing_out = len(again) == len(work.results)
        if not again:
            self._settle(work, work.verdict(), answer)
            return
        work.pending = again
        if self._goes_back(work):
            self._settle(work, Verdict.AGAIN, answer)
        elif self._stopping or not self._may_wait(work, nothing_out=nothing_out):
            self._give_up(work, answer)
        else:
            work.attempts += 1
            work.waiting = True
            self._count_waiting(work, 1)
            self._park(work)
            pause = work.pause()
            self._retries.put(work, min(pause, work.back_in()) if self._may_go_back(work) else pause)
            self._wake()

    def _try_again(self, work: Work) -> None:
        """Go on with a delivery whose pause is over."""
        self._count_waiting(work, -1)
        if not self._is_followed(work):
            return
        answer = work.latest()
        if self._stopping:
            self._give_up(work, answer)
        elif self._goes_back(work):
            self._settle(work, Verdict.AGAIN, answer)
        else:
            work.waiting = False
            self.parking.park(work)
            self._submit(work)

    def _look_at_queues(self) -> None:
        """Park what waits for a modem that cannot send now; take out of the modems' queues what others should get."""
        if (now := time.monotonic()) < self._looked + _LOOK:
            return
        self._looked = now
        with self._lock:
            followed = list(self._in_flight)
        for work in followed:
            ticket = work.ticket
            if ticket is None or not (work.waiting or ticket.is_held()):
                self.parking.park(work)
            else:
                self._park(work)
                if not work.waiting and self._goes_back(work):
                    ticket.withdraw()

    def _park(self, work: Work) -> None:
        """Count a delivery as one that nobody works on, unless it has been settled meanwhile."""
        with self._lock:
            parked = work in self._in_flight and self.parking.put(work)
        if parked:
            self._wake()

    def _may_go_back(self, work: Work) -> bool:
        """Whether the broker takes a delivery back, for others: not where a part of it went out."""
        return self._requeue and work.delivery.kept and work.is_whole

    def _goes_back(self, work: Work) -> bool:
        """Whether it is time to give a delivery back."""
        return self._may_go_back(work) and (self._stopping or self._resting or work.back_in() <= 0)

    def _give_up(self, work: Work, answer: Answer) -> None:
        """Wait no longer with what was not sent: its broker has it still, or its sender is told."""
        if self._stopping and work.delivery.kept:
            self._settle(work, Verdict.AGAIN, answer)
            return
        left = work.not_done()
        if left:
            message = "%s: %d of %d messages of a delivery were not sent, and will not be: %s"
            cause = answer.text or answer.code.text
            self._lines.log(
                logging.WARNING, "deliveries not sent", message, self._ingress, left, len(work.results), cause
            )
        self._settle(work, Verdict.NEVER if left == len(work.results) else Verdict.DONE, answer)

    def _settle(self, work: Work, verdict: Verdict, answer: Answer) -> None:
        """Put what ends a delivery into the outbox; one whose connection is gone is left to the broker."""
        with self._lock:
            if work not in self._in_flight:
                return
            if verdict is not Verdict.AGAIN:
                self.counts[verdict.name.lower()] += 1
        try:
            if verdict is Verdict.AGAIN:
                self._give_back(replace(work.delivery, first_seen=work.came()), answer.text or answer.code.text)
            else:
                delay = work.envelope.callback_delay / 1000
                self._finish(work.delivery, verdict, work.origin.callback, answer, delay)
        finally:  # not sooner: who waits for the end of all must find the outbox filled
            with self._lock:
                self._in_flight.discard(work)
                self.parking.park(work)

    def _give_back(self, delivery: Delivery, cause: str) -> None:
        """Leave a delivery to the broker, which delivers it again, here or elsewhere."""
        self._lines.log(logging.INFO, "given back", "%s: a message is given back: %s", self._ingress, cause)
        with self._lock:
            self.counts["again"] += 1
        self._remembered.gave_back(delivery)
        self.outbox.put(Action(delivery=delivery, verdict=Verdict.AGAIN))

    def _finish(
        self, delivery: Delivery, verdict: Verdict, callback: Callback | None, answer: Answer, delay: float
    ) -> None:
        """Answer where that is wanted, and settle."""
        settled = delivery if delivery.kept else None
        if callback is not None:
            held = settled if delay <= _HOLDS_ACK else None
            self.outbox.put(
                Action(callback=callback, payload=self._payload(answer), delivery=held, verdict=verdict), delay
            )
            if held is not None:
                return
        if settled is not None:
            self.outbox.put(Action(delivery=settled, verdict=verdict))

    def _refuse(self, delivery: Delivery, error: EnvelopeError) -> None:
        """Answer and reject what cannot be read."""
        reasons = "; ".join(map(str, error.errors[:5]))  # which never quote a value
        message = "%s: a message is rejected, it is malformed (%s)"
        self._lines.log(logging.WARNING, "malformed messages rejected", message, self._ingress, reasons)
        with self._lock:  # after the line: who sees the number finds it
            self.counts["malformed"] += 1
        callback = callback_of(delivery, error.callback_topic, error.command)
        self._finish(delivery, Verdict.NEVER, callback, malformed(error), error.callback_delay / 1000)

    def _fault(self, command: str, error: Exception) -> Answer:
        """Log a fault of this program, but not its words, which may quote a message; return the answer."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        kind = type(error).__name__
        message = "%s: a message is rejected, the gateway has a fault: %s at %s:%d"
        self._lines.log(
            logging.ERROR, "rejected by a fault", message, self._ingress, kind, place.filename, place.lineno
        )
        return Answer(
            command, ResponseCode.FAILED, data={"cause": _("the gateway has a fault ({kind}); see its log", kind=kind)}
        )

    def _payload(self, answer: Answer) -> bytes:
        try:
            return answer.to_json()
        except (TypeError, ValueError, RecursionError) as error:  # not its words, which may quote a message
            message = "%s: an answer cannot be written (%s), it goes out without its data"
            self._lines.log(
                logging.ERROR, "answers that cannot be written", message, self._ingress, type(error).__name__
            )
            return replace(answer, data=None).to_json()

    # -- what is known of deliveries --------------------------------------------------------------------------------

    def _is_followed(self, work: Work) -> bool:
        """Whether a delivery is still ours: not when its connection is gone, which left it to the broker."""
        with self._lock:
            return work in self._in_flight

    def _may_wait(self, work: Work, *, nothing_out: bool) -> bool:
        """Whether a delivery may wait here to be tried again."""
        if not nothing_out and time.monotonic() - work.since > _LONGEST_HOLD:
            return False
        with self._lock:
            room = self._waiting < _MOST_WAITING
            return work.delivery.kept or (room and self._waiting_bytes + len(work.delivery.body) <= _MOST_WAITING_BYTES)

    def _count_waiting(self, work: Work, step: int) -> None:
        if not work.delivery.kept:
            with self._lock:
                self._waiting += step
                self._waiting_bytes += step * len(work.delivery.body)
