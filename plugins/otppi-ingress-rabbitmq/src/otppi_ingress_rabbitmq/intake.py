"""Takes messages from the queue, as many at a time as the modems can use, and settles them."""

import logging
import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from pika import exceptions

from otppi.kit.consumer import Consumer, Delivery, Verdict
from otppi.wire.errors import EnvelopeError, FieldError
from otppi_ingress_rabbitmq.properties import coding_problem, delivery_of

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
"""How many times the prefetch may be held back in all, for messages that wait to be given back or answered."""


class Phase(Enum):
    """Where an intake stands; the values are for the status page."""

    OPENING = "looking for the queue"
    IDLE = "idle"
    STARTING = "starting to consume"
    CONSUMING = "consuming"
    CANCELLING = "cancelling the consumer"
    CLOSED = "closed"


_WAITING = frozenset({Phase.OPENING, Phase.STARTING, Phase.CANCELLING})
"""Phases that the server's answer ends."""


class Intake:
    """The consumer of the queue on one connection. Everything happens on the connection's thread.

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
        self._queue: str = values["queue"]
        self._consumer = consumer
        self._wanted = wanted
        self._changed = changed
        self._fail = fail
        self._channel: Any = None
        self._tag = ""
        self._missing: Callable[[], None] | None = None
        self._declared = ""
        self._opened = 0.0
        self._checked = 0.0
        self._unsettled: set[int] = set()
        self._earlier: set[int] = set()
        self._done: list[int] = []
        self._left_over = 0
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
        """Open a channel, find the queue, and begin."""
        self._with_channel(self._look_for_queue)

    def _enter(self, phase: Phase) -> None:
        self.phase, self._since = phase, time.monotonic()
        self._changed()

    def _with_channel(self, then: Callable[[], None]) -> None:
        """Open a channel: the server closes one for each question whose answer is no (AMQP 0-9-1, 1.4)."""
        self._enter(Phase.OPENING)
        self._missing, self._declared = None, ""
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

    def _look_for_queue(self) -> None:
        self._look_for(self._queue, self._found, self._look_for_dead_letters)

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
        self._declare(self._queue, arguments, self._found)

    def _declare(self, queue: str, arguments: Mapping[str, Any], then: Callable[[], None]) -> None:
        kind = self._values["queue_type"]
        logger.info("ingress-rabbitmq: queue %s does not exist; it is declared as a %s queue", queue, kind)
        self._missing, self._declared = None, queue
        self._channel.queue_declare(
            queue, durable=True, arguments={"x-queue-type": kind, **arguments}, callback=self._then(then)
        )

    def _found(self) -> None:
        self._missing, self._declared = None, ""
        self._opened = self._checked = time.monotonic()
        self._enter(Phase.IDLE)
        self.adjust()

    def _closed(self, channel: Any, reason: BaseException) -> None:
        """Go on with another channel, where the server closed this one for a reason that another one may not have."""
        if channel is not self._channel or not isinstance(reason, exceptions.ChannelClosedByBroker):
            return
        if self._missing is not None and reason.reply_code == _NOT_FOUND:
            self._with_channel(self._missing)
        elif self.phase is Phase.OPENING or time.monotonic() - self._opened < _STEADY:
            self._enter(Phase.CLOSED)
            trouble = f"queue {self._queue} cannot be used"
            if self._declared:
                trouble = f"queue {self._declared} does not exist, and cannot be declared"
            self._fail(f"{trouble}: {reason.reply_text}")
        else:
            self._start_over(f"the server closed the channel: {reason.reply_text}")

    def _cancelled_by_server(self, _: Any) -> None:
        """Look for the queue again: it was deleted, or its node is gone (RabbitMQ, consumer cancel notification)."""
        channel, self._channel = self._channel, None
        channel.close()
        self._start_over(f"the server ended the consumer of queue {self._queue}, which may have been deleted", _DELETED)

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
        elif self.phase is Phase.CONSUMING and (not wanted or self._differs(wanted) or self._is_held_up()):
            self._enter(Phase.CANCELLING)
            # What the server sends until it has heard this is given back by pika at once.
            self._channel.basic_cancel(self._tag, callback=self._then(self._cancelled))
        elif self.phase is Phase.CONSUMING and time.monotonic() - self._checked > _CHECK:
            self._checked = time.monotonic()
            self._channel.queue_declare(self._queue, passive=True, callback=self._look)
        elif self.phase in _WAITING and time.monotonic() - self._since > self._values["timeout"]:
            self._fail(f"the server did not answer within {self._values['timeout']:g} s while {self.phase.value}")

    def _look(self, found: Any) -> None:
        """Start over where the queue has no consumer: it was deleted and made anew, and nobody said so."""
        if not found.method.consumer_count and self.phase is Phase.CONSUMING:
            self._cancelled_by_server(None)

    def _differs(self, wanted: int) -> bool:
        return wanted >= 2 * self.prefetch or 2 * wanted <= self.prefetch

    def _is_held_up(self) -> bool:
        """Say whether half of what may be at hand only waits to be given back, or for its answer to be published.

        Those stay with the old consumer, and a new one takes others: messages for a modem that may not send now do not
        hold up those for one that may.
        """
        earlier, self._earlier = self._earlier, set(self._unsettled)
        with_gateway = self._consumer.in_flight - self._consumer.outbox.settling
        held = len(earlier & self._unsettled) - with_gateway
        return 2 * (held - self._left_over) >= self.prefetch and self.unsettled < _MOST_HELD * self.prefetch

    def _consume(self, prefetch: int) -> None:
        self._enter(Phase.STARTING)
        self.prefetch, self._left_over = prefetch, self.unsettled
        self._channel.basic_qos(prefetch_count=prefetch)
        self._tag = self._channel.basic_consume(
            self._queue, self._take, callback=self._then(lambda: self._enter(Phase.CONSUMING))
        )

    def _cancelled(self) -> None:
        self._enter(Phase.IDLE)
        self.adjust()

    def _take(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        self._unsettled.add(method.delivery_tag)
        delivery = delivery_of(method, properties, body, time.time())
        if problem := coding_problem(properties):
            self._consumer.refuse(delivery, EnvelopeError([FieldError("content_encoding", problem)]))
        else:
            self._consumer.take(delivery)

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
