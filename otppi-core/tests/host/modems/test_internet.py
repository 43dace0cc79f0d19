"""Mobile internet: on which port a modem is dialled, with what, and which connections there are."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from otppi.api.devices import SerialDevice, UsbMatch
from otppi.api.internet import Internet, InternetContext, InternetDown, InternetState, InternetStatus, InternetType
from otppi.api.modem import ModemIdentity
from otppi.api.settings import Section, boolean
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.modems.apn import PRESETS
from otppi.host.modems.internet import InternetLinks, data_port, dialling_of, sends_sms
from otppi.host.modems.settings import MODEMS
from otppi.host.modems.values import ModemValues
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.testing.scripted import until

STICK = tuple(
    SerialDevice(
        path=f"/dev/ttyUSB{number}", device="/sys/stick", vendor_id="aaaa", product_id="0001", interface=number
    )
    for number in range(4)
)
ALONE = SerialDevice(path="/dev/ttyUSB9", device="/sys/alone", vendor_id="aaaa", product_id="0001", interface=0)
KNOWN = (UsbMatch("aaaa", "0002", (0,)), UsbMatch("aaaa", "0001", (2, 3)), UsbMatch("aaaa"))
SECTION = Section(
    key="internet",
    title="Internet",
    help="For tests.",
    settings=(boolean("route", "Route", "Whether.", True),),
    reset_group="test",
)


def modem(**values: Any) -> ModemValues:
    checked, problems = MODEMS.validate({"name": "m0", "port": "/dev/ttyUSB2", "internet_access": True} | values)
    assert not problems
    return cast("ModemValues", checked)


@pytest.mark.parametrize(
    ("values", "port"),
    [
        ({}, "/dev/ttyUSB3"),
        ({"port": "/dev/ttyUSB3"}, "/dev/ttyUSB2"),  # never the one that sends SMS
        ({"internet_port": "/dev/ttyUSB0"}, "/dev/ttyUSB0"),
    ],
)
def test_the_modems_port_for_data_is_dialled_on(values: dict[str, Any], port: str) -> None:
    one = modem(**values)
    assert data_port(one, one["port"], (*STICK, ALONE), KNOWN) == port


@pytest.mark.parametrize(
    ("port", "known", "cause"),
    [
        ("/dev/ttyUSB9", KNOWN, "its only port sends SMS"),
        ("/dev/ttyUSB7", KNOWN, "the modem is not there"),
        ("/dev/ttyS0", KNOWN, "the modem is not there, or not on USB"),
        ("/dev/ttyUSB2", (), "not known which"),
        ("/dev/ttyUSB2", (UsbMatch("aaaa", "0001", (2,)),), "not known which"),
    ],
)
def test_no_port_is_guessed(port: str, known: tuple[UsbMatch, ...], cause: str) -> None:
    with pytest.raises(InternetDown, match=cause):
        data_port(modem(), port, (*STICK, ALONE), known)


def test_a_modem_whose_only_port_is_for_the_internet_sends_no_sms(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/dev/ttyUSB2")
    assert sends_sms(modem())
    assert sends_sms(modem(internet_port="/dev/ttyUSB3"))
    assert sends_sms(modem(internet_port="/dev/ttyUSB2", internet_access=False))
    assert not sends_sms(modem(internet_port="/dev/ttyUSB2"))
    assert not sends_sms(modem(internet_port=str(link)))


@pytest.mark.parametrize(
    ("values", "imsi", "apn", "username", "number"),
    [
        ({}, "510100123456789", "internet", "", "*99#"),
        ({"imsi": "510890123456789"}, "", "3data", "3data", "*99#"),
        ({"apn_preset": "smartfren"}, "510100123456789", "smart", "smart", "#777"),
        ({"apn": "other"}, "510890123456789", "other", "", "*99#"),  # not half of one and half of the other
        ({"apn": "other", "apn_preset": "axis"}, "", "other", "axis", "*99#"),
        ({"apn_preset": "axis", "apn_username": "me", "dial_number": "*99***2#"}, "", "axis", "me", "*99***2#"),
    ],
)
def test_what_is_dialled(values: dict[str, Any], imsi: str, apn: str, username: str, number: str) -> None:
    dialling = dialling_of(modem(**values), imsi, "/dev/ttyUSB3")
    assert (dialling.apn, dialling.username, dialling.dial_number) == (apn, username, number)
    assert (dialling.dial_command, dialling.port, dialling.baud_rate) == ("ATD", "/dev/ttyUSB3", 115_200)


@pytest.mark.parametrize(("preset", "imsi"), [("automatic", "001010123456789"), ("automatic", ""), ("none", "51010")])
def test_without_an_apn_nothing_is_dialled(preset: str, imsi: str) -> None:
    with pytest.raises(InternetDown, match="APN"):
        dialling_of(modem() | {"apn_preset": preset}, imsi, "/dev/ttyUSB3")


def test_the_init_commands_that_are_set() -> None:
    values = modem(apn="x", init_dial_1="ATZ", init_dial_3="AT+CGATT=1", dial_command="ATDT")
    dialling = dialling_of(values, "", "/dev/ttyUSB3")
    assert (dialling.init, dialling.dial_command) == (("ATZ", "AT+CGATT=1"), "ATDT")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("apn", 'x"'),
        ("dial_number", "08;"),
        ("dial_command", "ATH"),
        ("init_dial_1", "BREAK"),
        ("apn_password", "a\nb"),
    ],
)
def test_what_cannot_be_dialled_is_refused_as_a_setting(key: str, value: str) -> None:
    _, problems = MODEMS.validate({"name": "m0", key: value})
    assert [problem.field for problem in problems] == [f"modems.{key}"]


def test_no_sim_fits_two_presets() -> None:
    networks = [network for preset in PRESETS.values() for network in preset.networks]
    assert len(networks) == len(set(networks))


class Line(Internet):
    """Is connected until it is stopped."""

    def __init__(self, context: InternetContext) -> None:
        self.context = context
        self._stopped = threading.Event()

    def run(self) -> None:
        self._stopped.wait()

    def stop(self) -> None:
        self._stopped.set()

    def status(self) -> InternetStatus:
        state = InternetState.STOPPED if self._stopped.is_set() else InternetState.CONNECTED
        return InternetStatus(state, 0.0, self.context.dialling().port, address="10.0.0.1")


class Lines:
    """What was made."""

    def __init__(self) -> None:
        self.made: list[Line] = []

    def create(self, context: InternetContext) -> Line:
        self.made.append(Line(context))
        return self.made[-1]


def test_connections_follow_the_settings(tmp_path: Path) -> None:
    lines = Lines()
    links = InternetLinks(
        InternetType(SECTION, lines.create),
        lambda name: ModemIdentity(imsi="51010"),
        lambda name: "",
        lambda: STICK,
        KNOWN,
        tmp_path,
    )
    links.configure([modem(), modem(name="m1", internet_access=False)], {})
    (status,) = links.status()
    assert (status["modem_id"], status["state"], status["port"]) == ("m0", "connected", "/dev/ttyUSB3")
    links.configure([modem()], {})
    assert len(lines.made) == 1  # nothing changed, so nothing was hung up
    links.configure([modem(apn="other")], {})
    assert [line.status().state.value for line in lines.made] == ["stopped", "connected"]
    links.configure([modem(apn="other")], {"route": False})
    assert len(lines.made) == 3
    links.stop()
    assert links.status() == []


def test_a_modem_that_was_found_elsewhere_is_dialled_there(tmp_path: Path) -> None:
    """After a reset its ports have other numbers than the settings say."""
    lines = Lines()
    links = InternetLinks(
        InternetType(SECTION, lines.create),
        lambda name: ModemIdentity(imsi="51010"),
        lambda name: "/dev/ttyUSB2",
        lambda: STICK,
        KNOWN,
        tmp_path,
    )
    links.configure([modem(port="/dev/ttyUSB7")], {})
    assert [status["port"] for status in links.status()] == ["/dev/ttyUSB3"]
    links.stop()


def test_without_a_plugin_that_is_told(tmp_path: Path) -> None:
    links = InternetLinks(None, lambda name: ModemIdentity(), lambda name: "", lambda: (), (), tmp_path)
    links.configure([modem()], {})
    assert links.status() == [{"modem_id": "m0", "state": "stopped", "detail": "no plugin can connect to the internet"}]
    links.stop()


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def host(tmp_path: Path, lines: Lines, doubles: Any, no_leaks: None) -> Iterator[Host]:
    doubles.plugins.internet_types[SECTION.key] = InternetType(SECTION, lines.create)
    (tmp_path / "boot").mkdir()
    host = Host(DataFolder(tmp_path / "data", plugins=doubles.plugins), tmp_path / "boot")
    host.start()
    yield host
    host.stop()


def test_the_host_connects_modems_and_keeps_their_ports_apart(host: Host, lines: Lines) -> None:
    one = {"name": "m0", "type": "scripted", "port": "/dev/ttyUSB2", "internet_access": True, "apn": "x"}
    host.apply(host.data.config.update({"modems": [one | {"internet_port": "/dev/ttyUSB3"}]}))
    operations = registry_of(host.data, host)
    assert [worker.name for worker in host.dispatch.workers()] == ["m0"]
    assert [link["port"] for link in operations.call("internet", {}, COMMAND_LINE)] == ["/dev/ttyUSB3"]
    host.apply(host.data.config.update({"modems": [one | {"internet_port": "/dev/ttyUSB2"}]}))
    assert [worker.name for worker in host.dispatch.workers()] == []
    assert [link["address"] for link in operations.call("internet", {}, COMMAND_LINE)] == ["10.0.0.1"]
    host.apply(host.data.config.update({"internet": {"route": False}}))
    assert lines.made[-1].context.settings == {"route": False}
    host.apply(host.data.config.update({"modems": [one | {"active": False}]}))
    assert operations.call("internet", {}, COMMAND_LINE) == []
    until(lambda: all(line.status().state is InternetState.STOPPED for line in lines.made), "all have hung up")
