"""Takes messages from the queue, as many at a time as the modems can use, and settles them."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Any

from pika import exceptions

from otppi.api.text import labelled
from otppi.kit.broker.consumer import Consumer
from otppi.kit.broker.outbox import Delivery
from otppi.kit.broker.verdict import Verdict
from otppi.wire.errors import EnvelopeError, FieldError
from otppi_ingress_rabbitmq.properties import coding_problem, delivery_of
from otppi_ingress_rabbitmq.text import _

logger = logging.getLogger(__name__)

_NOT_FOUND = 404
_STEADY = 10.0
"""A channel that the server closes sooner than after so many seconds is not opened again on the same connection."""
_CHECK = 15.0
"""Seconds after which the server is asked whether the queue still has a consumer."""
_DELETED = 0.5
"""Seconds to wait before a queue that was just deleted is looked for: for a moment the server still finds it."""
_DELIVERY_LIMIT = 100
"""How often a message may be given back in a queue that is declared here. RabbitMQ 4 drops it after 20, which may be
minutes only, and counts lost connections too; a message that has expired is rejected here anyway."""
_MOST_HELD = 4
"""How many times the prefetch may be held back in all, for messages whose answers wait to be published."""


class Phase(Enum):
    """Where an intake stands; the values are for the status page."""

    OPENING = _("looking for the queue")
    IDLE = _("idle")
    STARTING = _("starting to consume")
    CONSUMING = _("consuming")
    CANCELLING = _("cancelling the consumer")
    CLOSED = _("closed")


_WAITING = frozenset({Phase.OPENING, Phase.STARTING, Phase.CANCELLING})
"""Phases that the server's answer ends."""


