"""STOMP as the ingress of a real gateway, on RabbitMQ: nothing lost, nothing twice, answers and later states told."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pika
import pytest

from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.brokers.rabbitmq import PASSWORD, USER, RabbitMq
from otppi.testing.waiting import until
from tests.system.conftest import Gateway, modem

Start = Callable[..., Gateway]
_numbers = itertools.count(1)


class Queue:
    """A queue of its own, and one for answers."""

    def __init__(self, broker: RabbitMq) -> None:
        self.name = f"system-stomp-{next(_numbers)}"
        self.answers = f"{self.name}-answers"
        self.connection = pika.BlockingConnection(pika.URLParameters(broker.url))
        self._channel = self.connection.channel()
        self._channel.queue_declare(self.name, durable=True)
        self._channel.queue_declare(self.answers, durable=True)
        self._channel.confirm_delivery()
        address = {"host": "127.0.0.1", "port": broker.stomp_port, "username": USER, "password": PASSWORD}
        self.settings = {"ingress-stomp": {"enable": True, "destination": self.name, **address}}

    def send(self, number: int, text: str = "", **more: Any) -> None:
        data = {"id": number, "receiver": f"0812{number:07}", "message": text or f"text {number}"}
        body = json.dumps({"command": "send-sms", "data": data, **more}).encode()
        self._channel.basic_publish("", self.name, body, pika.BasicProperties(delivery_mode=2))

    def is_empty(self) -> bool:
        return bool(self._channel.queue_declare(self.name, passive=True).method.message_count == 0)

    def answer(self) -> dict[str, Any]:
        def one() -> Any:
            return self._channel.basic_get(self.answers, auto_ack=True)[2]

        document: dict[str, Any] = json.loads(until(one))
        return document


@pytest.fixture
def queue(rabbitmq: RabbitMq) -> Iterator[Queue]:
    one = Queue(rabbitmq)
    yield one
    one.connection.close()


def test_a_killed_gateway_loses_nothing_and_sends_nothing_twice(start: Start, queue: Queue) -> None:
    count = 60
    with ModemRack(profile=ModemProfile(network_time=0.05)) as rack:
        gateway = start([modem(rack.paths[0])], **queue.settings).until_ready()
        for number in range(count):
            queue.send(number)
        rack.network.wait_for(10)
        gateway.kill()
        until(lambda: not queue.is_empty(), what="what was not acknowledged is in the queue again")
        gateway.start()
        rack.network.wait_for(35)
        assert gateway.stop() == 0
        gateway.start()
        rack.network.wait_for(count)
        until(lambda: queue.is_empty())
        assert gateway.stop() == 0
        until(lambda: queue.is_empty(), what="nothing was left unacknowledged")
        texts = Counter(message.text for message in rack.network.messages)
    assert texts == Counter(f"text {number}" for number in range(count))


def test_answers_and_later_states_and_no_text_anywhere(start: Start, queue: Queue, modem_rack: ModemRack) -> None:
    gateway = start([modem(modem_rack.paths[0])], **queue.settings).until_ready()
    queue.send(1, "Kode rahasia 998877", callback_topic=queue.answers)
    queue.send(2, "Kode rahasia 998877", callback_topic=queue.answers, command="fly")
    answers = [queue.answer() for _ in range(3)]
    assert sorted(answer["response_code"] for answer in answers) == ["0000", "0000", "1206"]
    assert [one["data"]["state"] for one in answers if one["response_code"] == "0000"] == ["sent", "delivered"]
    assert gateway.stop() == 0
    written = [
        path.read_bytes() for path in gateway.folder.rglob("*") if path.is_file() and path.name != "provision.json"
    ]
    assert b"malformed (command: is not a known command" in b"".join(written)
    assert not [one for one in written if b"998877" in one]
