"""The whole way: from a real RabbitMQ through a gateway's process and modems to the phones, with kills on the way."""

import json
import signal
import time
import uuid
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


class Application:
    """Who sends: a connection of its own, and queues that go with it."""

    def __init__(self, broker: RabbitMq) -> None:
        self._broker = broker
        self._connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", broker.port, heartbeat=0))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self._made: list[str] = []

    def declare(self, **arguments: Any) -> str:
        self._made.append(name := f"system-{uuid.uuid4().hex[:12]}")
        table = {"x-queue-type": "quorum"} | {key.replace("_", "-"): value for key, value in arguments.items()}
        self._channel.queue_declare(name, durable=True, arguments=table)
        return name

    def publish(self, queue: str, body: bytes, **properties: Any) -> None:
        self._channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2, **properties))

    def send(self, queue: str, number: int, **more: Any) -> None:
        data = {"id": number, "receiver": f"0812{number:07}", "message": f"text {number}"}
        self.publish(queue, json.dumps({"command": "send-sms", "data": data, **more}).encode())

    def ready(self, queue: str) -> int:
        return int(self._channel.queue_declare(queue, passive=True).method.message_count)

    def answers(self, queue: str) -> list[dict[str, Any]]:
        """Take all answers off a queue."""
        found = []
        while (body := self._channel.basic_get(queue, auto_ack=True)[2]) is not None:
            found.append(json.loads(body))
        return found

    def until_told(self, queue: str, count: int) -> list[dict[str, Any]]:
        """Wait for answers that are so many, not counting those that came twice."""
        told: dict[tuple[str, str], dict[str, Any]] = {}

        def enough() -> bool:
            told.update({(one["data"]["id"], one["data"]["state"]): one for one in self.answers(queue)})
            return len(told) >= count

        until(enough)
        return list(told.values())

    def settings(self, queue: str, **more: Any) -> dict[str, Any]:
        """Return the settings of a gateway's ingress."""
        login = {"username": USER, "password": PASSWORD}
        return {"enable": True, "host": "127.0.0.1", "port": self._broker.port, "queue": queue, **login, **more}

    def close(self) -> None:
        for name in self._made:
            self._channel.queue_delete(name)
        self._connection.close()


@pytest.fixture
def application(rabbitmq: RabbitMq) -> Iterator[Application]:
    application = Application(rabbitmq)
    yield application
    application.close()


def texts(rack: ModemRack) -> list[str]:
    return [message.text for message in rack.network.messages]


def test_a_message_goes_out_and_its_sender_is_told_twice(start: Start, application: Application) -> None:
    queue, answers = application.declare(), application.declare()
    with ModemRack(profile=ModemProfile(report_delay=0.3)) as rack:
        gateway = start([modem(rack.paths[0])], **{"ingress-rabbitmq": application.settings(queue)})
        application.send(queue, 1, callback_topic=answers)
        told = application.until_told(answers, 2)
        assert [answer["data"]["state"] for answer in told] == ["sent", "delivered"]
        assert {answer["command"] for answer in told} == {"send-sms"}
        assert told[0]["data"]["message_id"] == told[1]["data"]["message_id"]
        assert texts(rack) == ["text 1"]
        assert gateway.stop() == 0
        assert application.ready(queue) == 0
    assert "text 1" not in gateway.log.read_text()


def test_the_document_s_examples_and_what_is_none_of_them(start: Start, application: Application) -> None:
    dead, answers = application.declare(), application.declare()
    queue = application.declare(x_dead_letter_exchange="", x_dead_letter_routing_key=dead)
    example = b'{\n\t"command": "%s",\n\t"data": {\n\t\t"receiver": "08126666666",\n\t}\n}'
    sms = (
        b'{\r\n\t"command": "send-sms",\r\n\t"data": {\r\n\t\t"id": 123456,\r\n\t\t"receiver": "08126666666",'
        b'\r\n\t\t"message": "OTP Anda adalah 1234"\r\n\t}\r\n}'
    )
    with ModemRack() as rack:
        gateway = start([modem(rack.paths[0])], **{"ingress-rabbitmq": application.settings(queue)})
        application.publish(queue, example % b"block-msisdn", reply_to=answers)
        until(lambda: application.answers(answers))
        application.publish(queue, sms)  # blocked
        assert until(lambda: application.ready(dead)) == 1
        application.publish(queue, example % b"unblock-msisdn", reply_to=answers)
        until(lambda: application.answers(answers))
        application.publish(queue, sms)
        rack.network.wait_for(1)
        assert texts(rack) == ["OTP Anda adalah 1234"]
        application.publish(queue, b'{"command": "send-sms", "data": {"receiver": "1", "message": "secret 4711"}}')
        application.publish(queue, b'{"command": "send-sms", "data": [{"message": "secret 4711"', reply_to=answers)
        late = {"receiver": "08126666666", "message": "secret 4711", "expiration": int(time.time()) - 5}
        application.publish(queue, json.dumps({"command": "send-sms", "data": late}).encode(), reply_to=answers)
        until(lambda: application.ready(dead) == 4)
        codes = {answer["response_code"] for answer in application.answers(answers)}
        assert codes == {"1206", "1203"}
        gateway.stop()
    said = gateway.log.read_text()
    assert "malformed" in said
    assert "4711" not in said
    assert "1234" not in said


