"""Gateways that share the commands of a topic: each goes to one, and one without modems hands its own on."""

import json
from typing import Any

import pytest

from otppi.api.ingress import Sender
from otppi.kit.broker.consumer import Consumer
from otppi.kit.broker.outbox import Delivery
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.mqtt_peer import MqttPeer
from otppi.testing.brokers.proxy import TcpProxy
from otppi.testing.scripted import until
from otppi.wire.envelope import ResponseCode
from otppi_ingress_mqtt.ingress import Pace
from otppi_ingress_mqtt.intake import Intake
from otppi_ingress_mqtt.settings import KEY

from .conftest import StandInGateway, Start, command

VERSIONS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@VERSIONS
@pytest.mark.parametrize("qos", [1, 2])
def test_each_goes_to_one(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str, protocol: str, qos: int
) -> None:
    other = StandInGateway()
    first = start(broker=mosquitto, shared_group="g", client_id=f"{topic}1", protocol=protocol, qos=qos).connected()
    start(
        broker=mosquitto, topic=f"$share/g/{topic}", client_id=f"{topic}2", gateway=other, protocol=protocol, qos=qos
    ).connected()
    assert first.of("topic") == f"$share/g/{topic}"
    for number in range(40):
        peer.publish(topic, command(number), qos)
    until(lambda: len(gateway.taken) + len(other.taken) == 40)
    assert sorted(int(str(one)) for one in gateway.ids() + other.ids()) == list(range(40))
    assert len(gateway.taken) == 20


def test_one_without_modems_hands_on(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    gateway.refuses = True
    other = StandInGateway()
    broken = start(broker=mosquitto, shared_group="g", client_id=f"{topic}1").connected()
    start(broker=mosquitto, shared_group="g", client_id=f"{topic}2", gateway=other).connected()
    peer.subscribe(f"{topic}/answers")
    asked = {"ResponseTopic": f"{topic}/answers", "CorrelationData": b"c", "MessageExpiryInterval": 100}
    for number in range(6):
        peer.publish(topic, command(number), properties=asked)
    heard = peer.wait_for(6)
    assert sorted(json.loads(one.payload)["data"]["id"] for one in heard) == [str(number) for number in range(6)]
    assert all(one.properties.CorrelationData == b"c" for one in heard)
    assert sorted(str(one) for one in other.ids()) == [str(number) for number in range(6)]
    until(lambda: broken.of("handed_on") >= 3 and not broken.of("in_flight"))
    for envelope, _ in other.taken:
        item = envelope.items[0]
        assert item.expiration is not None
        assert item.date_time is not None
        assert 90 < item.expiration - item.date_time <= 101
    broken.stop()
    gateway.refuses = False
    taken = len(gateway.taken)
    start(broker=mosquitto, shared_group="g", client_id=f"{topic}1").connected()
    peer.publish(topic, command("x"))
    peer.publish(topic, command("y"))
    gateway.wait_for(taken + 1)
    assert set(gateway.ids()[taken:]) <= {"x", "y"}  # what was handed on was acknowledged


def test_nobody_has_a_modem(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    gateway.refuses = True
    running = start(broker=mosquitto, shared_group="g").connected()
    peer.publish(topic, command(1))
    gateway.wait_for(3)
    times = {envelope.items[0].date_time for envelope, _ in gateway.taken}
    assert len(times) == 1  # its lifetime counts from when it first came
    gateway.refuses = False
    running.settled(1)


def test_what_could_not_be_handed_on_goes_on_with_its_life(gateway: StandInGateway) -> None:
    consumer = Consumer(gateway, KEY, Sender(KEY), lambda: None, requeue=True)
    client: Any = None  # nothing is acknowledged here
    delivery = Delivery(body=command(1))
    consumer.consume(delivery)
    Intake(consumer, client, lambda: 0, 10).take_again(delivery)
    assert [origin.redelivered for _, origin in gateway.taken] == [False, True]


def test_a_stop_hands_on_what_was_not_sent(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    gateway.hold = True
    other = StandInGateway()
    first = start(broker=mosquitto, shared_group="g", client_id=f"{topic}1").connected()
    for number in range(4):
        peer.publish(topic, command(number))
    gateway.wait_for(4)
    start(broker=mosquitto, shared_group="g", client_id=f"{topic}2", gateway=other).connected()
    first.ingress.stop()
    gateway.tickets[0].end()
    for ticket in gateway.tickets[1:]:
        ticket.end(ResponseCode.NO_MODEM, state="failed", cause="the gateway is stopping")
    first.stop()
    other.wait_for(1)
    gateway.hold = False
    start(broker=mosquitto, shared_group="g", client_id=f"{topic}1").connected()  # the broker gave it some back
    until(lambda: {"1", "2", "3"} <= set(other.ids()) | set(gateway.ids()[4:]))
    assert len(other.taken) + len(gateway.taken[4:]) == 3


def test_what_is_held_is_left_to_the_broker_when_the_connection_breaks(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    gateway.hold = True
    with TcpProxy(mosquitto.port) as proxy:
        running = start(port=proxy.port, shared_group="g").connected()
        peer.publish(topic, command(1))
        gateway.wait_for(1)
        proxy.drop()
        gateway.wait_for(2)
        assert gateway.tickets[0].withdrawn
        assert gateway.taken[1][1].redelivered
        gateway.tickets[1].end()
        running.settled(1)
        running.stop()


def test_handing_on_while_the_connection_breaks(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    gateway.hold = True
    other = StandInGateway()
    with TcpProxy(mosquitto.port) as proxy:
        steady = Pace(first=0.02, patience=0.3)  # no new connection to make room, which leaves them to the broker
        broken = start(port=proxy.port, shared_group="g", client_id=f"{topic}1", pace=steady).connected()
        for number in range(5):
            peer.publish(topic, command(number))
        gateway.wait_for(5)
        start(broker=mosquitto, shared_group="g", client_id=f"{topic}2", gateway=other).connected()
        proxy.hang()
        for ticket in gateway.tickets:
            ticket.end(ResponseCode.NO_MODEM, state="failed", cause="no modem", retry_after=1)
        until(lambda: broken.ingress._outgoing and not len(broken.ingress.consumer.outbox))
        gateway.hold = False
        proxy.drop()
        proxy.mend()
        until(lambda: len(other.taken) + len(gateway.taken[5:]) >= 5)
        until(lambda: not broken.of("in_flight") and not len(broken.ingress._outgoing))
        broken.stop()
    assert sorted(str(one) for one in [*other.ids(), *gateway.ids()[5:]]) == [str(number) for number in range(5)]
