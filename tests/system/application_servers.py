"""An application server on each ingress: it asks, and waits for the answer on the callback topic that it named."""

import json
import uuid
from abc import ABC, abstractmethod
from typing import Any, Self

import pika
import websocket

from otppi.testing.brokers.messenger import Messenger
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.mqtt_peer import MqttPeer
from otppi.testing.brokers.rabbitmq import RabbitMq
from otppi.testing.waiting import PATIENCE, until
from tests.system.conftest import Client, Gateway

Envelope = dict[str, Any]

_QUEUE = "otppi-across"
_TOPIC = "otppi/across"
_CHANNEL = "otppi-across"


class ApplicationServer(ABC):
    """What sends by one ingress. `ask` is called by one thread at a time."""

    key: str

    @abstractmethod
    def ask(self, envelope: Envelope) -> Envelope:
        """Send a command, and give its first answer."""

    @abstractmethod
    def later(self) -> Envelope:
        """Return the next answer to the command that was asked last, such as a later state."""

    @abstractmethod
    def throw(self, body: bytes) -> None:
        """Send anything, and wait for no answer."""

    @abstractmethod
    def close(self) -> None:
        """Hang up."""

    def command(self, name: str, data: Any = None, **more: Any) -> Envelope:
        """Send a command, and give its answer; of a list, later states of its first messages may come before it."""
        answer = self.ask({"command": name, "data": data, "callback_delay": 0, **more})
        while name == "send-sms" and isinstance(data, list) and not isinstance(answer.get("data"), list):
            answer = self.later()
        return answer

    def send(self, number: Any, receiver: str, text: str, **more: Any) -> Envelope:
        """Send a message, and give its first answer."""
        return self.command("send-sms", {"id": number, "receiver": receiver, "message": text, **more})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Rest(ApplicationServer):
    """HTTP: the answer comes with the response, and later states are asked for."""

    key = "ingress-rest"

    def __init__(self, gateway: Gateway) -> None:
        self._client: Client = gateway.client()
        self._last: Envelope = {}

    def ask(self, envelope: Envelope) -> Envelope:
        self._last = self._client.request("POST", "/api/message?wait=30", json.dumps(envelope).encode())[1]
        return self._last

    def later(self) -> Envelope:
        """Poll until the state is another one."""
        before = self._last["data"]

        def other() -> Envelope | None:
            now: Envelope = self._client.message(before["message_id"])
            return now if now["state"] != before["state"] else None

        return {"data": until(other, "there is a later state")}

    def throw(self, body: bytes) -> None:
        self._client.request("POST", "/api/message", body)

    def close(self) -> None:
        self._client.__exit__()


class Rabbit(ApplicationServer):
    """AMQP: each answer comes to a queue of its own."""

    key = "ingress-rabbitmq"

    def __init__(self, broker: RabbitMq, virtual_host: str) -> None:
        parameters = pika.URLParameters(broker.url)
        parameters.virtual_host, parameters.heartbeat = virtual_host, 0
        self._connection = pika.BlockingConnection(parameters)
        self._channel = self._connection.channel()
        self._queue = ""

    @staticmethod
    def settings(broker: RabbitMq, virtual_host: str) -> dict[str, Any]:
        return {
            "enable": True,
            "host": broker.address,
            "port": broker.port,
            "username": "guest",
            "password": "guest",
            "queue": _QUEUE,
            "virtual_host": virtual_host,
        }

    def ask(self, envelope: Envelope) -> Envelope:
        self._queue = self._channel.queue_declare("", exclusive=True).method.queue
        self.throw(json.dumps(envelope | {"callback_topic": self._queue}).encode())
        return self.later()

    def later(self) -> Envelope:
        try:
            for method, _, body in self._channel.consume(self._queue, inactivity_timeout=PATIENCE):
                assert method is not None, "no answer"
                self._channel.basic_ack(method.delivery_tag)
                answer: Envelope = json.loads(body)
                return answer
        finally:
            self._channel.cancel()  # what came with it goes back to the queue, as it is not acknowledged
        raise AssertionError("the queue is gone")

    def throw(self, body: bytes) -> None:
        self._channel.basic_publish("", _QUEUE, body, pika.BasicProperties(delivery_mode=2))

    def close(self) -> None:
        self._connection.close()


class Mqtt(ApplicationServer):
    """MQTT: each answer comes to a topic of its own."""

    key = "ingress-mqtt"

    def __init__(self, broker: Mosquitto) -> None:
        self._peer = MqttPeer(broker.port).__enter__()
        self._topic, self._heard = "", 0

    @staticmethod
    def settings(broker: Mosquitto) -> dict[str, Any]:
        return {"enable": True, "host": "127.0.0.1", "port": broker.port, "topic": _TOPIC, "client_id": "otppi-across"}

    def ask(self, envelope: Envelope) -> Envelope:
        self._topic, self._heard = f"answers/{uuid.uuid4().hex}", 0
        self._peer.subscribe(self._topic)
        self.throw(json.dumps(envelope | {"callback_topic": self._topic}).encode())
        return self.later()

    def later(self) -> Envelope:
        self._heard += 1
        heard = self._peer.wait_for(self._heard, self._topic, PATIENCE)
        answer: Envelope = json.loads(heard[self._heard - 1].payload)
        return answer

    def throw(self, body: bytes) -> None:
        self._peer.publish(_TOPIC, body)

    def close(self) -> None:
        self._peer.__exit__()


class Ws(ApplicationServer):
    """WSMessageBroker: each answer comes by a connection of its own, to a channel of its own."""

    key = "ingress-wsmessagebroker"

    def __init__(self, broker: Messenger) -> None:
        self._broker = broker
        self._url = f"ws://127.0.0.1:{broker.port}/?channel="
        self._out = self._connect(_CHANNEL)
        self._in: Any = None

    @staticmethod
    def settings(broker: Messenger) -> dict[str, Any]:
        server = {"host": "127.0.0.1", "port": broker.port, "username": "app", "password": "password"}
        return {"enable": True, "topic": _CHANNEL, **server}

    def _connect(self, channel: str) -> Any:
        header = ["Authorization: Basic YXBwOnBhc3N3b3Jk"]  # app:password
        return websocket.create_connection(self._url + channel, timeout=PATIENCE, header=header)

    def ask(self, envelope: Envelope) -> Envelope:
        if self._in is not None:
            self._in.close()
        topic = f"answers-{uuid.uuid4().hex}"
        self._in = self._connect(topic)
        self._broker.wait_for_clients(1, topic)  # the handshake is over before the server counts it in
        self.throw(json.dumps(envelope | {"callback_topic": topic}).encode())
        return self.later()

    def later(self) -> Envelope:
        answer: Envelope = json.loads(self._in.recv())
        return answer

    def throw(self, body: bytes) -> None:
        self._out.send(body.decode(errors="replace"))

    def close(self) -> None:
        for connection in (self._in, self._out):
            if connection is not None:
                connection.close()
