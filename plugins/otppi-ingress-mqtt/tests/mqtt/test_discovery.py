"""What Home Assistant is told of the modems: its documented fields, and when they come, change and are taken back."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
import pytest

from otppi.api.egress import EgressState
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.mqtt_peer import Heard, MqttPeer
from otppi.testing.scripted import until
from otppi_ingress_mqtt.discovery import MODEM_STATES, id_of
from otppi_ingress_mqtt.settings import SECTION

from .conftest import PACE, Running, StandInGateway, Start, command

QUICK = replace(PACE, look=0.05, figures=0.0)
HOSTILE = "a/b +#'}}{{ 7*7 }} \"\u00e9\U0001f600"
"""Signs that mean something to topics, to JSON, to Jinja and to identifiers."""

# https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload and …/sensor.mqtt/#configuration-variables
_TOPIC = re.compile(r"homeassistant/device/[a-zA-Z0-9_-]+/config")
_DEVICE = {
    *("identifiers", "connections", "name", "manufacturer", "model", "model_id", "serial_number", "sw_version"),
    *("hw_version", "suggested_area", "via_device", "configuration_url"),
}
_ORIGIN = {"name", "sw_version", "support_url"}
_COMMON = {
    *("device", "origin", "components", "state_topic", "command_topic", "qos", "encoding", "availability"),
    *("availability_mode", "availability_template", "availability_topic", "payload_available", "payload_not_available"),
}
_SENSOR = {
    *("platform", "unique_id", "name", "device_class", "state_class", "unit_of_measurement", "entity_category", "icon"),
    *("options", "value_template", "state_topic", "expire_after", "force_update", "suggested_display_precision"),
}
_UNITS: Mapping[str | None, set[str | None]] = {"signal_strength": {"dB", "dBm"}, "enum": {None}}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Mosquitto]:
    """Return a broker of the test's own, to be stopped, and whose retained messages nobody else sees."""
    with Mosquitto(tmp_path / "mosquitto") as broker:
        yield broker


@pytest.fixture
def listener(own: Mosquitto) -> Iterator[MqttPeer]:
    """Return what listens where Home Assistant does, and to the state."""
    with MqttPeer(own.port) as one:
        one.subscribe("homeassistant/device/+/config")
        one.subscribe("otp/status")
        yield one


def on(start: Start, broker: Mosquitto, **more: Any) -> Running:
    """Start an ingress that tells Home Assistant of its modems; all of one test are one gateway."""
    values = {"status_topic": "otp/status", "discovery": True, "number": 0, "pace": QUICK}
    return start(broker=broker, **values | more).connected()


def retained(broker: Mosquitto) -> dict[str, Any]:
    """Return what Home Assistant would hear now if it were started: configurations by modem."""
    with MqttPeer(broker.port) as later:
        later.subscribe("homeassistant/device/+/config")
        later.subscribe("end")
        later.publish("end", b"")
        later.wait_for(1, "end")
        last = {one.topic: one.payload for one in later.heard if one.topic != "end"}
    known = [json.loads(payload) for payload in last.values() if payload]  # an empty one takes back what was there
    return {one["device"]["name"].removeprefix("OTP-Pi "): one for one in known}


def until_retained(broker: Mosquitto, *modems: str) -> dict[str, Any]:
    until(lambda: retained(broker).keys() == set(modems), f"Home Assistant knows {modems}")
    return retained(broker)


def states(listener: MqttPeer) -> list[dict[str, Any]]:
    return [json.loads(one.payload) for one in listener.heard if one.topic == "otp/status"]


def shown(config: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, str]:
    """Return what Home Assistant shows of a modem: its templates are Jinja's, in a sandbox."""
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 - no page: what it renders is compared
    values = {
        key: environment.from_string(one["value_template"]).render(value_json=state)
        for key, one in config["components"].items()
    }
    available = environment.from_string(config["availability_template"]).render(value_json=state)
    return {**values, "available": available}


def check(heard: Heard) -> None:
    """Hold a configuration against what Home Assistant documents: it ignores a device with anything wrong."""
    assert _TOPIC.fullmatch(heard.topic)
    config = json.loads(heard.payload)
    assert config.keys() <= _COMMON
    assert {"device", "origin", "components"} <= config.keys()
    assert config["device"].keys() <= _DEVICE
    assert config["device"]["identifiers"]
    assert config["origin"].keys() <= _ORIGIN
    assert config["origin"]["name"]
    names = [one["unique_id"] for one in config["components"].values()]
    assert len(set(names)) == len(names) > 0
    for key, sensor in config["components"].items():
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", key)
        assert sensor.keys() <= _SENSOR
        assert sensor["platform"] == "sensor"
        kind = sensor.get("device_class")
        assert sensor.get("unit_of_measurement") in _UNITS.get(kind, {None})
        assert sensor.get("state_class") in ({None} if kind == "enum" else {"measurement", "total_increasing"})
        assert ("options" in sensor) == (kind == "enum")


