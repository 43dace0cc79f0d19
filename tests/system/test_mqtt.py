"""A gateway that takes commands from a real Mosquitto: the document's examples, kills, restarts, secrecy."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from otppi.host.control.client import ControlClient
from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.mqtt_peer import Heard, MqttPeer
from otppi.testing.brokers.proxy import TcpProxy
from otppi.testing.waiting import until
from tests.system.conftest import Gateway, modem

Start = Callable[..., Gateway]

EXAMPLES = (
    b'{\n\t"command":"send-sms",\n\t"data": {\n\t\t"id": 123456,\n\t\t"receiver": "08126666666",\n\t\t'
    b'"message": "OTP Anda adalah 1234"\n\t}\n}',
    b'{\n\t"command": "send-sms",\n\t"data": {\n\t\t"id": 123456,\n\t\t"receiver": "someone@domain.tld",\n\t\t'
    b'"message": "OTP Anda adalah 1234"\n\t}\n}',
    b'{\n\t"command": "block-msisdn",\n\t"data": {\n\t\t"receiver": "08126666666",\n\t}\n}',
    b'{\n\t"command": "unblock-msisdn",\n\t"data": {\n\t\t"receiver": "08126666666",\n\t}\n}',
)
"""As they stand in the document, flaws and all."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "mosquitto") as one:
        yield one


@pytest.fixture
def peer(broker: Mosquitto) -> Iterator[MqttPeer]:
    with MqttPeer(broker.port) as one:
        one.subscribe("answers", 1)
        yield one


def mqtt(broker: Mosquitto, **more: Any) -> dict[str, Any]:
    """Return the settings of the ingress."""
    values = {"enable": True, "host": "127.0.0.1", "port": broker.port, "topic": "otp/sms", "client_id": "gateway1"}
    return {"ingress-mqtt": values | more}


def status(gateway: Gateway) -> dict[str, Any]:
    """Return what the ingress says of itself; by the control socket, which costs less than the command."""
    every = ControlClient(gateway.data / "control").call("status", {})["ingresses"]
    ours: dict[str, Any] = next((one for one in every if one["name"] == "ingress-mqtt"), {})
    return ours


def connected(gateway: Gateway) -> Gateway:
    until(lambda: status(gateway).get("connected"), what="connected to the broker")
    return gateway.until_ready()


def command(number: int | str | None, text: str, **more: Any) -> bytes:
    receiver = f"0812666{crc32(text.encode()) % 100000:05}"
    data = {"receiver": receiver, "message": text} | ({} if number is None else {"id": number})
    return json.dumps({"command": "send-sms", "data": data, "callback_topic": "answers", **more}).encode()


def answers(heard: list[Heard]) -> list[dict[str, Any]]:
    return [json.loads(one.payload) for one in heard]


def texts(rack: ModemRack) -> list[str]:
    return [message.text for message in rack.network.messages]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_the_documents_examples(start: Start, broker: Mosquitto, protocol: str) -> None:
    with ModemRack() as rack:
        gateway = connected(start([modem(rack.paths[0])], **mqtt(broker, protocol=protocol)))
        version = ["-V", "mqttv5" if protocol == "5" else "mqttv311"]
        for number, example in enumerate(EXAMPLES, 1):
            subprocess.run(
                ["mosquitto_pub", *version, "-p", str(broker.port), "-t", "otp/sms", "-q", "1", "-s"],
                input=example,
                check=True,
                timeout=20,
            )
            until(lambda: _taken(gateway) >= number)  # noqa: B023 - called at once
        (message,) = rack.network.wait_for(1)
        assert (message.text, message.destination) == ("OTP Anda adalah 1234", "628126666666")


def _taken(gateway: Gateway) -> int:
    return int(status(gateway).get("taken", 0))


def test_answers_and_later_states(start: Start, broker: Mosquitto, peer: MqttPeer) -> None:
    with ModemRack(profile=ModemProfile(report_delay=0.05)) as rack:
        connected(start([modem(rack.paths[0])], **mqtt(broker)))
        peer.publish("otp/sms", command(1, "text 1"), properties={"CorrelationData": b"c1", "ResponseTopic": "x"})
        heard = peer.wait_for(2)
        assert [one["data"]["state"] for one in answers(heard)] == ["sent", "delivered"]
        assert [one["command"] for one in answers(heard)] == ["send-sms", "send-sms"]
        assert [one.properties.CorrelationData for one in heard] == [b"c1", b"c1"]
        for name, data in (
            ("block-msisdn", {"receiver": "081299990000"}),
            ("unblock-msisdn", {"receiver": "081299990000"}),
            ("get-modem-list", {}),
            ("echo", {"a": 1}),
        ):
            body = {"command": name, "data": data, "callback_topic": "answers"}
            peer.publish("otp/sms", json.dumps(body).encode())
        last = answers(peer.wait_for(6))[2:]
        assert {one["command"]: one["response_code"] for one in last} == {
            "block-msisdn": "0000", "unblock-msisdn": "0000", "get-modem-list": "0000", "echo": "0000",
        }  # fmt: skip


