"""An application server that speaks MQTT, for tests: publishes commands, and reads what is published for it."""

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from otppi.testing.waiting import PATIENCE


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that a peer got."""

    topic: str
    payload: bytes = field(repr=False)
    qos: int
    retain: bool
    properties: Any


class MqttPeer:
    """A client with a thread of its own, without a session.

    Args:
        port: The broker's.
        version_5: Whether it speaks MQTT 5.
        username, password: Its credentials.
        ca_file: Connect with TLS, and verify the broker by this.
    """

    def __init__(
        self, port: int, *, version_5: bool = True, username: str = "", password: str = "", ca_file: str = ""
    ) -> None:
        self._port = port
        self._version_5 = version_5
        version = MQTTProtocolVersion.MQTTv5 if version_5 else MQTTProtocolVersion.MQTTv311
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=version)
        if username:
            self._client.username_pw_set(username, password)
        if ca_file:
            self._client.tls_set(ca_file)
        self._changed = threading.Condition()
        self._subscribed: set[int] = set()
        self._connected = False
        self.heard: list[Heard] = []
        self.reasons: dict[int, int] = {}
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_connect = self._on_connect

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port, 60)
        self._client.loop_start()
        self._until(lambda: self._connected, "connected")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        # Paho's thread forgets itself as it ends, maybe between the look and the wait of `loop_stop`. A thread of
        # our own is no way out: paho would write from two of them.
        with contextlib.suppress(AttributeError):
            self._client.loop_stop()

    def publish(
        self,
        topic: str,
        payload: bytes,
        qos: int = 1,
        *,
        retain: bool = False,
        properties: Mapping[str, Any] | None = None,
        wait: bool = True,
    ) -> int:
        """Publish, and wait until the broker has it; `properties` by their names in paho. Gives the reason code."""
        packed = None
        if properties:
            packed = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            for name, value in properties.items():
                setattr(packed, name, value)
        info = self._client.publish(topic, payload, qos, retain, packed)
        if wait:
            self._until(lambda: info.mid in self.reasons, "published")
        return self.reasons.get(info.mid, 0)

    def subscribe(self, topic: str, qos: int = 1) -> None:
        """Subscribe, and wait until the broker has granted it."""
        _, mid = self._client.subscribe(topic, qos)
        self._until(lambda: mid in self._subscribed, "subscribed")

    def wait_for(self, count: int, topic: str | None = None, seconds: float = PATIENCE) -> list[Heard]:
        """Wait until so many messages have come, to this topic where one is given; return them."""

        def wanted() -> list[Heard]:
            return [one for one in self.heard if topic is None or one.topic == topic]

        self._until(lambda: len(wanted()) >= count, f"{count} messages, got {len(wanted())}", seconds)
        return wanted()

    def _until(self, condition: Any, what: str, seconds: float = PATIENCE) -> None:
        with self._changed:
            if not self._changed.wait_for(condition, seconds):
                raise AssertionError(f"not within {seconds:g} s: {what}")

    def _on_connect(self, *_: Any) -> None:
        with self._changed:
            self._connected = True
            self._changed.notify_all()

    def _on_message(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        with self._changed:
            heard = Heard(message.topic, bytes(message.payload), message.qos, message.retain, message.properties)
            self.heard.append(heard)
            self._changed.notify_all()

    def _on_subscribe(self, _client: Any, _data: Any, mid: int, *_: Any) -> None:
        with self._changed:
            self._subscribed.add(mid)
            self._changed.notify_all()

    def _on_publish(self, _client: Any, _data: Any, mid: int, reason: Any, _properties: Any) -> None:
        with self._changed:
            self.reasons[mid] = int(reason.value)
            self._changed.notify_all()
