"""What is published: answers by callback and response topic, later states, the inbox, and what never is."""

import json
import logging
from collections import Counter

import pytest

from otppi.api.ingress import Callback, ReceivedMessage
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.mqtt_peer import MqttPeer
from otppi.testing.brokers.proxy import TcpProxy
from otppi.testing.scripted import until
from otppi.wire.envelope import Answer, ResponseCode

from .conftest import StandInGateway, Start, command

VERSIONS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@VERSIONS
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_callback_topic(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str, qos: int, protocol: str
) -> None:
    running = start(broker=mosquitto, qos=qos, protocol=protocol).connected()
    answers = f"{topic}/answers"
    peer.subscribe(answers, 2)
    peer.publish(topic, command(7, callback_topic=answers))
    (heard,) = peer.wait_for(1)
    assert json.loads(heard.payload)["data"]["id"] == "7"
    assert (heard.qos, heard.retain) == (qos, False)
    running.settled(1)
    assert gateway.taken[0][1].callback == Callback(answers, b"", "send-sms")


def test_response_topic_and_correlation_data(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    start(broker=mosquitto).connected()
    peer.subscribe(f"{topic}/#")
    asked = {"ResponseTopic": f"{topic}/a", "CorrelationData": b"\x00\x01", "UserProperty": ("a", "b")}
    peer.publish(topic, command(1), properties=asked)
    peer.publish(topic, command(2, callback_topic=f"{topic}/b"), properties=asked)
    peer.publish(topic, b"{", properties=asked)
    peer.publish(topic, command(3, callback_topic=f"{topic}/c"), properties={"CorrelationData": b"\x00\x01"})
    heard = [one for one in peer.wait_for(8) if one.topic != topic]
    said = sorted((one.topic.removeprefix(f"{topic}/"), json.loads(one.payload)["response_code"]) for one in heard)
    assert said == [("a", "0000"), ("a", "1206"), ("b", "0000"), ("c", "0000")]
    for one in heard:
        assert one.properties.CorrelationData == b"\x00\x01"
        assert one.properties.ContentType == "application/json"


def test_later_states_and_what_came_in(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    running = start(broker=mosquitto, inbox_topic=f"{topic}/inbox").connected()
    peer.subscribe(f"{topic}/#")
    later = Answer("send-sms", ResponseCode.SUCCESS, data={"id": "1", "state": "delivered"})
    running.ingress.state_changed(Callback(f"{topic}/later", b"abc", "send-sms"), later)
    (heard,) = peer.wait_for(1, f"{topic}/later")
    assert json.loads(heard.payload)["data"]["state"] == "delivered"
    assert heard.properties.CorrelationData == b"abc"
    running.ingress.received(ReceivedMessage("r1", "m0", "+62812666", "Halo", 1.0, 2.0, 2, (2,)))
    (heard,) = peer.wait_for(1, f"{topic}/inbox")
    assert json.loads(heard.payload) == {
        "message_id": "r1", "modem_id": "m0", "originator": "+62812666", "text": "Halo", "sent": 1.0, "arrived": 2.0,
        "segments": 2, "missing": [2], "binary": False, "damaged": False,
    }  # fmt: skip


@pytest.mark.parametrize("qos", [1, 2])
def test_answers_on_their_way_when_the_connection_breaks(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str, qos: int
) -> None:
    peer.subscribe(f"{topic}/answers", 2)
    with TcpProxy(mosquitto.port) as proxy:
        running = start(port=proxy.port, qos=qos).connected()
        gateway.hold = True
        for number in range(10):
            peer.publish(topic, command(number, callback_topic=f"{topic}/answers"), qos)
        gateway.wait_for(10)
        proxy.hang()
        for ticket in gateway.tickets:
            ticket.end()
        until(lambda: running.ingress._outgoing and not len(running.ingress.consumer.outbox))
        proxy.drop()
        proxy.mend()
        running.settled(10)
        heard = peer.wait_for(10)
        numbers = [json.loads(one.payload)["data"]["id"] for one in heard]
        assert set(numbers) == {str(number) for number in range(10)}
        assert qos == 1 or len(numbers) == 10
        running.stop()
    assert gateway.ids() == [str(number) for number in range(10)]


@pytest.mark.parametrize(
    ("callback_topic", "words"),
    [
        ("a/+/b", "must not hold the wildcards"),
        ("a/#", "must not hold the wildcards"),
        ("$SYS/a", "must not begin with $"),
        ("OWN", "is the one that commands are taken from"),
    ],
)
def test_a_topic_that_nothing_is_published_to(
    start: Start,
    mosquitto: Mosquitto,
    peer: MqttPeer,
    gateway: StandInGateway,
    topic: str,
    caplog: pytest.LogCaptureFixture,
    callback_topic: str,
    words: str,
) -> None:
    caplog.set_level(logging.INFO)
    running = start(broker=mosquitto).connected()
    peer.publish(topic, command(1, callback_topic=topic if callback_topic == "OWN" else callback_topic))
    peer.publish(topic, command(2))
    running.settled(2)
    assert gateway.ids() == ["1", "2"]
    assert words in caplog.text
    assert running.of("publications_refused") == 1


def test_no_loop_by_wildcards(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    running = start(broker=mosquitto, topic=f"{topic}/#").connected()
    peer.publish(f"{topic}/sms", command(1, callback_topic=f"{topic}/answers"))
    peer.publish(f"{topic}/sms", command(2), properties={"ResponseTopic": topic})
    running.settled(2)
    assert running.of("publications_refused") == 2
    assert running.of("taken") == 2


def test_an_empty_callback_topic_is_malformed(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    running = start(broker=mosquitto).connected()
    peer.publish(topic, command(1, callback_topic=""))
    until(lambda: running.of("taken") == 1 and not running.of("in_flight"))


PAYLOADS: dict[str, bytes] = {
    "nothing": b"",
    "no-json": b"OTP 424242",
    "not-utf-8": b"\xff\xfe424242",
    "half": b'{"command": "send-sms", "data": {"message": "424242',
    "list": b"[1, 2]",
    "deep": b"[" * 100_000,
    "unknown": b'{"command": "fly", "data": {"message": "424242"}}',
    "types": b'{"command": "send-sms", "data": {"receiver": [], "message": 424242.5}}',
    "missing": b'{"command": "send-sms", "data": {"message": "OTP 424242"}}',
    "too-long": b'{"command": "send-sms", "data": {"message": "' + b"424242" * 1_000_000 + b'"}}',
}


@VERSIONS
def test_bad_payloads(
    start: Start,
    mosquitto: Mosquitto,
    peer: MqttPeer,
    gateway: StandInGateway,
    topic: str,
    caplog: pytest.LogCaptureFixture,
    protocol: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    running = start(broker=mosquitto, protocol=protocol, qos=2).connected()
    peer.subscribe(f"{topic}/answers")
    for name, payload in PAYLOADS.items():
        asked = {"ResponseTopic": f"{topic}/answers", "CorrelationData": name.encode()} if protocol == "5" else None
        for qos in (0, 1, 2):
            peer.publish(topic, payload, qos, properties=asked)
    until(lambda: running.of("malformed") == 3 * len(PAYLOADS) and not running.of("in_flight"))
    peer.publish(topic, command(1, callback_topic=f"{topic}/answers"))
    gateway.wait_for(1)
    heard = peer.wait_for(3 * len(PAYLOADS) + 1 if protocol == "5" else 1)
    *told, last = [json.loads(one.payload)["response_code"] for one in heard]
    assert last == "0000"
    assert set(told) == ({"1206"} if protocol == "5" else set())
    if protocol == "5":
        asked_by = Counter(getattr(one.properties, "CorrelationData", b"").decode() for one in heard[:-1])
        assert asked_by == dict.fromkeys(PAYLOADS, 3)
    assert "424242" not in caplog.text
    assert "malformed" in caplog.text


def test_expiry_interval(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    start(broker=mosquitto).connected()
    peer.publish(topic, command(1), properties={"MessageExpiryInterval": 60})
    (envelope, _), *_ = gateway.wait_for(1)
    item = envelope.items[0]
    assert item.expiration is not None
    assert item.date_time is not None
    assert 55 <= item.expiration - item.date_time <= 61


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_retained_commands_are_not_taken(
    start: Start,
    mosquitto: Mosquitto,
    peer: MqttPeer,
    gateway: StandInGateway,
    topic: str,
    caplog: pytest.LogCaptureFixture,
    protocol: str,
) -> None:
    peer.publish(topic, command("old"), retain=True)
    running = start(broker=mosquitto, protocol=protocol).connected()
    peer.publish(topic, command("new"))
    gateway.wait_for(1)
    running.settled(1)
    assert gateway.ids() == ["new"]
    assert running.of("retained_ignored") == (1 if protocol == "3.1.1" else 0)  # with 5 the broker is told not to
    assert ("a retained message is not taken" in caplog.text) == (protocol == "3.1.1")
    peer.publish(topic, b"", retain=True)
    gateway.wait_for(1)