def test_the_same_message_from_rabbitmq_and_rest_goes_out_once(start: Start, application: Application) -> None:
    queue, answers = application.declare(), application.declare()
    with ModemRack() as rack:
        gateway = start([modem(rack.paths[0])], **{"ingress-rabbitmq": application.settings(queue)})
        with gateway.until_ready().client() as client:
            application.send(queue, 1)
            rack.network.wait_for(1)
            # Another sender is not told whose message it is.
            assert client.send(1, "08120000001", "text 1")[1]["response_code"] == "0000"
            assert client.send(2, "08120000002", "text 2")[1]["response_code"] == "0000"
        application.send(queue, 2, callback_topic=answers)
        answer, *_later_states = until(lambda: application.answers(answers))
        assert answer["response_code"] == "0000"
        assert sorted(texts(rack)) == ["text 1", "text 2"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_gateway_that_ends_under_load_loses_nothing_and_doubles_nothing(
    start: Start, application: Application, how: signal.Signals
) -> None:
    queue, count = application.declare(), 60
    with ModemRack(2, profile=ModemProfile(network_time=0.05)) as rack:
        modems = [modem(path, f"m{place}") for place, path in enumerate(rack.paths)]
        gateway = start(modems, **{"ingress-rabbitmq": application.settings(queue)}).until_ready()
        for number in range(count):
            application.send(queue, number)
        rack.network.wait_for(15)
        if how is signal.SIGKILL:
            gateway.kill()
        else:
            assert gateway.stop() == 0
        assert len(texts(rack)) < count
        gateway.start()  # it remembers what was with the network
        until(lambda: len(set(texts(rack))) == count)
        until(lambda: application.ready(queue) == 0)
        gateway.stop()
        assert application.ready(queue) == 0
        assert Counter(texts(rack)).most_common(1)[0][1] == 1


def test_a_gateway_that_is_killed_leaves_its_messages_to_another(start: Start, application: Application) -> None:
    queue, answers, count = application.declare(), application.declare(), 60
    profile = ModemProfile(network_time=0.1)
    with ModemRack(profile=profile) as first, ModemRack(profile=profile) as second:
        section = {"ingress-rabbitmq": application.settings(queue)}
        one = start([modem(first.paths[0])], **section).until_ready()
        start([modem(second.paths[0])], **section).until_ready()
        for number in range(count):
            application.send(queue, number, callback_topic=answers)
        first.network.wait_for(5)
        one.kill()
        until(lambda: len({*texts(first), *texts(second)}) == count)
        application.until_told(answers, count)
        doubled = [text for text, times in Counter(texts(first) + texts(second)).items() if times > 1]
        # What the network had, and the broker had not been told: one for the modem, and what had just been sent.
        assert len(doubled) <= 2
        assert len(texts(second)) > count // 3
        until(lambda: application.ready(queue) == 0)


def test_a_gateway_whose_modem_is_gone_leaves_the_queue_to_another(start: Start, application: Application) -> None:
    queue, count = application.declare(), 20
    with ModemRack() as first, ModemRack() as second:
        section = {"ingress-rabbitmq": application.settings(queue)}
        start([modem(first.paths[0])], **section).until_ready()
        start([modem(second.paths[0])], **section).until_ready()
        first.modems[0].unplug()
        for number in range(count):
            application.send(queue, number)
        until(lambda: len(texts(second)) == count)
        assert texts(first) == []


def test_a_modem_that_comes_back_gets_what_waited_in_the_queue(start: Start, application: Application) -> None:
    queue = application.declare()
    with ModemRack() as rack:
        gateway = start([modem(rack.paths[0])], **{"ingress-rabbitmq": application.settings(queue)}).until_ready()
        rack.modems[0].unplug(replug_after=3.0)
        with gateway.client() as client:
            until(lambda: client.request("GET", "/api/health")[1]["status"] == "down")
        until(lambda: "no modem may send" in gateway.cli("status").stdout)
        application.send(queue, 1)
        rack.network.wait_for(1)
        assert texts(rack) == ["text 1"]
        until(lambda: application.ready(queue) == 0)
