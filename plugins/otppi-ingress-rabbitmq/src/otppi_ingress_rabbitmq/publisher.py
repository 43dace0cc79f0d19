"""Publishes answers to the queues that senders named, and says when the server has taken them over."""

import logging
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pika
from pika import exceptions, spec

from otppi.kit.broker.outbox import Action, Delivery
from otppi.kit.broker.verdict import Verdict
from otppi.kit.bursts import Bursts
from otppi.kit.net.back_off import Backoff
from otppi.kit.net.endpoint import Endpoint
from otppi_ingress_rabbitmq.connection import Connection, reason
from otppi_ingress_rabbitmq.text import _

logger = logging.getLogger(__name__)

_WINDOW = 1000
"""How many publications may be unconfirmed."""
_WAITING = 10_000
"""How many publications may wait that no delivery depends on."""
_ATTEMPTS = 3
_NO_CONFIRM = 6
"""After so many times the time-out, a publication that was not confirmed is given up."""
_TOPICS = 256
_DIRECT_REPLY = "amq.rabbitmq.reply-to."
_PERSISTENT = 2


@dataclass(slots=True)
class _Publication:
    """An answer on its way; `since` is when it came here, `sent` when it was sent last."""

    action: Action
    since: float
    sent: float = 0.0
    attempts: int = 0