@pytest.mark.parametrize(("protocol", "qos"), [("5", 1), ("5", 2), ("3.1.1", 1)])
def test_a_kill_loses_nothing_and_sends_nothing_twice(
    start: Start, broker: Mosquitto, peer: MqttPeer, qos: int, protocol: str
) -> None:
    count = 30
    with ModemRack(profile=ModemProfile(network_time=0.03)) as rack:
        gateway = connected(start([modem(rack.paths[0])], **mqtt(broker, qos=qos, protocol=protocol)))
        for number in range(count):  # every other one has no id
            peer.publish("otp/sms", command(number if number % 2 else None, f"text {number}"), qos)
        rack.network.wait_for(8)
        gateway.kill()
        assert len(rack.network.messages) < count
        connected(gateway.start())
        rack.network.wait_for(count)
        until(lambda: _settled(gateway), what="all are acknowledged")
        peer.publish("otp/sms", command("last", "the last one"), qos)
        rack.network.wait_for(count + 1)
        assert sorted(texts(rack)) == sorted([*(f"text {number}" for number in range(count)), "the last one"])
        until(lambda: len(_answered(peer)) >= count + 1, what="every message is answered")
        until(lambda: _settled(gateway), what="the last one is acknowledged")
        gateway.kill()
        connected(gateway.start())
        assert _taken(gateway) == 0, "the broker has nothing left"


def _answered(peer: MqttPeer) -> set[str]:
    return {one["data"]["message_id"] for one in answers(peer.heard)}


def _settled(gateway: Gateway) -> bool:
    ours = status(gateway)
    return bool(ours.get("connected") and ours["in_flight"] == 0)


def test_a_kill_after_ctrl_z(start: Start, broker: Mosquitto, peer: MqttPeer) -> None:
    with ModemRack(profile=ModemProfile(report_delay=None)) as rack:
        gateway = connected(start([modem(rack.paths[0])], **mqtt(broker)))
        rack.modems[0].inject("result-lost-sent", at=1)
        peer.publish("otp/sms", command(None, "text 1"))
        rack.network.wait_for(1)
        gateway.kill()
        connected(gateway.start())
        (answer,) = answers(peer.wait_for(1))
        assert answer["data"]["state"] == "unconfirmed"
        until(lambda: _settled(gateway))
        assert texts(rack) == ["text 1"]


def test_a_stop_under_load_loses_nothing(start: Start, broker: Mosquitto, peer: MqttPeer) -> None:
    count = 60
    with ModemRack(profile=ModemProfile(network_time=0.05)) as rack:
        gateway = connected(start([modem(rack.paths[0])], **mqtt(broker, receive_maximum=50)))
        for number in range(count):
            peer.publish("otp/sms", command(number if number % 2 else None, f"text {number}"))
        rack.network.wait_for(5)
        assert gateway.stop() == 0
        assert len(rack.network.messages) < count
        connected(gateway.start())
        rack.network.wait_for(count)
        until(lambda: _settled(gateway))
        assert sorted(texts(rack)) == sorted(f"text {number}" for number in range(count))


def test_changed_settings_lose_nothing(start: Start, broker: Mosquitto, peer: MqttPeer) -> None:
    count = 20
    with ModemRack(profile=ModemProfile(network_time=0.1)) as rack:
        gateway = connected(start([modem(rack.paths[0])], **mqtt(broker)))
        for number in range(count):
            peer.publish("otp/sms", command(number if number % 2 else None, f"text {number}"))
        rack.network.wait_for(2)
        done = gateway.cli("settings", "set", "ingress-mqtt.keep_alive", "20")
        assert done.returncode == 0, done.stderr
        rack.network.wait_for(count)
        peer.publish("otp/sms", command("last", "the last one"))
        rack.network.wait_for(count + 1)
        until(lambda: _settled(gateway))
        assert sorted(texts(rack)) == sorted([*(f"text {number}" for number in range(count)), "the last one"])


