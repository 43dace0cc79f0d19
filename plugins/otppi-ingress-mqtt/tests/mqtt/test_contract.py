"""The contract of an ingress on a broker, with Mosquitto, in both versions of MQTT and each QoS."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.broker_ingress import SECRET, BrokerIngressContract, BrokerUnderTest
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.mqtt_peer import MqttPeer
from otppi_ingress_mqtt.plugin import otppi_ingress_types


class MqttUnderTest(BrokerUnderTest):
    (kind,) = otppi_ingress_types()
    gives_back = False  # where the topic is not shared
    leaves = False
    buries = False

    def __init__(self, port: int, tls_port: int, locked_port: int, protocol: str, qos: int) -> None:
        self.port, self.tls_port = port, tls_port
        self._locked_port = locked_port
        self._protocol, self._qos = protocol, qos
        self.keeps = qos > 0
        self.parks = 60 if protocol == "5" else 10  # Mosquitto's own limit, `max_inflight_messages`, is 20
        self._topic = f"contract-{uuid.uuid4().hex[:12]}"
        self.answers = f"{self._topic}-answers"
        self._peer = MqttPeer(port)
        self._peer.__enter__()
        self._peer.subscribe(self.answers, 2)

    @property
    def source(self) -> str:
        return self._topic

    def settings(self) -> Mapping[str, Any]:
        return {"topic": self._topic, "protocol": self._protocol, "qos": self._qos}

    def publish(self, body: bytes) -> None:
        self._peer.publish(self._topic, body, 2)

    def answers_published(self) -> Sequence[bytes]:
        return [one.payload for one in self._peer.heard]

    def wrong_login(self) -> Mapping[str, Any]:
        return {"port": self._locked_port, "username": "gateway", "password": SECRET}

    def close(self) -> None:
        self._peer.__exit__()


@pytest.fixture(scope="session")
def ports(tmp_path_factory: pytest.TempPathFactory, mosquitto: Mosquitto, authority: Any) -> Iterator[tuple[int, ...]]:
    """Return the ports of the shared broker: without TLS, with it, and where only some are let in."""
    locked: Path = tmp_path_factory.mktemp("locked")
    with Mosquitto(locked, users={"gateway": "another"}) as closed:
        yield mosquitto.port, mosquitto.tls_port, closed.port


@pytest.fixture(params=[("5", 1), ("3.1.1", 2), ("5", 0)], ids=lambda one: f"{one[0]}-qos-{one[1]}")
def broker(ports: tuple[int, int, int], request: pytest.FixtureRequest) -> Iterator[MqttUnderTest]:
    one = MqttUnderTest(*ports, *request.param)
    yield one
    one.close()


class TestContract(BrokerIngressContract):
    """The suite, as it is."""
