"""The state of the gateway as a retained message, and the last will."""

import json
from typing import Any

from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.mqtt_peer import MqttPeer
from otppi.testing.brokers.proxy import TcpProxy
from otppi.testing.scripted import until

from .conftest import StandInGateway, Start


def _state(peer: MqttPeer, number: int) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(peer.wait_for(number)[number - 1].payload)
    return state


def test_the_state_is_published_and_changes_are(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    peer.subscribe(f"{topic}/status")
    running = start(broker=mosquitto, status_topic=f"{topic}/status").connected()
    state = _state(peer, 1)
    assert state == {"status": "ok", "version": "1.2.3", "modems": [{"modem_id": "m0", "state": "ready"}]}
    gateway.state = "down"
    assert _state(peer, 2)["status"] == "down"
    running.stop()
    assert _state(peer, 3) == {"status": "offline"}
    with MqttPeer(mosquitto.port) as later:
        later.subscribe(f"{topic}/status")
        (heard,) = later.wait_for(1)
        assert (json.loads(heard.payload), heard.retain) == ({"status": "offline"}, True)
        start(broker=mosquitto, status_topic=f"{topic}/status", protocol="3.1.1")
        assert _state(later, 2)["status"] == "down"


def test_the_last_will(start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str) -> None:
    peer.subscribe(f"{topic}/status")
    with TcpProxy(mosquitto.port) as proxy:
        running = start(port=proxy.port, status_topic=f"{topic}/status").connected()
        assert _state(peer, 1)["status"] == "ok"
        proxy.drop()
        assert _state(peer, 2) == {"status": "offline"}
        assert _state(peer, 3)["status"] == "ok"
        running.stop()


def test_a_refresh_is_no_death(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    peer.subscribe(f"{topic}/status")
    with TcpProxy(mosquitto.port) as proxy:
        running = start(port=proxy.port, status_topic=f"{topic}/status", refresh=1).connected()
        until(lambda: proxy.accepted == 2)
        until(lambda: len(peer.heard) >= 2)
        assert [json.loads(one.payload)["status"] for one in peer.heard[:2]] == ["ok", "ok"]
        assert running.of("attempts") == 0
        running.stop()
