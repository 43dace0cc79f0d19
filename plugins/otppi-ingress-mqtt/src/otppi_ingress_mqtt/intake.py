"""From the broker's messages to the consumer's deliveries, and back to acknowledgements."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from otppi.api.ingress import Callback
from otppi.kit.broker.consumer import Consumer
from otppi.kit.broker.outbox import Delivery
from otppi.kit.bursts import Bursts
from otppi_ingress_mqtt.client import MqttClient, new_properties
from otppi_ingress_mqtt.ledger import Held, Ledger, digest
from otppi_ingress_mqtt.settings import KEY

logger = logging.getLogger(__name__)

HANDED_ON = "otppi-handed-on"
"""User property of a message that gateways without a modem for it handed on: how many, and when the first had it."""
_MOST_ATTEMPTS = 100


class Intake:
    """Takes messages in, each once. The connection's thread owns it.

    Args:
        consumer: Follows each to its end.
        client: Acknowledges.
        working: Counts what is being worked on.
        limit: How many that may be; beyond it, those of QoS 0 are dropped, and others left to the broker.
    """

    def __init__(self, consumer: Consumer, client: MqttClient, working: Callable[[], int], limit: int) -> None:
        self._consumer = consumer
        self._client = client
        self._working = working
        self._limit = limit
        self._ledger = Ledger()
        self._left = False
        self.closed = False
        self._lines = Bursts(logger, KEY, most=5)
        self.counts = Counter[str]()

    def connected(self, *, session_present: bool) -> None:
        """Begin a connection."""
        self._left = False
        forgotten = self._ledger.connected(session_present=session_present)
        if forgotten:
            logger.warning(
                "ingress-mqtt: the broker has lost its session of this gateway, with %d messages that are being sent; "
                "they are sent, and lost only if the gateway fails before that",
                forgotten,
            )

    def lost(self) -> None:
        """Leave to the broker what has not come to its end: it may hand it to others of the group meanwhile."""
        self._consumer.lost()
        self._ledger.give_up()

    @property
    def wants_more(self) -> bool:
        """Whether the broker should hand over what was left to it: it does so on a new connection."""
        return self._left and self._working() <= self._limit // 2

    # -- in ---------------------------------------------------------------------------------------------------------

    def consume(self, message: MQTTMessage) -> None:
        """Take a message of the broker's in."""
        if message.qos == 0:
            self._take_unkept(message)
            return
        name = digest(message._topic, message.payload)  # `topic` raises where it is not UTF-8
        if (held := self._ledger.again(message.mid, name, duplicate=message.dup)) is not None:
            self.counts["again"] += 1
            if held.settled:
                self._acknowledge(held)
        elif self.closed:
            return  # the broker keeps it for the next connection
        elif message.retain:
            self._ignore_retained()
            self._client.ack(message.mid, message.qos)
        elif self._working() >= self._limit:
            self._leave()
        else:
            self._take_kept(message, name)

    def _take_kept(self, message: MQTTMessage, name: bytes) -> None:
        attempt, first_seen = _handed_on(message)
        now = int(time.time())
        seen = now if first_seen is None else min(first_seen, now)
        held = Held(message.mid, message.qos, name, _topic(message), time.monotonic(), seen, self._ledger.connection)
        self._ledger.hold(held, duplicate=message.dup)
        date_time = None if first_seen is None else seen
        delivery = _delivery(message, held, kept=True)
        self._consumer.consume(replace(delivery, attempt=attempt, date_time=date_time))

    def _take_unkept(self, message: MQTTMessage) -> None:
        if message.retain:
            self._ignore_retained()
        elif self.closed or self._working() >= self._limit:
            self.counts["dropped"] += 1
            self._lines.log(
                logging.WARNING,
                "messages of QoS 0 lost",
                "ingress-mqtt: a message of QoS 0 is lost: %s; only with QoS 1 or 2 the broker keeps it",
                "the gateway is stopping" if self.closed else f"{self._limit} wait already",
            )
        else:
            self._consumer.consume(_delivery(message, None, kept=False))

    def take_again(self, delivery: Delivery) -> None:
        """Try a message again that could not be handed on; its life goes on."""
        attempt = min(delivery.attempt + 1, _MOST_ATTEMPTS)
        self._consumer.consume(replace(delivery, attempt=attempt, redelivered=True))

    def _ignore_retained(self) -> None:
        self.counts["retained"] += 1
        self._lines.log(
            logging.WARNING,
            "retained messages not taken",
            "ingress-mqtt: a retained message is not taken, since the broker would send it again at each connection; "
            "commands are to be published without the flag retain",
        )

    def _leave(self) -> None:
        self.counts["left"] += 1
        if not self._left:
            self._left = True
            logger.warning(
                "ingress-mqtt: %d messages wait already; more are left to the broker, which delivers them again later",
                self._limit,
            )

    # -- out --------------------------------------------------------------------------------------------------------

    def settle(self, delivery: Delivery) -> None:
        """Acknowledge a message that has come to its end; on a later connection, when it comes again there."""
        held: Held | None = delivery.tag
        if held is not None and self._ledger.may_acknowledge(held):
            self._acknowledge(held)

    def _acknowledge(self, held: Held) -> None:
        self._client.ack(held.mid, held.qos)
        self._ledger.acknowledged(held)

    def released(self, mid: int) -> None:
        """Forget the identifier of a message of QoS 2."""
        self._ledger.released(mid)


def handed_on_properties(delivery: Delivery) -> Properties:
    """Return what goes with a message that is published again for other gateways of the group."""
    held: Held = delivery.tag
    properties = new_properties(PacketTypes.PUBLISH)
    if delivery.callback is not None:
        if delivery.callback.topic:
            properties.ResponseTopic = delivery.callback.topic
        if delivery.callback.correlation:
            properties.CorrelationData = delivery.callback.correlation
    if delivery.expiration is not None:
        properties.MessageExpiryInterval = max(1, int(delivery.expiration - time.time()))
    first_seen = held.first_seen if delivery.first_seen is None else min(held.first_seen, delivery.first_seen)
    properties.UserProperty = (HANDED_ON, f"{min(delivery.attempt + 1, _MOST_ATTEMPTS)} {first_seen}")
    return properties


def _delivery(message: MQTTMessage, held: Held | None, *, kept: bool) -> Delivery:
    properties: Any = message.properties
    topic, correlation = getattr(properties, "ResponseTopic", ""), getattr(properties, "CorrelationData", b"")
    expiry = getattr(properties, "MessageExpiryInterval", None)
    return Delivery(
        body=bytes(message.payload),
        tag=held,
        kept=kept,
        redelivered=message.dup,
        callback=Callback(topic, correlation) if topic or correlation else None,
        expiration=None if expiry is None else int(time.time()) + expiry,
    )


def _handed_on(message: MQTTMessage) -> tuple[int, int | None]:
    """Read how often a message was handed on, and when the first gateway had it."""
    for name, value in getattr(message.properties, "UserProperty", ()):
        attempts, _, seen = value.partition(" ")
        if name == HANDED_ON and attempts.isascii() and attempts.isdigit() and seen.isascii() and seen.isdigit():
            return min(int(attempts[:6]), _MOST_ATTEMPTS), int(seen[:12])
    return 0, None


def _topic(message: MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        return ""
