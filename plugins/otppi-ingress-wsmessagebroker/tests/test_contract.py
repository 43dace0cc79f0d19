"""The contract of an ingress on a broker, with WSMessageBroker as it is."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from otppi.testing.broker_ingress import SECRET, BrokerIngressContract, BrokerUnderTest
from otppi.testing.brokers.messenger import Messenger
from otppi_ingress_wsmessagebroker.plugin import otppi_ingress_types


class MessengerUnderTest(BrokerUnderTest):
    (kind,) = otppi_ingress_types()
    keeps = gives_back = leaves = buries = False
    refuses_own_topic = False

    def __init__(self, server: Messenger, application: Any) -> None:
        self.port = server.port
        self._server = server
        self._topic = f"contract-{uuid.uuid4().hex[:12]}"
        self._sender = application(server, self._topic)

    @property
    def source(self) -> str:
        return self._topic

    def settings(self) -> Mapping[str, Any]:
        return {"topic": self._topic, "reconnect_delay": 0.1, "username": "username", "password": "password"}

    def publish(self, body: bytes) -> None:
        self._sender.send(body.decode())

    def answers_published(self) -> Sequence[bytes]:
        """Return what came back: all but commands."""
        passed = list(self._server.relayed)
        return [one.encode() for one in passed if '"response_code"' in one or '"originator"' in one]

    def wrong_login(self) -> Mapping[str, Any]:
        return {"username": "username", "password": SECRET}


@pytest.fixture
def broker(flawed: Messenger, application: Any) -> MessengerUnderTest:
    return MessengerUnderTest(flawed, application)


class TestContract(BrokerIngressContract):
    """The suite, as it is."""
