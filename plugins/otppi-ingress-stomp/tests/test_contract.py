"""The contract of an ingress on a broker, with RabbitMQ's STOMP."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pika
import pytest

from otppi.testing.broker_ingress import SECRET, BrokerIngressContract, BrokerUnderTest
from otppi.testing.brokers.rabbitmq import PASSWORD, USER, RabbitMq
from otppi_ingress_stomp.plugin import otppi_ingress_types


class StompUnderTest(BrokerUnderTest):
    (kind,) = otppi_ingress_types()

    def __init__(self, server: RabbitMq) -> None:
        self.port, self.tls_port = server.stomp_port, server.stomp_tls_port
        self.queue = f"contract-{uuid.uuid4().hex[:12]}"
        self.answers, self._dead = f"{self.queue}-answers", f"{self.queue}-dead"
        self._connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", server.port, heartbeat=0))
        self._channel = self._connection.channel()
        rejected = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": self._dead}
        for name, more in ((self._dead, {}), (self.answers, {}), (self.queue, rejected)):
            self._channel.queue_declare(name, durable=True, arguments={"x-queue-type": "classic", **more})
        self._channel.confirm_delivery()  # what it has sent is there
        self._got: dict[str, list[bytes]] = {self.answers: [], self._dead: []}

    @property
    def source(self) -> str:
        return f"/amq/queue/{self.queue}"

    def settings(self) -> Mapping[str, Any]:
        return {"username": USER, "password": PASSWORD, "destination": self.source, "heartbeat": 1}

    def publish(self, body: bytes) -> None:
        self._channel.basic_publish("", self.queue, body, pika.BasicProperties(delivery_mode=2))

    def answers_published(self) -> Sequence[bytes]:
        return self._all(self.answers)

    def buried(self) -> Sequence[bytes]:
        return self._all(self._dead)

    def _all(self, queue: str) -> list[bytes]:
        while (body := self._channel.basic_get(queue, auto_ack=True)[2]) is not None:
            self._got[queue].append(body)
        return list(self._got[queue])

    def wrong_login(self) -> Mapping[str, Any]:
        return {"username": "nobody", "password": SECRET}

    def close(self) -> None:
        for name in (self.queue, self.answers, self._dead):
            self._channel.queue_delete(name)
        self._connection.close()


@pytest.fixture
def broker(rabbitmq: RabbitMq) -> Iterator[StompUnderTest]:
    one = StompUnderTest(rabbitmq)
    yield one
    one.close()


class TestContract(BrokerIngressContract):
    """The suite, as it is."""