class Intake:
    """The consumer of the queues on one connection. Everything happens on the connection's thread.

    Two queues are two consumers on one channel, each with a prefetch of its own (AMQP 0-9-1, basic.qos, as RabbitMQ
    has it): however much bulk waits in a queue of its own, it takes no place of the others.

    Args:
        connection: Open.
        values: The settings.
        consumer: What takes the messages in.
        wanted: Says how many messages are to be had at hand now; 0 for none.
        changed: Called after each change of the phase.
        fail: Called, with a sentence, when the connection is of no use any more.
    """

    def __init__(
        self,
        connection: Any,
        values: Mapping[str, Any],
        consumer: Consumer,
        wanted: Callable[[], int],
        changed: Callable[[], None],
        fail: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._values = values
        self._queues: list[str] = [name for name in (values["queue"], values["bulk_queue"]) if name]
        self._consumer = consumer
        self._wanted = wanted
        self._changed = changed
        self._fail = fail
        self._channel: Any = None
        self._found_so_far = 0
        self._tags: list[str] = []
        self._missing: Callable[[], None] | None = None
        self._declared = ""
        self._opened = 0.0
        self._checked = 0.0
        self._unsettled: set[int] = set()
        self._earlier: set[int] = set()
        self._done: list[int] = []
        self._left_over = 0
        self._newest = self._before = 0
        """Delivery tags: the newest on this channel, and the last one that came to an earlier consumer."""
        self._is_last = False
        self.phase = Phase.CLOSED
        self._since = 0.0
        self.prefetch = 0

    @property
    def unsettled(self) -> int:
        """How many deliveries the server has no answer to."""
        return len(self._unsettled)

    @property
    def done(self) -> int:
        """How many are to be acknowledged with the next `flush`."""
        return len(self._done)

    # -- channel and queue ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open a channel, find the queues, and begin."""
        self._found_so_far = 0
        self._with_channel(self._look_for_queue)

    def _enter(self, phase: Phase) -> None:
        self.phase, self._since = phase, time.monotonic()
        self._changed()

    def _with_channel(self, then: Callable[[], None]) -> None:
        """Open a channel: the server closes one for each question whose answer is no (AMQP 0-9-1, 1.4)."""
        self._enter(Phase.OPENING)
        self._missing, self._declared = None, ""
        self._newest = self._before = 0
        self._channel = self._connection.channel(
            on_open_callback=lambda channel: then() if channel is self._channel else None
        )
        self._channel.add_on_close_callback(self._closed)
        self._channel.add_on_cancel_callback(self._cancelled_by_server)

    def _then(self, do: Callable[[], None]) -> Callable[[Any], None]:
        """Make a callback for an answer of the server, which counts only while the channel is in use."""
        channel = self._channel
        return lambda _: do() if channel is self._channel else None

    def _look_for(self, queue: str, found: Callable[[], None], missing: Callable[[], None]) -> None:
        """Ask for a queue without saying how it should be: whatever it is, it is used."""
        self._missing = missing
        self._channel.queue_declare(queue, passive=True, callback=self._then(found))

    @property
    def _wanted_queue(self) -> str:
        return self._queues[self._found_so_far]

    def _look_for_queue(self) -> None:
        self._look_for(self._wanted_queue, self._found, self._look_for_dead_letters)

    def _look_for_dead_letters(self) -> None:
        if name := self._values["dead_letter_queue"]:
            self._look_for(name, self._declare_queue, self._declare_dead_letters)
        else:
            self._declare_queue()

    def _declare_dead_letters(self) -> None:
        self._declare(self._values["dead_letter_queue"], {}, self._declare_queue)

    def _declare_queue(self) -> None:
        dead_letters = self._values["dead_letter_queue"]
        arguments: dict[str, Any] = {}
        if dead_letters:
            arguments |= {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead_letters}
        if self._values["queue_type"] == "quorum":  # a classic queue has no such limit, and refuses the argument
            arguments["x-delivery-limit"] = _DELIVERY_LIMIT
        self._declare(self._wanted_queue, arguments, self._found)

    def _declare(self, queue: str, arguments: Mapping[str, Any], then: Callable[[], None]) -> None:
        kind = self._values["queue_type"]
        logger.info(
            "ingress-rabbitmq: queue %s does not exist; it is declared as a durable %s queue with arguments. A program "
            "that declares it otherwise gets 406 PRECONDITION_FAILED: let it declare no queue, or with passive=True",
            queue,
            kind,
        )
        self._missing, self._declared = None, queue
        self._channel.queue_declare(
            queue, durable=True, arguments={"x-queue-type": kind, **arguments}, callback=self._then(then)
        )

    def _found(self) -> None:
        self._missing, self._declared = None, ""
        self._found_so_far += 1
        if self._found_so_far < len(self._queues):
            self._look_for_queue()
            return
        self._opened = self._checked = time.monotonic()
        self._enter(Phase.IDLE)
        self.adjust()

    @property
    def _named(self) -> str:
        """Name the queue that is asked for, or those that are consumed from."""
        return " or ".join(self._queues[self._found_so_far : self._found_so_far + 1] or self._queues)

    def _closed(self, channel: Any, reason: BaseException) -> None:
        """Go on with another channel, where the server closed this one for a reason that another one may not have."""
        if channel is not self._channel or not isinstance(reason, exceptions.ChannelClosedByBroker):
            return
        if self._missing is not None and reason.reply_code == _NOT_FOUND:
            self._with_channel(self._missing)
        elif self.phase is Phase.OPENING or time.monotonic() - self._opened < _STEADY:
            self._enter(Phase.CLOSED)
            trouble = _("queue {named} cannot be used", named=self._named)
            if self._declared:
                trouble = _("queue {declared} does not exist, and cannot be declared", declared=self._declared)
            self._fail(labelled(trouble, reason.reply_text))
        else:
            self._start_over(_("the server closed the channel: {reply_text}", reply_text=reason.reply_text))

    def _cancelled_by_server(self, _method: Any) -> None:
        """Look for the queue again: it was deleted, or its node is gone (RabbitMQ, consumer cancel notification)."""
        channel, self._channel = self._channel, None
        channel.close()
        self._start_over(
            _("the server ended the consumer of queue {named}, which may have been deleted", named=self._named),
            _DELETED,
        )

    def _start_over(self, why: str, delay: float = 0.0) -> None:
        logger.warning(
            "ingress-rabbitmq: %s; %d messages that were not done will be delivered again", why, self.unsettled
        )
        self._unsettled.clear()
        self._done.clear()  # the next channel counts anew
        self._left_over = 0
        self._consumer.lost()
        self._enter(Phase.OPENING)
        self._connection.ioloop.call_later(delay, self._open_again)

    def _open_again(self) -> None:
        if self._connection.is_open:
            self.open()

    # -- consuming --------------------------------------------------------------------------------------------------

    def adjust(self) -> None:
        """Begin, end or renew the consumer by how many messages are wanted; called again and again."""
        wanted = self._wanted()
        if self.phase is Phase.IDLE:
            self._consumer.rest(resting=not wanted)
            if wanted:
                self._consume(wanted)
        elif self.phase is Phase.CONSUMING and (not wanted or self._differs(wanted) or self._is_worth_renewing()):
            self._cancel()
        elif self.phase is Phase.CONSUMING and time.monotonic() - self._checked > _CHECK:
            self._checked = time.monotonic()
            for queue in self._queues:
                self._channel.queue_declare(queue, passive=True, callback=self._look)
        elif self.phase in _WAITING and time.monotonic() - self._since > self._values["timeout"]:
            self._fail(
                _(
                    "the server did not answer within {timeout:g} s while {phase}",
                    timeout=self._values["timeout"],
                    phase=self.phase.value,
                )
            )

    def _look(self, found: Any) -> None:
        """Start over where the queue has no consumer: it was deleted and made anew, and nobody said so."""
        if not found.method.consumer_count and self.phase is Phase.CONSUMING:
            self._cancelled_by_server(None)

    def _differs(self, wanted: int) -> bool:
        return wanted >= 2 * self.prefetch or 2 * wanted <= self.prefetch

    def make_room(self) -> None:
        """Renew the consumer where half of what it may have at hand is parked: those stay with the old one.

        The new one takes others, so messages for a modem that may not send now do not hold up those for one that may.
        """
        parking = self._consumer.parking
        if self.phase is not Phase.CONSUMING or not len(parking) or len(parking) > parking.room:
            return
        parked = sum(tag > self._before for tag in parking.tags() & self._unsettled)
        if 2 * parked >= self.prefetch:
            self._cancel()

    def _is_worth_renewing(self) -> bool:
        """Return whether another consumer would be better: one of the usual priority, or with room again."""
        return (self._is_last and not len(self._consumer.parking)) or self._waits_for_answers()

    def _waits_for_answers(self) -> bool:
        """Return whether half of what may be at hand only waits for its answer to be published; see `make_room`."""
        earlier, self._earlier = self._earlier, set(self._unsettled)
        held = len(earlier & self._unsettled) - self._with_gateway
        most = _MOST_HELD * self.prefetch + self._consumer.parking.room
        return 2 * (held - self._left_over) >= self.prefetch and self.unsettled < most

    @property
    def _with_gateway(self) -> int:
        return self._consumer.in_flight - self._consumer.outbox.settling

    def _consume(self, prefetch: int) -> None:
        self._enter(Phase.STARTING)
        self.prefetch, self._left_over = prefetch, max(0, self.unsettled - self._with_gateway)
        self._before = self._newest
        self._channel.basic_qos(prefetch_count=prefetch)
        # What this gateway cannot send is given back for others: they come first, as long as they take any
        # (RabbitMQ, consumer priorities).
        self._is_last = len(self._consumer.parking) > 0
        arguments = {"x-priority": -1} if self._is_last else None
        begun = self._then(lambda: self._enter(Phase.CONSUMING))
        self._tags = [
            self._channel.basic_consume(
                queue,
                partial(self._on_message, bulk=place > 0),
                arguments=arguments,
                callback=begun if queue == self._queues[-1] else None,
            )
            for place, queue in enumerate(self._queues)
        ]

    def _cancel(self) -> None:
        """End the consumer; what the server sends until it has heard this is given back by pika at once."""
        self._enter(Phase.CANCELLING)
        for tag in self._tags:
            self._channel.basic_cancel(tag, callback=self._then(self._cancelled) if tag == self._tags[-1] else None)

    def _cancelled(self) -> None:
        self._enter(Phase.IDLE)
        self.adjust()

    def _on_message(self, _channel: Any, method: Any, properties: Any, body: bytes, *, bulk: bool) -> None:
        self._newest = method.delivery_tag
        self._unsettled.add(method.delivery_tag)
        delivery = delivery_of(method, properties, body, time.time())
        if bulk:
            delivery = replace(delivery, priority="bulk")
        if problem := coding_problem(properties):
            self._consumer.refuse(delivery, EnvelopeError([FieldError("content_encoding", problem)]))
        else:
            self._consumer.consume(delivery)

    # -- settling ---------------------------------------------------------------------------------------------------

    def settle(self, delivery: Delivery, verdict: Verdict) -> None:
        """Acknowledge (with the next `flush`), reject or give back; one of an earlier channel is left to the server."""
        if delivery.session != self._consumer.session or delivery.tag not in self._unsettled:
            return
        if not self._channel.is_open:  # it is being closed, and all of its deliveries are given back
            return
        self._unsettled.discard(delivery.tag)
        self._left_over = min(self._left_over, self.unsettled)
        if verdict is Verdict.DONE:
            self._done.append(delivery.tag)
        elif verdict is Verdict.NEVER:
            self._channel.basic_reject(delivery.tag, requeue=False)
        else:
            self._channel.basic_nack(delivery.tag, requeue=True)

    def flush(self) -> None:
        """Acknowledge what is done: all before the oldest delivery that is not settled with one frame.

        Each frame costs a system call here and some work there: 12 % of the CPU time of taking messages in.
        """
        done, self._done = sorted(self._done), []
        if not done or not self._channel.is_open:
            return
        oldest = min(self._unsettled, default=done[-1] + 1)
        together = [tag for tag in done if tag < oldest]
        if together:
            self._channel.basic_ack(together[-1], multiple=True)
        for tag in done[len(together) :]:
            self._channel.basic_ack(tag)