class Tally:
    """What became of all publications, over all connections, and which topics had nobody."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self._told: OrderedDict[str, None] = OrderedDict()
        self._lines = Bursts(logger, "ingress-rabbitmq")

    def flush(self) -> None:
        """Log how many lines were left out lately."""
        self._lines.flush()

    def failed(self, kind: str, topic: str, why: str) -> None:
        """Count a publication that did not arrive; the log has it once per topic."""
        if topic not in self._told:
            message = (
                "ingress-rabbitmq: an answer for %r is lost: %s; said once for this queue, the messages are settled"
            )
            self._lines.log(logging.WARNING, "answers lost", message, topic, why)
        self.counts[kind] += 1
        self._told[topic] = None
        self._told.move_to_end(topic)
        if len(self._told) > _TOPICS:
            self._told.popitem(last=False)


class Publisher:
    """A connection of its own, opened by the first answer. Everything happens on the thread of the loop.

    While RabbitMQ is short of memory or disk it stops reading from connections that publish: acknowledgements would
    wait there behind the answers.

    Args:
        parameters: Of the connection.
        values: The settings.
        endpoint: The server.
        ioloop: Whose thread it works on.
        settle: Settles a delivery once its answer is safe, or given up.
        tally: Counts.
    """

    def __init__(
        self,
        parameters: Any,
        values: Mapping[str, Any],
        endpoint: Endpoint,
        ioloop: Any,
        settle: Callable[[Delivery, Verdict], None],
        tally: Tally,
    ) -> None:
        self._parameters = parameters
        self._values = values
        self._endpoint = endpoint
        self._ioloop = ioloop
        self._settle = settle
        self._tally = tally
        self._backoff = Backoff(0.5, 30.0)
        self._waiting: deque[_Publication] = deque()
        self._unconfirmed: OrderedDict[int, _Publication] = OrderedDict()
        self._number = 0
        self._channel: Any = None
        self._ready = False
        self._not_before = 0.0
        self.connection: Any = None
        self.blocked: str | None = None

    @property
    def busy(self) -> int:
        """How many publications wait, or are not confirmed."""
        return len(self._waiting) + len(self._unconfirmed)

    def publish(self, action: Action) -> None:
        """Publish an answer, now or as soon as that is possible."""
        if action.delivery is None and len(self._waiting) >= _WAITING:
            self._tally.counts["dropped"] += 1
            return
        self._waiting.append(_Publication(action, time.monotonic()))
        self._pump()

    def look(self) -> None:
        """Do what is due by the clock; called about once a second."""
        now, timeout = time.monotonic(), self._values["timeout"]
        self._tally.flush()
        for publication in (*self._unconfirmed.values(), *self._waiting):
            # Its message went out: it must not come again because its answer finds no way.
            if publication.action.delivery is not None and now - publication.since > timeout:
                self._release(publication)
        if self.blocked is None:
            self._give_up(now - _NO_CONFIRM * timeout)
        self._pump()

    def take_back(self) -> list[Action]:
        """Return what has not arrived and no delivery depends on, to be published by another connection."""
        left = [*self._unconfirmed.values(), *self._waiting]
        self._unconfirmed.clear()
        self._waiting.clear()
        return [publication.action for publication in left if publication.action.delivery is None]

    def _release(self, publication: _Publication) -> None:
        """Settle the delivery that waits for a publication."""
        delivery, verdict = publication.action.delivery, publication.action.verdict
        if delivery is not None:
            publication.action = replace(publication.action, delivery=None)
            self._settle(delivery, verdict)

    def _give_up(self, before: float) -> None:
        late = [number for number, publication in self._unconfirmed.items() if publication.sent < before]
        for number in late:
            self._failed(self._unconfirmed.pop(number), "unconfirmed", _("the server did not confirm it"))

    def _failed(self, publication: _Publication, kind: str, why: str) -> None:
        callback = publication.action.callback
        self._tally.failed(kind, callback.topic if callback is not None else "", why)
        self._release(publication)

    # -- connection and channel -------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Send what waits; connect where there is no connection."""
        while self._ready and self._waiting and len(self._unconfirmed) < _WINDOW:
            self._send(self._waiting.popleft())
        if self._waiting and self._channel is None and time.monotonic() >= self._not_before:
            self._connect()

    def _connect(self) -> None:
        self._not_before = time.monotonic() + self._backoff.delay()
        if self.connection is not None and self.connection.is_open:
            self._open_channel(self.connection)
        elif self.connection is None or self.connection.is_closed:
            self.connection = Connection(
                self._parameters,
                on_open_callback=self._open_channel,
                on_open_error_callback=self._disconnected,
                on_close_callback=self._disconnected,
                custom_ioloop=self._ioloop,
            )
            self.connection.add_on_connection_blocked_callback(self._was_blocked)
            self.connection.add_on_connection_unblocked_callback(self._was_unblocked)

    def _open_channel(self, connection: Any) -> None:
        self._channel = connection.channel(on_open_callback=self._opened)
        self._channel.add_on_close_callback(self._closed)

    def _opened(self, channel: Any) -> None:
        channel.add_on_return_callback(self._returned)
        channel.confirm_delivery(self._confirmed, callback=lambda _: self._begin())

    def _begin(self) -> None:
        self._ready, self._number = True, 0
        self._pump()

    def _disconnected(self, _connection: Any, error: BaseException) -> None:
        if not isinstance(error, exceptions.ConnectionClosedByClient):
            why = reason(error, self._endpoint, self._values)
            logger.warning("ingress-rabbitmq: no connection to publish answers: %s; they wait", why)
        self.blocked = None
        self._lose_channel()

    def _closed(self, channel: Any, error: BaseException) -> None:
        if channel is self._channel:
            if isinstance(error, exceptions.ChannelClosedByBroker):
                logger.warning("ingress-rabbitmq: the server refuses to publish answers: %s", error.reply_text)
            self._lose_channel()

    def _lose_channel(self) -> None:
        """Keep what was not confirmed for the next channel; what has lost too many is given up."""
        self._channel, self._ready = None, False
        unconfirmed = list(self._unconfirmed.values())
        self._unconfirmed.clear()
        for publication in reversed(unconfirmed):
            if publication.attempts >= _ATTEMPTS:
                self._failed(publication, "refused", _("the server does not take it"))
            else:
                self._waiting.appendleft(publication)

    def _was_blocked(self, _connection: Any, frame: Any) -> None:
        blocked = str(frame.method.reason)
        logger.warning(
            "ingress-rabbitmq: the server is short of resources (%s): answers wait, messages are taken all the same",
            blocked,
        )
        self.blocked = blocked

    def _was_unblocked(self, *_arguments: Any) -> None:
        self.blocked = None
        logger.info("ingress-rabbitmq: the server takes answers again")

    # -- publications -----------------------------------------------------------------------------------------------

    def _send(self, publication: _Publication) -> None:
        """Publish through the default exchange, which routes to the queue of that name (AMQP 0-9-1, 3.1.3.1)."""
        callback = publication.action.callback
        if callback is None:  # only settled
            self._release(publication)
            return
        if callback.topic in (self._values["queue"], self._values["bulk_queue"]):
            self._failed(publication, "refused", _("it is where commands come from"))
            return
        properties = pika.BasicProperties(
            content_type="application/json",
            delivery_mode=_PERSISTENT,
            correlation_id=callback.correlation or None,
            timestamp=int(time.time()),
            app_id="otp-pi",
        )
        # A direct reply-to is no queue: with `mandatory` it would come back always.
        mandatory = not callback.topic.startswith(_DIRECT_REPLY)
        try:
            self._channel.basic_publish("", callback.topic, publication.action.payload, properties, mandatory)
        except (exceptions.ShortStringTooLong, UnicodeEncodeError):
            self._failed(publication, "unroutable", _("no queue can have this name"))
            return
        self._number += 1
        publication.attempts += 1
        publication.sent = time.monotonic()
        self._unconfirmed[self._number] = publication

    def _confirmed(self, frame: Any) -> None:
        """Take a confirm, or the refusal to confirm (RabbitMQ, publisher confirms)."""
        tag, taken = frame.method.delivery_tag, isinstance(frame.method, spec.Basic.Ack)
        numbers = [tag]
        if frame.method.multiple:
            numbers = [number for number in self._unconfirmed if number <= tag]
        self._backoff.reset()
        for number in numbers:
            publication = self._unconfirmed.pop(number, None)
            if publication is None:
                continue
            if taken:
                self._tally.counts["published"] += 1
                self._release(publication)
            elif publication.attempts < _ATTEMPTS:
                self._waiting.append(publication)  # sent again when the clock looks, or with the next answer
            else:
                self._failed(publication, "refused", _("the server does not take it"))
        if taken:
            self._pump()

    def _returned(self, _channel: Any, method: Any, *_content: Any) -> None:
        """Take note of an answer that no queue takes; its confirm follows, and settles its delivery."""
        self._tally.failed("unroutable", str(method.routing_key), _("there is no such queue"))
