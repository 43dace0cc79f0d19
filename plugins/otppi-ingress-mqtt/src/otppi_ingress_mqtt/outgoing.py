"""What is published: answers, later states, messages that came in, the state of the gateway, messages handed on."""

import logging
from collections import Counter, deque
from collections.abc import Callable

from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from otppi.kit.broker.outbox import Action, Delivery
from otppi.kit.broker.verdict import Verdict
from otppi.kit.bursts import Bursts
from otppi_ingress_mqtt import reasons
from otppi_ingress_mqtt.client import MqttClient, new_properties
from otppi_ingress_mqtt.intake import handed_on_properties
from otppi_ingress_mqtt.ledger import Held
from otppi_ingress_mqtt.settings import KEY
from otppi_ingress_mqtt.text import _
from otppi_ingress_mqtt.topics import catches, name_problem

logger = logging.getLogger(__name__)

_WINDOW = 20
"""Publications on their way where the broker does not say how many it takes: what Mosquitto takes."""
_MOST_WAITING = 1000
LOST = _("the connection was lost")
_OVERHEAD = 200
"""Octets that a packet has beside topic, payload and correlation data, at the most."""


class Outgoing:
    """Publishes, and settles a delivery once its answer is safe with the broker. The connection's thread owns it.

    Args:
        client: Publishes.
        version_5: Whether it speaks MQTT 5.
        qos: Of everything that is published.
        subscription: The topic filter of this gateway's own: what it catches is not published.
        settle: Ends a delivery.
        take_again: Takes back a message that could not be handed on.
    """

    def __init__(
        self,
        client: MqttClient,
        *,
        version_5: bool,
        qos: int,
        subscription: str,
        settle: Callable[[Delivery], None],
        take_again: Callable[[Delivery], None],
    ) -> None:
        self._client = client
        self._version_5 = version_5
        self._qos = self._wanted_qos = qos
        self._subscription = subscription
        self._settle = settle
        self._take_again = take_again
        self._waiting: deque[Action] = deque()
        self._outstanding: dict[int, Action] = {}
        self._states: dict[int, Callable[[str], None]] = {}
        self.settling = 0
        """How many deliveries wait here for their end."""
        self._window = _WINDOW
        self._largest: int | None = None
        self._lines = Bursts(logger, KEY, most=5)
        self.counts = Counter[str]()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._outstanding)

    @property
    def has_room(self) -> bool:
        """Whether to put more in; what the broker does not take is bounded where it comes from."""
        return len(self._waiting) < _MOST_WAITING

    @property
    def has_window(self) -> bool:
        """Whether the broker takes one more publication now."""
        return len(self._outstanding) < self._window

    def connected(self, properties: Properties | None) -> None:
        """Take note of what the broker can do (MQTT 5, 3.2.2.3); paho publishes again what was on its way."""
        self._window = max(1, min(getattr(properties, "ReceiveMaximum", _WINDOW), 1000))
        self._qos = min(self._wanted_qos, getattr(properties, "MaximumQoS", 2))
        self._largest = getattr(properties, "MaximumPacketSize", None)

    def put(self, action: Action) -> None:
        """Have something published, or handed on where its verdict is AGAIN, and its delivery settled then."""
        if action.delivery is not None:
            self.settling += 1
            if action.delivery.tag is not None:
                action.delivery.tag.leaving = True
        self._waiting.append(action)

    def pump(self) -> None:
        """Publish as much as the broker takes at once."""
        while self._waiting and self.has_window:
            action = self._waiting.popleft()
            if action.verdict is Verdict.AGAIN and action.delivery is not None:
                sent = self._hand_on(action, action.delivery)
            else:
                sent = self._answer(action)
            if not sent:
                self._waiting.appendleft(action)
                return

    def state(self, topic: str, payload: bytes, told: Callable[[str], None] | None = None) -> Callable[[], bool]:
        """Publish a state of the gateway, retained; return what tells whether that is done.

        Args:
            topic: Where.
            payload: What; nothing: what is retained there is removed.
            told: Is called when the broker has it, with nothing, or with why it does not take it; or, where the
                connection is lost before, with `LOST`: then it is not published again.
        """
        if told is not None and (problem := self._problem(topic, len(payload))) is not None:
            told(_("the topic {problem}", problem=problem))
            return lambda: True
        info = self._client.publish(topic, payload, min(self._qos, 1), retain=True)
        if info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS:
            if self._qos:
                self._outstanding[info.mid] = Action()
                if told is not None:
                    self._states[info.mid] = told
            elif told is not None:
                told("")
        return lambda: info.mid not in self._outstanding

    def lost(self) -> None:
        """Give up the states that were on their way when the connection was lost: who published them does it anew."""
        states, self._states = self._states, {}
        for mid, told in states.items():
            self._client.forget(mid)
            self._outstanding.pop(mid, None)
            told(LOST)

    def _answer(self, action: Action) -> bool:
        callback = action.callback
        if callback is None:
            self._done(action)
            return True
        properties = None
        if self._version_5:
            properties = new_properties(PacketTypes.PUBLISH)
            properties.PayloadFormatIndicator = 1
            properties.ContentType = "application/json"
            if callback.correlation:
                properties.CorrelationData = callback.correlation
        size = len(action.payload) + len(callback.correlation)
        problem = self._problem(callback.topic, size)
        if problem is not None:
            self.counts["unpublished"] += 1
            self._lines.log(
                logging.WARNING,
                "answers not published",
                "ingress-mqtt: an answer is not published, its topic %s",
                problem,
            )
            self._done(action)
            return True
        return self._publish(action, callback.topic, action.payload, self._qos, properties)

    def _problem(self, topic: str, size: int) -> str | None:
        if (problem := name_problem(topic)) is not None:
            return problem
        if catches(self._subscription, topic):
            return _("is the one that commands are taken from")
        if self._largest is not None and size + len(topic.encode()) + _OVERHEAD > self._largest:
            return _("cannot take it: the broker takes {largest} octets at the most", largest=self._largest)
        return None

    def _hand_on(self, action: Action, delivery: Delivery) -> bool:
        """Publish a message again that another gateway of the group may send; it is acknowledged after that."""
        held: Held = delivery.tag
        if name_problem(held.topic) is not None:
            self._back(action)
            return True
        return self._publish(action, held.topic, delivery.body, max(1, self._qos), handed_on_properties(delivery))

    def _publish(self, action: Action, topic: str, payload: bytes, qos: int, properties: Properties | None) -> bool:
        info = self._client.publish(topic, payload, qos, properties=properties)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False  # no connection any more, or no packet identifier is free: later
        if qos:
            self._outstanding[info.mid] = action
        else:
            self._done(action)
        return True

    def published(self, mid: int, reason: ReasonCode) -> None:
        """Take note that the broker has a publication, or refuses it."""
        action = self._outstanding.pop(mid, None)
        if action is None:
            return
        if (told := self._states.pop(mid, None)) is not None:
            told(str(reason) if reason.is_failure else "")
            return
        handing_on = action.verdict is Verdict.AGAIN and action.delivery is not None
        if reason.value == reasons.PACKET_ID_IN_USE:
            self._waiting.appendleft(action)
        elif handing_on and (reason.is_failure or reason.value == reasons.NO_SUBSCRIBERS):
            self._lines.log(
                logging.WARNING,
                "messages not handed on",
                "ingress-mqtt: the broker does not take a message for other gateways (%s); it is tried here again",
                reason,
            )
            self._back(action)
        else:
            if reason.is_failure:
                self.counts["refused"] += 1
                self._lines.log(
                    logging.WARNING,
                    "answers refused",
                    "ingress-mqtt: the broker refuses an answer, which is lost: %s",
                    reason,
                )
            self._done(action)

    def _done(self, action: Action) -> None:
        if action.callback is not None:
            self.counts["published"] += 1
        if action.delivery is not None:
            self.settling -= 1
            self.counts["handed_on"] += action.verdict is Verdict.AGAIN
            self._settle(action.delivery)

    def drop_poison(self, reason: str) -> None:
        """Give up what was on its way when the broker hung up because of it."""
        if not self._outstanding:
            return
        self._client.drop_out_messages()
        given_up, self._outstanding = self._outstanding, {}
        states, self._states = self._states, {}
        for told in states.values():
            told(reason)
        self.counts["refused"] += len(given_up)
        logger.warning("ingress-mqtt: %d answers are given up, since the broker hung up: %s", len(given_up), reason)
        for action in given_up.values():
            if action.verdict is Verdict.AGAIN and action.delivery is not None:
                self._back(action)
            else:
                self._done(action)

    def _back(self, action: Action) -> None:
        """Take a message back that could not be handed on."""
        if action.delivery is not None:
            self.settling -= 1
            action.delivery.tag.leaving = False
            self._take_again(action.delivery)
