"""What cannot work is refused when it is set; what is kept so blocks its thread until it is changed."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings
from otppi.api.services import ListeningPort
from otppi.api.settings import Input, Section, boolean, integer, text
from otppi.host.data_folder import DataFolder, config_of
from otppi.host.modems.settings import MODEMS
from otppi.host.runtime.supervisor import Supervised, ThreadState
from otppi.host.settings.config import Config
from otppi.host.settings.document import Declarations
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.wire.errors import FieldError


def modem(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "scripted", **more}


def told(*modems: dict[str, Any]) -> dict[str, str]:
    return {problem.field: problem.reason for problem in MODEMS.validate_items(list(modems))[1]}


def refused(config: Config, document: object) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as caught:
        config.update(document)
    return {problem.field: problem.reason for problem in caught.value.problems}


# -- modems ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ({"port": "/dev/a"}, {"port": "/dev/a"}, "port"),
        ({"imei": "490154203237518"}, {"imei": "490154203237518"}, "imei"),
        ({"imei": "490154203237518"}, {"imei": "4901542032375101"}, "imei"),  # as IMEISV
        ({"imsi": "510101234567890"}, {"imsi": "510101234567890"}, "imsi"),
        ({"port": "/dev/a"}, {"internet_access": True, "internet_port": "/dev/a"}, "internet_port"),
        (
            {"internet_access": True, "internet_port": "/dev/b"},
            {"internet_access": True, "internet_port": "/dev/b"},
            "internet_port",
        ),
    ],
)
def test_two_modems_do_not_share_what_one_has(first: dict[str, Any], second: dict[str, Any], field: str) -> None:
    assert list(told(modem("m0", **first), modem("m1", **second))) == [f"modems[1].{field}"]
    assert told(modem("m0", **first), modem("m1", **second, active=False)) == {}


@pytest.mark.parametrize(
    "modems",
    [
        [{"default_modem": True}, {"default_modem": True}],  # they take turns
        [{"recipient_prefixes": ["62"]}, {"recipient_prefixes": ["62"]}],
        [{"port": "/dev/a", "imei": "490154203237518"}, {"port": "/dev/b", "imei": "490154203237518"}],  # clones
        [{"port": "/dev/a", "imei": "490154203237518"}, {"port": "/dev/a"}],  # where it is looked for first only
        [{"port": "/dev/a", "internet_access": True, "internet_port": "/dev/a"}],  # it sends no SMS
        [{"internet_port": "/dev/a"}, {"port": "/dev/a"}],
    ],
)
def test_what_modems_may_share(modems: list[dict[str, Any]]) -> None:
    assert told(*(modem(f"m{index}", **one) for index, one in enumerate(modems))) == {}


def test_a_modem_whose_settings_do_nothing_together() -> None:
    assert list(told(modem("m0", balance_every=6))) == ["modems[0].balance_ussd"]
    assert told(modem("m0", balance_every=6, balance_ussd="*123#")) == {}
    assert list(told(modem("m0", internet_access=True, apn_preset="none"))) == ["modems[0].apn"]
    assert told(modem("m0", internet_access=True, apn_preset="none", apn="internet")) == {}


def test_every_setting_of_a_modem_is_in_a_group_and_what_experts_need_is_advanced() -> None:
    groups = {group.key if group else None: [one.key for one in some] for group, some in MODEMS.grouped()}
    assert list(groups) == ["basic", "sim", "routing", "limits", "prices", "ussd", "internet", "line", "expert"]
    assert sum(map(len, groups.values())) == len(MODEMS.settings) == 47
    assert groups["basic"][0] == "name"
    shown = [one.key for one in MODEMS.settings if not one.advanced]
    assert {"name", "port", "imei", "sim_card_pin", "recipient_prefixes", "active"} <= set(shown)
    assert not {"baud_rate", "parity_bit", "init_commands", "dial_command", "imsi"} & set(shown)


# -- across sections ---------------------------------------------------------------------------------------------------


def listener(key: str) -> Section:
    settings = (
        boolean("enable", "Enable", "Whether.", True),
        integer("port", "Port", "A port.", 0, minimum=0, input=Input.LISTEN_PORT, enabled_by="enable"),
        integer("limit", "Limit", "A limit.", 1),
    )
    return Section(key=key, title=key.title(), help="Listens.", settings=settings, reset_group="x")


@pytest.fixture
def listeners(data: DataFolder) -> Config:
    return Config(data.store, Declarations((listener("first"), listener("second"))))


def test_two_sections_do_not_listen_on_one_port(listeners: Config) -> None:
    both = {"first": {"port": 8080}, "second": {"port": 8080}}
    assert refused(listeners, both) == {"second.port": "must not be the same as first.port"}
    listeners.update({"first": {"port": 8080}})
    assert refused(listeners, {"second": {"port": 8080}}) == {"second.port": "must not be the same as first.port"}
    assert listeners.update({"second": {"port": 8080, "enable": False}}) == ["second"]
    assert refused(listeners, {"second": {"port": 8080}}) == {"second.port": "must not be the same as first.port"}


def test_which_ports_are_listened_on(listeners: Config) -> None:
    """Those that are switched on, and not 0, which is any free one."""
    assert listeners.listening() == []
    listeners.update({"first": {"port": 8080}, "second": {"port": 8081, "enable": False}})
    assert listeners.listening() == [ListeningPort("first", "port", 8080)]
    listeners.update({"second": {"port": 8081, "enable": True}})
    assert listeners.listening() == [ListeningPort("first", "port", 8080), ListeningPort("second", "port", 8081)]


def test_at_which_address_they_are_listened_on(data: DataFolder) -> None:
    own = text("bind_address", "Address", "An address.", input=Input.LISTEN_ADDRESS)
    section = replace(listener("own"), settings=(*listener("own").settings, own))
    config = Config(data.store, Declarations((section,)))
    config.update({"own": {"port": 8080}})
    assert [one.address for one in config.listening()] == [""]
    config.update({"own": {"port": 8080, "bind_address": "127.0.0.1"}})
    assert config.listening() == [ListeningPort("own", "port", 8080, "127.0.0.1")]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_what_can_be_reached_from_the_device_only(address: str) -> None:
    assert ListeningPort("own", "port", 8080, address).is_local


@pytest.mark.parametrize("address", ["", "0.0.0.0", "::", "192.0.2.1", "fe80::1%eth0", "::ffff:192.0.2.1"])
def test_what_can_be_reached_by_network(address: str) -> None:
    assert not ListeningPort("own", "port", 8080, address).is_local


def test_one_that_is_kept_so_stops_no_other_change(data: DataFolder, listeners: Config) -> None:
    data.store.write({"first": [{"port": 8080}], "second": [{"port": 8080}]})
    config = Config(data.store, Declarations((listener("first"), listener("second"), listener("third"))))
    assert config.update({"third": {"port": 8081}}) == ["third"]
    assert "second.port" in refused(config, {"second": {"port": 8080, "limit": 2}})
    assert config.update({"second": {"port": 8082}}) == ["second"]


def test_problems_of_single_values_and_across_are_told_at_once(listeners: Config) -> None:
    listeners.update({"first": {"port": 8080}})
    assert refused(listeners, {"second": {"port": 8080, "limit": "many"}}) == {
        "second.limit": "must be a whole number",
        "second.port": "must not be the same as first.port",
    }


# -- what is kept and cannot work --------------------------------------------------------------------------------------


def test_a_thread_whose_settings_are_wrong_is_blocked_and_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    tried: list[int] = []

    def run() -> None:
        tried.append(1)
        raise InvalidSettings([FieldError("ingress-x.queue", "is empty")])

    ended = threading.Event()
    thread = Supervised("x", run, ended.set)

    def state() -> ThreadState:
        return thread.supervision.state

    thread.start()
    until(lambda: state() is ThreadState.BLOCKED)
    assert thread.supervision.last_error == "ingress-x.queue: is empty"
    thread.revive()
    assert state() is ThreadState.BLOCKED
    assert tried == [1]
    assert "x is blocked until its settings are changed: ingress-x.queue: is empty" in caplog.text
    thread.stop()
    assert thread.join(PATIENCE)
    assert state() is ThreadState.STOPPED


def test_a_kept_contradiction_is_told(data: DataFolder) -> None:
    data.store.write({"modems": [modem("m0", port="/dev/a"), modem("m1", port="/dev/a")]})
    config = config_of(data.store, data.plugins)
    assert [problem.field for problem in config.problems] == ["modems[1].port"]
    assert [one["port"] for one in config.many("modems")] == ["/dev/a", "/dev/a"]
    assert config.update({"modems": [modem("m0", port="/dev/a"), modem("m1", port="/dev/b")]}) == ["modems"]
    assert config.problems == []