def test_the_broker_is_started_again_and_the_network_breaks(start: Start, broker: Mosquitto) -> None:
    count = 40
    with ModemRack(profile=ModemProfile(network_time=0.05)) as rack, TcpProxy(broker.port) as proxy:
        gateway = connected(start([modem(rack.paths[0])], **mqtt(broker, port=proxy.port, qos=2)))
        with MqttPeer(broker.port) as peer:
            for number in range(count):
                peer.publish("otp/sms", command(number if number % 2 else None, f"text {number}"), 2)
        rack.network.wait_for(3)
        proxy.drop()
        rack.network.wait_for(10)
        broker.stop()
        broker.start()
        rack.network.wait_for(count)
        until(lambda: _settled(gateway))
        with MqttPeer(broker.port) as peer:
            peer.publish("otp/sms", command("last", "the last one"), 2)
        rack.network.wait_for(count + 1)
        assert sorted(texts(rack)) == sorted([*(f"text {number}" for number in range(count)), "the last one"])


def test_duplicates_by_mqtt_and_rest_are_sent_once(start: Start, broker: Mosquitto, peer: MqttPeer) -> None:
    with ModemRack() as rack:
        gateway = connected(start([modem(rack.paths[0])], **mqtt(broker)))
        body = command(7, "text 7")
        peer.publish("otp/sms", body)
        peer.publish("otp/sms", body)
        with gateway.client() as client:
            receiver = json.loads(body)["data"]["receiver"]
            # Another sender is not told whose message it is.
            assert client.send(7, receiver, "text 7")[1]["response_code"] == "0000"
        # A later state, such as delivered, may come as well.
        until(lambda: {one["response_code"] for one in answers(peer.heard)} == {"0000", "1201"})
        peer.publish("otp/sms", command("last", "the last one"))
        rack.network.wait_for(2)
        assert texts(rack) == ["text 7", "the last one"]


def test_the_state_and_the_last_will(start: Start, broker: Mosquitto, peer: MqttPeer) -> None:
    peer.subscribe("otp/status")

    def states() -> list[str]:
        return [json.loads(one.payload)["status"] for one in peer.heard if one.topic == "otp/status"]

    with ModemRack() as rack:
        gateway = start([modem(rack.paths[0])], **mqtt(broker, status_topic="otp/status"))
        until(lambda: states()[-1:] == ["ok"], what="it says that it is well")
        gateway.kill()
        until(lambda: states()[-1] == "offline", what="the last will")
        gateway.start()
        until(lambda: states()[-1] == "ok", what="it is back")
        assert gateway.stop() == 0
        until(lambda: states()[-1] == "offline", what="it says that it ends")
        assert not any(b"imei" in one.payload for one in peer.heard)


def test_two_gateways_share_a_topic(start: Start, broker: Mosquitto, peer: MqttPeer) -> None:
    count = 40
    with ModemRack(count=2, profile=ModemProfile(network_time=0.02)) as rack:
        for number in (0, 1):
            settings = mqtt(broker, shared_group="g", client_id=f"gateway{number}")
            connected(start([modem(rack.paths[number])], **settings))
        for number in range(count):
            peer.publish("otp/sms", command(number, f"text {number}"))
        rack.network.wait_for(count)
        assert sorted(texts(rack)) == sorted(f"text {number}" for number in range(count))


def test_no_text_is_written_anywhere(start: Start, broker: Mosquitto, peer: MqttPeer) -> None:
    with ModemRack() as rack:
        gateway = connected(start([modem(rack.paths[0])], **mqtt(broker, password="s3cret-Pass", username="u")))
        peer.publish("otp/sms", command(1, "Kode rahasia 918273"))
        peer.publish("otp/sms", b'{"command": "send-sms", "data": {"message": "918273", "receiver": []}}')
        peer.publish("otp/sms", b"918273 \xff")
        rack.network.wait_for(1)
        until(lambda: _taken(gateway) == 3)
        shown = gateway.cli("status", "--json").stdout + gateway.cli("settings", "show", "ingress-mqtt").stdout
        assert gateway.stop() == 0
        assert "918273" not in shown
        assert "s3cret-Pass" not in shown
        assert b"918273" not in gateway.log.read_bytes()
        assert b"s3cret-Pass" not in gateway.log.read_bytes()
        for folder in (gateway.data, gateway.runtime):
            for path in folder.rglob("*"):
                assert not path.is_file() or b"918273" not in path.read_bytes(), path
