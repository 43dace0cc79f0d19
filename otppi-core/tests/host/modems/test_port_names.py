"""Ports as people write them (issue 9, row 16), and the SIM card that is in against the one that is set."""

from typing import Any

import pytest

from otppi.api.modem import ModemIdentity
from otppi.host.modems.checks import shared_ports
from otppi.host.modems.port_names import port_problem, tidy_port
from otppi.host.modems.settings import MODEMS
from otppi.host.modems.sim_check import number_of, sim_problem
from otppi.host.modems.values import ModemValues
from otppi.testing.values import values_of


def modem(**values: Any) -> ModemValues:
    return values_of(MODEMS, **values)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("/dev/ttyUSB0", "/dev/ttyUSB0"),
        (" /dev/ttyUSB0", "/dev/ttyUSB0"),
        ("'/dev/ttyUSB0'", "/dev/ttyUSB0"),
        ('"/dev/ttyUSB0"\n', "/dev/ttyUSB0"),
        ("ttyUSB0", "/dev/ttyUSB0"),
        ("dev/ttyACM1", "/dev/ttyACM1"),
        ("ttyAMA0", "/dev/ttyAMA0"),
        ("serial/by-id/usb-made-up", "/dev/serial/by-id/usb-made-up"),
        ("", ""),
    ],
)
def test_what_is_meant_is_kept(typed: str, kept: str) -> None:
    assert tidy_port(typed) == kept
    assert port_problem(kept) is None
    values, problems = MODEMS.validate({"name": "m0", "port": typed})
    assert (values["port"], problems) == (kept, [])


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("COM3", "COM3 is a name of Windows"),
        ("/dev", "/dev is a folder; a port is like /dev/ttyUSB0"),
        ("/dev/serial/by-id/", "/dev/serial/by-id/ is a folder"),
        ("com12:", "com12: is a name of Windows"),
        ("\\\\.\\COM10", "is a name of Windows"),
        ("usb", "is no path; a port is like /dev/ttyUSB0"),
        ("192.168.1.5:5000", "is no path"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(typed: str, says: str) -> None:
    _, (problem,) = MODEMS.validate({"name": "m0", "port": typed})
    assert problem.field == "modems.port"
    assert says in problem.reason


def test_two_modems_on_one_port_are_refused() -> None:
    port = "/dev/ttyUSB0"
    (problem,) = shared_ports([modem(name="m0", port=port), modem(name="m1", port=port)])
    assert problem.field == "[1].port"
    assert problem.reason.startswith("is the port of m0 too")
    imei = "350000000000001"
    for other in ({"port": "/dev/ttyUSB1"}, {"port": port, "active": False}, {"port": port, "imei": imei}):
        assert list(shared_ports([modem(name="m0", port=port), modem(name="m1", **other)])) == []
    assert list(shared_ports([modem(name="m0"), modem(name="m1")])) == []


def test_another_sim_card_than_the_one_that_is_set_is_told() -> None:
    found = ModemIdentity(imsi="001010000000007", msisdn="+6281200000007")
    for settings in (None, modem(imsi="001010000000007"), modem(msisdn="081200000007"), modem(name="m0")):
        assert sim_problem(settings, found) == ""
    problem = sim_problem(modem(imsi="001010000001234"), found)
    assert problem == "another SIM card is in than the one that is set: its IMSI ends in 0007, not in 1234"
    assert "its number ends in 0007" in sim_problem(modem(msisdn="6281200001234"), found)
    assert sim_problem(modem(imsi="001010000001234"), ModemIdentity()) == "", "nothing is known yet"


def test_the_number_that_is_set_goes_before_what_the_card_says() -> None:
    found = ModemIdentity(msisdn="+6281200000007")
    assert number_of(modem(msisdn="081200000001"), found) == "081200000001"
    assert number_of(modem(msisdn=""), found) == "+6281200000007"
    assert number_of(None, found) == "+6281200000007"
