"""Every broker at once, with passwords, and an application server on each: for tests of all ingresses together."""

import base64
import http.client
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, Self

import pika
import redis
import websocket

from otppi.testing.brokers.messenger import Messenger
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.mqtt_peer import MqttPeer
from otppi.testing.brokers.rabbitmq import RabbitMq
from otppi.testing.brokers.redis import Redis
from otppi.testing.waiting import PATIENCE

USER = "kantor"
PASSWORDS = {name: f"S4NDI-{name}-77120" for name in ("rabbitmq", "mqtt", "wsmessagebroker", "redis", "stomp")}
SOURCE = "otppi-perintah"


class Server:
    """An application server on one broker: it sends commands, and hears all that comes to its topic. One thread.

    Attributes:
        heard: All that came, as it came.
    """

    name: ClassVar[str]
    section: dict[str, Any]

    def __init__(self) -> None:
        self.topic = f"jawaban-{self.name}-{uuid.uuid4().hex[:8]}"
        self.heard: list[bytes] = []

    def throw(self, body: bytes) -> None:
        """Send anything."""
        raise NotImplementedError

    def listen(self, seconds: float) -> None:
        """Hear what comes within some seconds; returns when something has come."""
        raise NotImplementedError

    def close(self) -> None:
        """Hang up."""

    def ask(self, command: str, data: Any = None, **more: Any) -> dict[str, Any]:
        """Send a command and give the answer to it: of the same command and id, and no later state of a message."""
        known = len(self.heard)
        self.throw(self.envelope(command, data, **more))
        deadline = time.monotonic() + PATIENCE
        while True:
            for answer in map(json.loads, self.heard[known:]):
                if answer.get("command") == command and _is_about(answer.get("data"), data):
                    return dict(answer)
                known += 1
            assert time.monotonic() < deadline, f"{self.name}: no answer to {command} in {len(self.heard)} messages"
            self.listen(0.5)

    def envelope(self, command: str, data: Any = None, **more: Any) -> bytes:
        """Write a command that wants its answer here."""
        whole = {"command": command, "data": data, "callback_topic": self.topic, "callback_delay": 0, **more}
        return json.dumps(whole).encode()

    def barrier(self) -> None:
        """Wait until everything that was sent before was taken in."""
        mark = uuid.uuid4().hex
        self.throw(self.envelope("echo", mark))
        deadline = time.monotonic() + PATIENCE
        while not any(mark.encode() in one for one in self.heard):
            assert time.monotonic() < deadline, f"{self.name}: the echo did not come"
            self.listen(0.5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _is_about(told: Any, asked: Any) -> bool:
    """Whether the data of an answer are those of a first answer to what was asked, as far as ids tell."""
    first_told, first_asked = ((one[0] if isinstance(one, list) and one else one) for one in (told, asked))
    if not isinstance(first_told, dict) or not isinstance(first_asked, dict):
        return True
    if "discharged" in first_told:  # a later state, of whatever message
        return False
    return "id" not in first_told or "id" not in first_asked or first_told["id"] == str(first_asked["id"])


class AmqpServer(Server):
    """AMQP; also for what is taken from the queue by STOMP."""

    name = "rabbitmq"

    def __init__(self, broker: RabbitMq, virtual_host: str) -> None:
        super().__init__()
        self.broker, self.virtual_host = broker, virtual_host
        self.queue = f"{SOURCE}-{self.name}"
        self.section = {
            "enable": True,
            "host": broker.address,
            "port": broker.port,
            "username": USER,
            "password": PASSWORDS["rabbitmq"],
            "virtual_host": virtual_host,
            "queue": self.queue,
        }
        self._connect()

    def _connect(self) -> None:
        parameters = pika.URLParameters(self.broker.url)
        parameters.virtual_host, parameters.heartbeat = self.virtual_host, 0
        self._connection = pika.BlockingConnection(parameters)
        self.channel = self._connection.channel()
        self.channel.queue_declare(self.queue, durable=True, arguments={"x-queue-type": "quorum"})
        self.channel.queue_declare(self.topic, durable=True)
        self.channel.basic_consume(self.topic, self._on_message, auto_ack=True)

    def _on_message(self, _channel: Any, _method: Any, _properties: Any, body: bytes) -> None:
        self.heard.append(body)

    def throw(self, body: bytes, **properties: Any) -> None:
        self.channel.basic_publish("", self.queue, body, pika.BasicProperties(delivery_mode=2, **properties))

    def listen(self, seconds: float) -> None:
        self._connection.process_data_events(seconds)

    def waiting(self) -> int:
        """Count what waits in the queue and was not delivered."""
        count: int = self.channel.queue_declare(self.queue, passive=True).method.message_count
        return count

    def reconnect(self) -> None:
        """Connect anew, after the broker was away."""
        with suppress(Exception):
            self._connection.close()
        self._connect()

    def close(self) -> None:
        self._connection.close()


class StompServer(AmqpServer):
    """AMQP at its end, STOMP at the gateway's."""

    name = "stomp"

    def __init__(self, broker: RabbitMq, virtual_host: str) -> None:
        super().__init__(broker, virtual_host)
        self.section = {
            "enable": True,
            "host": broker.address,
            "port": broker.stomp_port,
            "username": f"{USER}-stomp",
            "password": PASSWORDS["stomp"],
            "virtual_host": virtual_host,
            "destination": f"/amq/queue/{self.queue}",
        }


class MqttServer(Server):
    """MQTT 5."""

    name = "mqtt"

    def __init__(self, broker: Mosquitto) -> None:
        super().__init__()
        self.section = {
            "enable": True,
            "host": broker.address,
            "port": broker.port,
            "username": USER,
            "password": PASSWORDS["mqtt"],
            "topic": SOURCE,
            "client_id": "otppi-semua",
        }
        self.peer = MqttPeer(broker.port, username=USER, password=PASSWORDS["mqtt"]).__enter__()
        self.peer.subscribe(self.topic)

    def throw(self, body: bytes, **properties: Any) -> None:
        self.peer.publish(SOURCE, body, properties=properties or None)

    def listen(self, seconds: float) -> None:
        with suppress(AssertionError):
            self.peer.wait_for(len(self.heard) + 1, self.topic, seconds)
        self.heard = [one.payload for one in self.peer.heard if one.topic == self.topic]

    def close(self) -> None:
        self.peer.__exit__()


class WsServer(Server):
    """WSMessageBroker."""

    name = "wsmessagebroker"

    def __init__(self, broker: Messenger) -> None:
        super().__init__()
        self.section = {
            "enable": True,
            "host": "127.0.0.1",
            "port": broker.port,
            "username": USER,
            "password": PASSWORDS["wsmessagebroker"],
            "topic": SOURCE,
        }
        self._out, self._in = (self._connect(broker, channel) for channel in (SOURCE, self.topic))
        broker.wait_for_clients(1, self.topic)

    def _connect(self, broker: Messenger, channel: str) -> Any:
        basic = base64.b64encode(f"{USER}:{PASSWORDS[self.name]}".encode()).decode()
        url = f"ws://127.0.0.1:{broker.port}/?channel={channel}"
        return websocket.create_connection(url, timeout=PATIENCE, header=[f"Authorization: Basic {basic}"])

    def throw(self, body: bytes) -> None:
        self._out.send(body.decode(errors="replace"))

    def listen(self, seconds: float) -> None:
        self._in.settimeout(seconds)
        with suppress(websocket.WebSocketTimeoutException):
            self.heard.append(self._in.recv().encode())

    def close(self) -> None:
        for connection in (self._in, self._out):
            connection.close()


class RedisServer(Server):
    """A stream of Redis."""

    name = "redis"

    def __init__(self, broker: Redis) -> None:
        super().__init__()
        self.section = {
            "enable": True,
            "host": "127.0.0.1",
            "port": broker.port,
            "password": PASSWORDS["redis"],
            "key": SOURCE,
        }
        self.client = redis.Redis(port=broker.port, password=PASSWORDS["redis"])
        self._last = "0"

    def throw(self, body: bytes) -> None:
        self.client.xadd(SOURCE, {"body": body})

    def listen(self, seconds: float) -> None:
        found: Any = self.client.xread({self.topic: self._last}, block=max(1, int(seconds * 1000)))
        for _, entries in found or ():
            for entry, fields in entries:
                self._last = entry
                self.heard.append(fields[b"body"])

    def close(self) -> None:
        self.client.close()


class Brokers:
    """All brokers, and a server on each.

    Attributes:
        servers: By the name of the ingress.
        sections: The settings of all ingresses.
    """

    def __init__(
        self, rabbitmq: RabbitMq, mosquitto: Mosquitto, messenger: Messenger, redis_: Redis, virtual_host: str
    ) -> None:
        self.rabbitmq, self.mosquitto, self.messenger, self.redis = rabbitmq, mosquitto, messenger, redis_
        made = (
            AmqpServer(rabbitmq, virtual_host),
            StompServer(rabbitmq, virtual_host),
            MqttServer(mosquitto),
            WsServer(messenger),
            RedisServer(redis_),
        )
        self.servers: dict[str, Server] = {server.name: server for server in made}

    @property
    def sections(self) -> dict[str, Any]:
        return {f"ingress-{name}": dict(server.section) for name, server in self.servers.items()}


@contextmanager
def all_brokers(rabbitmq: RabbitMq, folder: Path) -> Iterator[Brokers]:
    """Start what is not started, with users and passwords, and a virtual host of its own."""
    virtual_host = f"semua-{uuid.uuid4().hex[:6]}"
    users = {USER: PASSWORDS["rabbitmq"], f"{USER}-stomp": PASSWORDS["stomp"]}
    manage(rabbitmq, "PUT", f"vhosts/{virtual_host}")
    for user, password in users.items():
        manage(rabbitmq, "PUT", f"users/{user}", password=password, tags="")
    for user in (*users, "guest"):
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        manage(rabbitmq, "PUT", f"permissions/{virtual_host}/{user}", **everything)
    with ExitStack() as stack:
        mosquitto = stack.enter_context(Mosquitto(folder / "mosquitto", users={USER: PASSWORDS["mqtt"]}))
        messenger = stack.enter_context(Messenger(users={USER: PASSWORDS["wsmessagebroker"]}, documented=True))
        redis_ = stack.enter_context(Redis(folder / "redis", password=PASSWORDS["redis"]))
        brokers = Brokers(rabbitmq, mosquitto, messenger, redis_, virtual_host)
        for server in brokers.servers.values():
            stack.callback(server.close)
        yield brokers
    for user in users:
        manage(rabbitmq, "DELETE", f"users/{user}")
    manage(rabbitmq, "DELETE", f"vhosts/{virtual_host}")


def manage(broker: RabbitMq, method: str, path: str, **body: str) -> None:
    """Call RabbitMQ's management API, which is much quicker than `rabbitmqctl`."""
    login = base64.b64encode(b"guest:guest").decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(broker.address, broker.management_port, timeout=PATIENCE)
    connection.request(method, f"/api/{path}", json.dumps(body), headers)
    response = connection.getresponse()
    assert response.status < 300, response.read()
    connection.close()
