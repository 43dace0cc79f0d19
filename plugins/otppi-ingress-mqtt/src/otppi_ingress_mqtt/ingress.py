"""The ingress: keeps a connection to the broker, and brings what comes to the gateway and back."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from otppi.api.ingress import IngressContext
from otppi.kit.broker.ingress import BrokerIngress
from otppi.kit.broker.outbox import Action
from otppi.kit.broker.parking import steps
from otppi.kit.broker.verdict import Verdict
from otppi.kit.net.dial import Dialer
from otppi_ingress_mqtt.client import MqttClient
from otppi_ingress_mqtt.connection import Connection, PoisonedError, Terms
from otppi_ingress_mqtt.discovery import Discovery
from otppi_ingress_mqtt.intake import Intake
from otppi_ingress_mqtt.memory import Subscribed, made_up_client_id
from otppi_ingress_mqtt.outgoing import Outgoing
from otppi_ingress_mqtt.settings import SECTION, VERSION_5
from otppi_ingress_mqtt.status import OFFLINE, Status
from otppi_ingress_mqtt.stream import Stream
from otppi_ingress_mqtt.topics import is_shared, subscription

logger = logging.getLogger(__name__)

_LEAST_WINDOW = 16
_MOST_HELD = 1000
"""Messages that may be held here where the broker is not told how many it may hand over."""
_MOST_WINDOW = 65_535
_AHEAD = 4
"""How many times the room for what is parked is asked for: the broker is told only as the connection begins."""
_LAST_WORDS = 1.0
_LINGER, _LONGEST_LINGER = 1.0, 3.0
"""Seconds in which the broker may read the last acknowledgements; the longer where the stop has time for it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take, in seconds.

    Attributes:
        first: Until a connection that is lost is tried again the first time.
        patience: In which a stop lets messages come to their end; the host waits for ten.
        renew: How long a connection lasts before it is made anew for what the broker should hand over.
        room: The same, where what is parked leaves no room for others.
        look: Between two looks at the state of the gateway.
        figures: Between two states of it that are published and differ in figures only, such as a signal.
        rest: Until what Home Assistant is to discover is tried again, where the broker did not take it.
    """

    first: float = 0.5
    patience: float = 8.0
    renew: float = 20.0
    room: float = 1.0
    look: float = 2.0
    figures: float = 30.0
    rest: float = 600.0


_PACE = Pace()


class MqttIngress(BrokerIngress):
    """Commands from an MQTT broker. The thread of `run` owns client and connection.

    Args:
        context: Settings and gateway.
        pace: How long things take.
    """

    def __init__(self, context: IngressContext, pace: Pace = _PACE) -> None:
        values = context.settings
        self._pace = pace
        self._filter = subscription(values)
        self._version_5 = values["protocol"] == VERSION_5
        self._client_id = values["client_id"] or made_up_client_id(context.folder)
        self._subscribed = Subscribed(context.folder)
        # A message that cannot be sent here is handed on to the others of the group, where MQTT can say how often
        # that was done; else it is tried again from here while the broker keeps it.
        self._hands_on = self._version_5 and is_shared(self._filter)
        super().__init__(context, SECTION, requeue=self._hands_on, patience=pace.patience, first=pace.first)
        self._client = MqttClient(
            self._client_id,
            MQTTProtocolVersion.MQTTv5 if self._version_5 else MQTTProtocolVersion.MQTTv311,
            clean=not values["session_expiry"],
            dial=self._dial,
            released=lambda mid: self._intake.released(mid),
        )
        self._client.username_pw_set(values["username"] or None, values["password"] or None)
        if values["status_topic"]:
            self._client.will_set(values["status_topic"], OFFLINE, min(values["qos"], 1), retain=True)
        self._intake = Intake(self.consumer, self._client, self._working, max(_MOST_HELD, values["receive_maximum"]))
        self._outgoing = Outgoing(
            self._client,
            version_5=self._version_5,
            qos=values["qos"],
            subscription=self._filter,
            settle=self._intake.settle,
            take_again=self._intake.take_again,
        )
        prefix = values["discovery_prefix"] if values["discovery"] else ""
        self._discovery = Discovery(
            context.folder, self._client_id, values["status_topic"], prefix, self._outgoing, pace.rest
        )
        self._status = Status(
            values["status_topic"], self.gateway, self._outgoing, self._discovery, every=pace.look, figures=pace.figures
        )
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        self._connects: Dialer | None = None
        self._window = 0
        self._room = 0
        """For how many parked ones the broker was asked; kept over a connection, as at its begin none is parked."""
        self._granted: int | None = None
        self._session_present: bool | None = None

    # -- any thread -------------------------------------------------------------------------------------------------

    def take_nothing_new(self) -> None:
        """Leave what comes from now on to the broker, before what was taken is hurried."""
        self._intake.closed = True
        super().take_nothing_new()

    def details(self) -> Mapping[str, Any]:
        """Return how subscription and session are (any thread)."""
        return {
            "in_flight": self._in_flight(),
            "topic": self._filter,
            "protocol": self.values["protocol"],
            "client_id": self._client_id,
            "qos": self._granted,
            "session_present": self._session_present,
            "receive_maximum": self._window if self._version_5 else None,
            "retained_ignored": self._intake.counts["retained"],
            "left_to_broker": self._intake.counts["left"],
            "dropped_qos_0": self._intake.counts["dropped"],
            "handed_on": self._outgoing.counts["handed_on"],
            "publications_refused": self._outgoing.counts["refused"] + self._outgoing.counts["unpublished"],
            **({"warnings": [self._discovery.refused]} if self._discovery.refused else {}),
        }

    # -- the connection's thread ------------------------------------------------------------------------------------

    def _dial(self) -> Stream:
        assert self._connects is not None  # noqa: S101 - a client dials only when a session has it connect
        return Stream(self._connects.dial())

    def session(self, dialer: Dialer) -> None:
        """Connect, subscribe, and work until the connection is to be made anew, or the gateway stops."""
        values, self._connects = self.values, dialer
        terms = Terms(
            client_id=self._client_id,
            version_5=self._version_5,
            keep_alive=values["keep_alive"],
            session_expiry=values["session_expiry"],
        )
        connection = Connection(self._client, terms, dialer.endpoint, self.alarm, lambda: self.link.stopping)
        self._window = self._wanted_window()
        try:
            connection.open(self._window, self._began)
            earlier = self._subscribed.other_than(self._filter)
            granted = connection.subscribe(self._filter, values["qos"], instead_of=earlier)
            if granted is not None:
                self._subscribed.note(self._filter)
                self._note_granted(granted)
                self.link.connected()
            self._serve(connection)
            connection.finish(max(_LINGER, min(_LONGEST_LINGER, self.alarm.ends_at - time.monotonic())))
        except PoisonedError as error:
            self._outgoing.drop_poison(str(error))
            raise
        finally:
            connection.close()
            self._outgoing.lost()
            if is_shared(self._filter) and not self.link.stopping:
                self._intake.lost()

    def _began(self, session_present: bool, properties: Properties | None) -> None:
        self._session_present = session_present
        self._intake.connected(session_present=session_present)
        self._outgoing.connected(properties)
        self._status.connected()

    def _note_granted(self, granted: int) -> None:
        if granted < self.values["qos"] and granted != self._granted:
            logger.warning(
                "ingress-mqtt: the broker grants QoS %d where %d is set%s", granted, self.values["qos"],
                "; what is on its way when something fails is lost" if granted == 0 else "",
            )  # fmt: skip
        self._granted = granted

    def _wanted_window(self) -> int:
        """Return how many messages the broker may hand over that have not come to their end."""
        window = int(self.values["receive_maximum"]) or min(max(_LEAST_WINDOW, self.gateway.capacity()), _MOST_HELD)
        return min(window + max(self._room, self._wanted_room()), _MOST_WINDOW)

    def _wanted_room(self) -> int:
        return steps(_AHEAD * self.consumer.parking.room)

    def _serve(self, connection: Connection) -> None:
        began = time.monotonic()
        while not self.link.stopping:
            if self._is_due_anew(time.monotonic() - began):
                return
            self._work()
            self._status.tell()
            connection.turn(self._pause())
        while time.monotonic() < self.alarm.ends_at and (self._in_flight() or self._has_work()):
            self._work()
            connection.turn(min(self._pause(), self.alarm.ends_at - time.monotonic()))
        told = self._status.tell_offline()
        deadline = time.monotonic() + _LAST_WORDS
        while not told() and time.monotonic() < deadline:
            connection.turn(deadline - time.monotonic())

    def _in_flight(self) -> int:
        return self.consumer.in_flight + self._outgoing.settling

    def _working(self) -> int:
        return self.consumer.working + self._outgoing.settling

    def _has_work(self) -> bool:
        return bool(self._outgoing) or bool(len(self.consumer.outbox))

    def _is_due_anew(self, age: float) -> bool:
        """Whether the connection is to be made anew: the session stays, so nothing is lost by it."""
        refresh = self.values["refresh"]
        if refresh and age >= refresh:
            return True
        if self._is_crowded() and age >= self._pace.room:
            self._room = self._wanted_room()
            return True
        if age < self._pace.renew:
            return False
        self._room = self._wanted_room()
        wanted = self._wanted_window() if self._version_5 else self._window
        # Where others share the work, this gateway should not go on holding what it had room for beside the parked.
        return self._intake.wants_more or wanted > self._window or (self._hands_on and 4 * wanted <= self._window)

    def _is_crowded(self) -> bool:
        """Whether what is parked takes up half of what the broker hands over, and a new connection makes room."""
        parked = len(self.consumer.parking)
        return self._version_5 and 2 * parked >= self._window and self._wanted_window() > self._window

    def _work(self) -> None:
        """Do what is due: settle, publish, hand on."""
        self.link.came()
        if self._outgoing.has_room:
            for action in self.consumer.due():
                self._carry_out(action)
        self._outgoing.pump()

    def _carry_out(self, action: Action) -> None:
        if action.verdict is not Verdict.AGAIN or action.delivery is None or self._hands_on:
            self._outgoing.put(action)
        # else the gateway is stopping, and the broker keeps it for the next connection

    def _pause(self) -> float:
        pause = self.consumer.pause() if self._outgoing.has_room else None
        return self._pace.look if pause is None else min(pause, self._pace.look)

    def _on_message(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        self._intake.consume(message)

    def _on_publish(self, _client: Any, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        self._outgoing.published(mid, reason)
