"""What consumers of all brokers have in common: take a message in, follow it to its end, settle and answer it."""

import hashlib
import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from otppi.api.ingress import Callback, Gateway, Origin, Sender, Ticket
from otppi.kit.outbox import Action, Delivery, Outbox, soonest
from otppi.kit.schedule import Schedule
from otppi.kit.verdict import Verdict, verdict_of
from otppi.wire.envelope import Answer, Envelope, Item, ResponseCode, malformed
from otppi.wire.errors import EnvelopeError

logger = logging.getLogger(__name__)

__all__ = ["Action", "Consumer", "Delivery", "Verdict"]

_HOLDS_ACK = 1.0
"""A callback that is wanted later than this, in seconds, does not hold up the acknowledgement."""
_LONGEST_RETRY = 30.0
_REMEMBERED = 10_000


@dataclass(slots=True)
class _Work:
    """A delivery on its way: what became of each item, and which of them are still being tried."""

    delivery: Delivery
    envelope: Envelope
    origin: Origin
    delay: float
    pending: list[int]
    results: list[Mapping[str, Any]] = field(default_factory=list, repr=False)
    attempts: int = 0
    ticket: Ticket | None = None


class Consumer:
    """Between a broker's connection and the gateway. The connection's thread calls `take`, `due`, `pause`, `lost`.

    What is due, the connection's thread does: publish, and settle by the verdict. A delivery is settled once, after all
    of its messages are final; its answer is published first, so that a crash in between tells it twice and not never.

    Args:
        gateway: The door.
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
        self.outbox = Outbox(wake)
        self._wake = wake
        self._retries = Schedule[_Work]()
        self._lock = threading.Lock()
        self._in_flight: dict[int, _Work] = {}
        self._first_seen: OrderedDict[bytes, int] = OrderedDict()
        self._stopping = False
        self.session = 0
        self.counts = Counter[str]()

    # -- the connection's thread ------------------------------------------------------------------------------------

    def take(self, delivery: Delivery) -> None:
        """Take a message in. Every problem with it is logged without its text, and answered where that is wanted."""
        delivery = replace(delivery, session=self.session)
        with self._lock:
            self.counts["taken"] += 1
        try:
            envelope = self._gateway.read(delivery.body, self._ingress)
        except EnvelopeError as error:
            self._refuse(delivery, error)
            return
        callback = _callback(delivery, envelope.callback_topic, envelope.name)
        origin = Origin(
            self._ingress,
            self._sender,
            callback=callback,
            kept_by_source=delivery.kept,
            redelivered=delivery.redelivered,
        )
        envelope = replace(envelope, items=self._completed(envelope.items, delivery))
        work = _Work(delivery, envelope, origin, envelope.callback_delay / 1000, list(range(len(envelope.items))))
        work.results = [{} for _ in envelope.items]
        with self._lock:
            self._in_flight[id(work)] = work
        self._submit(work)

    def due(self) -> list[Action]:
        """Give what is to be done now; try again what is to be tried again."""
        for work in self._retries.due(all_of_them=self._stopping):
            if self._stopping:
                self._settle(work, Verdict.AGAIN, self._answer(work))
            else:
                self._submit(work)
        return self.outbox.due(all_of_them=self._stopping)

    def pause(self) -> float | None:
        """Give the seconds until `due` has something; None where nothing waits."""
        return soonest(self.outbox.pause(), self._retries.pause())

    def lost(self) -> None:
        """Forget what a connection that is gone delivered: it will be delivered again, so what waits is not sent."""
        with self._lock:
            self.session += 1
            left, self._in_flight = list(self._in_flight.values()), {}
        self.outbox.forget(self.session)
        self._retries.drop(lambda work: work.delivery.kept)
        for work in left:
            if work.delivery.kept and work.ticket is not None:
                work.ticket.withdraw()

    def stop(self) -> None:
        """Wait for nothing any more: what is to be tried again is given back, what is due later is due now."""
        self._stopping = True

    @property
    def in_flight(self) -> int:
        """How many deliveries have not been settled."""
        return len(self._in_flight)

    def describe(self) -> dict[str, Any]:
        """Say how many messages came, and what became of them."""
        counts = ("taken", "done", "never", "again", "malformed")
        return {
            **{name: self.counts[name] for name in counts},
            "in_flight": self.in_flight,
            "callbacks_waiting": len(self.outbox),
            "callbacks_dropped": self.outbox.dropped,
        }

    # -- any thread -------------------------------------------------------------------------------------------------

    def publish(self, callback: Callback, payload: bytes) -> None:
        """Publish what no delivery depends on: a later state, a message that came in."""
        self.outbox.put(Action(callback=callback, payload=payload))

    def _submit(self, work: _Work) -> None:
        """Hand what is pending of a delivery to the gateway (the connection's thread)."""
        items = tuple(work.envelope.items[index] for index in work.pending)
        work.ticket = self._gateway.submit(replace(work.envelope, items=items), work.origin)
        work.ticket.when_final(partial(self._final, work))

    def _final(self, work: _Work, answer: Answer) -> None:
        """Judge a delivery whose messages are final, on whatever thread made the last one so."""
        for index, (code, data) in zip(work.pending, _outcomes(answer, len(work.pending)), strict=True):
            work.results[index] = {"response_code": code.value, "response_text": code.text, **data}
        verdicts = [self._verdict(work, index) for index in range(len(work.results))]
        again = [index for index, verdict in enumerate(verdicts) if verdict is Verdict.AGAIN]
        if not again:
            never = all(verdict is Verdict.NEVER for verdict in verdicts)
            self._settle(work, Verdict.NEVER if never else Verdict.DONE, self._answer(work, answer))
        elif self._requeue and len(again) == len(verdicts):
            self._remember(work.delivery)
            self._settle(work, Verdict.AGAIN, answer, _retry_pause(work.delivery.attempt, work.results))
        elif self._stopping:
            self._settle(work, Verdict.AGAIN, answer)
        else:
            work.pending = again
            work.attempts += 1
            self._retries.put(work, _retry_pause(work.attempts, [work.results[index] for index in again]))
            self._wake()

    def _verdict(self, work: _Work, index: int) -> Verdict:
        data = work.results[index]
        return verdict_of(work.envelope.command, ResponseCode(data["response_code"]), data)

    def _settle(self, work: _Work, verdict: Verdict, answer: Answer, pause: float = 0.0) -> None:
        """Put what ends a delivery into the outbox; one whose connection is gone is left to the broker."""
        delivery = work.delivery
        with self._lock:
            if delivery.kept and delivery.session != self.session:
                return
            self._in_flight.pop(id(work), None)
            self.counts[verdict.name.lower()] += 1
        if verdict is Verdict.AGAIN:
            logger.info("%s: a message is given back: %s", self._ingress, answer.text or answer.code.text)
        callback = work.origin.callback if verdict is not Verdict.AGAIN else None
        self._finish(delivery, verdict, callback, answer, work.delay, pause)

    def _finish(
        self,
        delivery: Delivery,
        verdict: Verdict,
        callback: Callback | None,
        answer: Answer,
        delay: float,
        pause: float = 0.0,
    ) -> None:
        settled = delivery if delivery.kept else None
        if callback is not None:
            held = delay <= _HOLDS_ACK
            action = Action(
                callback=callback, payload=answer.to_json(), delivery=settled if held else None, verdict=verdict
            )
            self.outbox.put(action, delay)
            if held:
                return
        if settled is not None:
            self.outbox.put(Action(delivery=settled, verdict=verdict), pause)

    def _refuse(self, delivery: Delivery, error: EnvelopeError) -> None:
        """Answer and reject what cannot be read."""
        with self._lock:
            self.counts["malformed"] += 1
        fields = ", ".join(flaw.field for flaw in error.errors[:5])
        logger.warning("%s: a message is rejected, it is malformed (%s)", self._ingress, fields)
        callback = _callback(delivery, error.callback_topic, error.command)
        self._finish(delivery, Verdict.NEVER, callback, malformed(error), error.callback_delay / 1000)

    # -- items ------------------------------------------------------------------------------------------------------

    def _completed(self, items: Sequence[Item], delivery: Delivery) -> tuple[Item, ...]:
        """Add what the protocol says where the envelope says nothing; the lifetime counts from when it first came."""
        seen = self._first_seen.get(_digest(delivery.body)) if delivery.redelivered else None
        date_time = delivery.date_time or seen or int(time.time())
        return tuple(
            replace(
                item,
                id=item.id if item.id is not None or len(items) > 1 else delivery.message_id,
                date_time=item.date_time if item.date_time is not None else date_time,
                expiration=_earlier(item.expiration, delivery.expiration),
                priority=item.priority or delivery.priority,
            )
            for item in items
        )

    def _remember(self, delivery: Delivery) -> None:
        """Keep in mind since when a message has been given back, where the broker does not say it."""
        with self._lock:
            self._first_seen.setdefault(_digest(delivery.body), int(time.time()))
            if len(self._first_seen) > _REMEMBERED:
                self._first_seen.popitem(last=False)

    def _answer(self, work: _Work, last: Answer | None = None) -> Answer:
        """Give the answer of the whole delivery."""
        if last is not None and (not work.envelope.is_list or len(work.pending) == len(work.results)):
            return last
        codes = [ResponseCode(result["response_code"]) for result in work.results]
        overall = next((code for code in codes if code is not ResponseCode.SUCCESS), ResponseCode.SUCCESS)
        if work.envelope.is_list:
            return Answer(work.envelope.name, overall, data=work.results)
        data = {key: value for key, value in work.results[0].items() if not key.startswith("response_")}
        return Answer(work.envelope.name, overall, data=data)


def _outcomes(answer: Answer, count: int) -> list[tuple[ResponseCode, Mapping[str, Any]]]:
    """Give code and data of each item of an answer; one code for all where it does not tell them apart."""
    if isinstance(answer.data, Sequence) and len(answer.data) == count:
        entries = [entry for entry in answer.data if isinstance(entry, Mapping) and "response_code" in entry]
        if len(entries) == count:
            return [
                (
                    ResponseCode(entry["response_code"]),
                    {key: value for key, value in entry.items() if key not in ("response_code", "response_text")},
                )
                for entry in entries
            ]
    data = answer.data if isinstance(answer.data, Mapping) else {}
    return [(answer.code, data)] * count


def _callback(delivery: Delivery, topic: str | None, command: str) -> Callback | None:
    """Say where the answer is wanted: what the envelope says goes before what the protocol says."""
    correlation = delivery.callback.correlation if delivery.callback is not None else b""
    if topic is None and delivery.callback is not None:
        topic = delivery.callback.topic
    return None if topic is None else Callback(topic, correlation, command)


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((end for end in (one, other) if end is not None), default=None)


def _retry_pause(attempts: int, results: Sequence[Mapping[str, Any]]) -> float:
    """Give the seconds until what was not sent is tried again: what the gateway says, or twice as long each time."""
    said = [float(result["retry_after"]) for result in results if result.get("retry_after")]
    pause = min(said, default=float(2 ** min(attempts, 5)))
    return max(1.0, min(pause, _LONGEST_RETRY))


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()