def test_each_modem_is_a_device_whose_sensors_show_the_state(
    start: Start, own: Mosquitto, gateway: StandInGateway, listener: MqttPeer
) -> None:
    gateway.modems = [
        {"modem_id": HOSTILE, "state": "ready", "signal_dbm": -71, "queued": 3, "sent_today": 12, "balance": 4500.5},
        {"modem_id": "m1", "state": "blocked", "signal_dbm": None, "queued": 0, "sent_today": 0, "balance": None},
    ]
    running = on(start, own)
    known = until_retained(own, HOSTILE, "m1")
    for heard in listener.heard:
        if heard.topic != "otp/status":
            check(heard)
    (state, *_) = states(listener)
    assert shown(known[HOSTILE], state) == {
        "state": "ready", "signal_dbm": "-71", "queued": "3", "sent_today": "12", "balance": "4500.5",
        "available": "online",
    }  # fmt: skip
    assert shown(known["m1"], state) == {
        "state": "blocked", "signal_dbm": "None", "queued": "0", "sent_today": "0", "available": "online",
    }  # fmt: skip
    told = b"".join(one.payload for one in listener.heard)
    assert b"490154203237518" not in told
    assert b"imei" not in told
    running.stop()
    until(lambda: states(listener)[-1] == {"status": "offline"})
    assert shown(known["m1"], {"status": "offline"})["available"] == "offline"
    assert shown(known["m1"], {"status": "offline"})["state"] == "None"


def test_states_are_all_that_a_modem_may_have() -> None:
    assert set(MODEM_STATES) == {state.value for state in EgressState}


def test_ids() -> None:
    assert id_of("gateway", "m0") != id_of("gateway2", "m0")
    assert id_of("gateway", "m/0") != id_of("gateway", "m_0")
    assert id_of("gatewaym", "0") != id_of("gateway", "m0")
    assert re.fullmatch(r"otppi-[0-9a-f]{12}-[a-zA-Z0-9_-]{1,32}", id_of("\ud800", "\ud800" + HOSTILE * 9))


def test_figures_follow_and_a_balance_that_becomes_known_is_a_sensor_more(
    start: Start, own: Mosquitto, gateway: StandInGateway, listener: MqttPeer
) -> None:
    on(start, own)
    assert "balance" not in until_retained(own, "m0")["m0"]["components"]
    gateway.modems = [gateway.modems[0] | {"balance": 900, "queued": 8}]
    until(lambda: "balance" in retained(own)["m0"]["components"], "a sensor for the balance")
    until(lambda: states(listener)[-1]["modems"][0].get("balance") == 900)
    assert shown(retained(own)["m0"], states(listener)[-1])["queued"] == "8"


def test_figures_alone_are_not_told_at_once(
    start: Start, own: Mosquitto, gateway: StandInGateway, listener: MqttPeer
) -> None:
    on(start, own, pace=replace(QUICK, figures=600.0))
    until_retained(own, "m0")
    gateway.modems = [gateway.modems[0] | {"queued": 8}]
    looked = gateway.asked
    until(lambda: gateway.asked > looked + 1, "it has looked, and published what is to be published")
    assert len(states(listener)) == 1
    gateway.state = "degraded"
    until(lambda: len(states(listener)) == 2)
    assert states(listener)[1]["modems"][0]["queued"] == 8


def test_a_modem_that_is_renamed_or_removed_is_taken_back(
    start: Start, own: Mosquitto, gateway: StandInGateway
) -> None:
    gateway.modems = [{"modem_id": name, "state": "ready"} for name in ("m0", "m1")]
    running = on(start, own)
    until_retained(own, "m0", "m1")
    gateway.modems = [{"modem_id": name, "state": "ready"} for name in ("m0", "office")]
    until_retained(own, "m0", "office")
    running.stop()
    gateway.modems = [{"modem_id": "office", "state": "ready"}]  # while it does not run
    on(start, own)
    until_retained(own, "office")


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_is_switched_off_is_taken_back(
    start: Start, own: Mosquitto, gateway: StandInGateway, protocol: str
) -> None:
    running = on(start, own, protocol=protocol)
    until_retained(own, "m0")
    running.stop()
    until_retained(own, "m0")  # it is unavailable, and still there
    off = on(start, own, protocol=protocol, discovery=False, status_topic="")
    until_retained(own)
    off.stop()
    kept = off.folder / "discovered"
    until(lambda: json.loads(kept.read_text()) == [], "nothing is kept")
    assert not start(broker=own, number=0).connected().of("publications_refused")


