"""A served ingress on a real RabbitMQ, and a client beside it."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import pytest

from otppi.api.ingress import IngressContext, ReceivedMessage
from otppi.testing.brokers.rabbitmq import PASSWORD, USER, RabbitMq
from otppi.testing.stand_in import StandInGateway
from otppi.testing.waiting import PATIENCE
from otppi.testing.waiting import until as eventually
from otppi_ingress_stomp.ingress import StompIngress
from otppi_ingress_stomp.settings import SECTION

_numbers = itertools.count(1)


def command(text: str, **more: Any) -> bytes:
    """Write a command that sends a text."""
    data = {"id": text, "receiver": "08126666666", "message": text}
    return json.dumps({"command": "send-sms", "data": data, **more}).encode()


class Client:
    """An application server that speaks AMQP, with a queue of its own."""

    def __init__(self, broker: RabbitMq) -> None:
        self.queue = f"stomp-{next(_numbers)}"
        self._connection = pika.BlockingConnection(pika.URLParameters(broker.url))
        self.channel = self._connection.channel()
        self.channel.queue_declare(self.queue, durable=True)
        self.channel.confirm_delivery()  # what it has sent is on the broker's disk

    def send(self, body: bytes, **properties: Any) -> None:
        self.channel.basic_publish("", self.queue, body, pika.BasicProperties(delivery_mode=2, **properties))

    def declare(self, name: str = "", **arguments: Any) -> str:
        return str(self.channel.queue_declare(name, durable=bool(name), arguments=arguments).method.queue)

    def waiting(self, queue: str = "") -> int:
        """Count what is in a queue, and not with a consumer."""
        return int(self.channel.queue_declare(queue or self.queue, passive=True).method.message_count)

    def consumers(self) -> int:
        return int(self.channel.queue_declare(self.queue, passive=True).method.consumer_count)

    def get(self, queue: str) -> tuple[Any, bytes]:
        def one() -> Any:
            _, properties, body = self.channel.basic_get(queue, auto_ack=True)
            return body is not None and (properties, body)

        return eventually(one, f"a message in {queue}")  # type: ignore[no-any-return]

    def close(self) -> None:
        if self._connection.is_open:
            self._connection.close()


class Served:
    """A running ingress."""

    def __init__(self, port: int, gateway: StandInGateway, folder: Path, changes: dict[str, Any]) -> None:
        given = {"enable": True, "host": "127.0.0.1", "port": port, "timeout": 2.0, "heartbeat": 1, **changes}
        given = {"username": USER, "password": PASSWORD, **given}
        values, problems = SECTION.validate(given)
        assert not problems
        self.gateway = gateway
        self.ingress = StompIngress(IngressContext(values, gateway, folder))
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="ingress-stomp")
        self.thread.start()

    def _run(self) -> None:
        try:
            self.ingress.run()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.failure = error

    def says(self, key: str) -> Any:
        return self.ingress.describe()[key]

    def connected(self) -> "Served":
        eventually(lambda: self.says("connected"), f"connected: {self.ingress.describe()}")
        return self

    def stop(self) -> float:
        begun = time.monotonic()
        self.ingress.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return time.monotonic() - begun


@pytest.fixture
def client(rabbitmq: RabbitMq) -> Iterator[Client]:
    one = Client(rabbitmq)
    yield one
    one.close()


@pytest.fixture
def gateway() -> StandInGateway:
    return StandInGateway()


@pytest.fixture
def serve(
    rabbitmq: RabbitMq, gateway: StandInGateway, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Served]]:
    """Return a function that serves with changed settings; all ends with the test."""
    running: list[Served] = []

    def start(port: int = 0, other: StandInGateway | None = None, **changes: Any) -> Served:
        if "destination" not in changes:
            changes["destination"] = f"/queue/{request.getfixturevalue('client').queue}"
        served = Served(port or rabbitmq.stomp_port, other or gateway, tmp_path, changes)
        running.append(served)
        return served

    yield start
    for served in running:
        served.gateway.release()
        served.stop()


class Tools:
    """What tests call; a fixture, because test modules cannot import each other."""

    eventually = staticmethod(eventually)
    command = staticmethod(command)
    Client = Client


@pytest.fixture
def tools() -> type[Tools]:
    return Tools


@pytest.fixture
def a_received_message() -> ReceivedMessage:
    return ReceivedMessage("0123456789abcdef", "m0", "+62812666001", "Halo \u00e9", 1_700_000_000.0, 1_700_000_001.0)