def test_another_prefix_and_qos_0(start: Start, own: Mosquitto, gateway: StandInGateway) -> None:
    on(start, own, qos=0).stop()
    until_retained(own, "m0")
    on(start, own, qos=0, discovery_prefix="rumah/ha")
    until_retained(own)
    with MqttPeer(own.port) as later:
        later.subscribe("rumah/ha/device/+/config")
        assert json.loads(later.wait_for(1)[0].payload)["device"]["name"] == "OTP-Pi m0"


def test_a_broker_that_has_forgotten_is_told_again(start: Start, own: Mosquitto, gateway: StandInGateway) -> None:
    running = on(start, own)
    until_retained(own, "m0")
    own.kill()
    until(lambda: not running.of("connected"))
    (own.folder / "mosquitto.db").unlink(missing_ok=True)
    own.start()
    running.connected()
    until_retained(own, "m0")


def test_many_modems_are_told_within_the_brokers_window(start: Start, own: Mosquitto, gateway: StandInGateway) -> None:
    gateway.modems = [{"modem_id": f"m{number}", "state": "ready"} for number in range(64)]
    running = on(start, own)
    until_retained(own, *(one["modem_id"] for one in gateway.modems))
    assert running.of("attempts") == 0


@pytest.mark.parametrize("limit", [0, 1000])
def test_what_the_broker_refuses_is_told_and_harms_nothing_else(
    start: Start, tmp_path: Path, gateway: StandInGateway, topic: str, caplog: pytest.LogCaptureFixture, limit: int
) -> None:
    rules = tmp_path / "acl"
    rules.write_text(f"topic readwrite {topic}\ntopic readwrite otp/status\n")
    options = (f"acl_file {rules}", f"max_queued_messages {limit}")  # with 0, Mosquitto 2.0.11 hangs up beside that
    with Mosquitto(tmp_path / "mosquitto", options=options) as broker, MqttPeer(broker.port) as peer:
        gateway.modems = [{"modem_id": f"m{number}", "state": "ready"} for number in range(3)]
        running = on(start, broker)
        until(lambda: running.ingress.describe().get("warnings"), "it is told")
        (warning,) = running.of("warnings")
        assert "homeassistant/device/+/config" in warning
        running.connected()
        looked = gateway.asked
        until(lambda: gateway.asked > looked + 1, "it looks on")
        gateway.state = "down"
        peer.subscribe("otp/status")
        until(lambda: json.loads(peer.heard[-1].payload)["status"] == "down" if peer.heard else False)
        peer.publish(topic, command(1))
        gateway.wait_for(1)
        running.settled(1)
        assert running.of("connected")
        assert caplog.text.count("what Home Assistant is to discover") == 1
        assert running.of("publications_refused") == 0
        running.stop()


def test_what_was_refused_is_tried_again(start: Start, tmp_path: Path, gateway: StandInGateway, topic: str) -> None:
    rules = tmp_path / "acl"
    rules.write_text(f"topic readwrite {topic}\ntopic readwrite otp/status\n")
    with Mosquitto(tmp_path / "mosquitto", options=(f"acl_file {rules}", "max_queued_messages 1000")) as broker:
        running = on(start, broker, pace=replace(QUICK, rest=0.2))
        until(lambda: running.ingress.describe().get("warnings"), "it is told")
        rules.write_text("topic readwrite #\n")
        broker.stop()
        broker.start()
        until_retained(broker, "m0")
        until(lambda: not running.ingress.describe().get("warnings"), "it is no longer told")
        running.stop()


def test_a_damaged_list_takes_nothing_else_back(
    start: Start, own: Mosquitto, gateway: StandInGateway, tmp_path: Path
) -> None:
    folder = tmp_path / "ingress-0"
    folder.mkdir()
    with MqttPeer(own.port) as peer:
        peer.publish("somebody/else", b"1", retain=True)
        for kept in ('["somebody/else", 7, "#/device/otppi-x/config"]', "{", "[", '{"a": 1}', "null"):
            (folder / "discovered").write_text(kept)
            running = on(start, own)
            until_retained(own, "m0")
            running.stop()
        peer.subscribe("somebody/else")
        assert peer.wait_for(1)[0].payload == b"1"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"discovery": True}, "status_topic"),
        ({"discovery": True, "status_topic": "s", "topic": "homeassistant/#"}, "discovery_prefix"),
    ],
)
def test_what_does_not_go_together(values: dict[str, Any], field: str) -> None:
    assert [one.field for one in SECTION.validate({"enable": True, **values})[1]] == [f"ingress-mqtt.{field}"]
    assert SECTION.validate(values)[1] == []
    assert not SECTION.defaults()["discovery"]


@pytest.mark.parametrize("prefix", ["", "a/+", "#", "$SYS"])
def test_prefixes_that_are_refused(prefix: str) -> None:
    assert [one.field for one in SECTION.validate({"discovery_prefix": prefix})[1]] == ["ingress-mqtt.discovery_prefix"]
