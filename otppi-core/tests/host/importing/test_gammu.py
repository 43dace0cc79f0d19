"""The configuration of gammu-smsd."""

from typing import Any

import pytest

from otppi.api.errors import InvalidSettings

RC = """\
# A comment
[gammu]
Device = /dev/ttyUSB0
connection = at115200
; another one
model = auto

[smsd]
Service = files
PIN = 4321
SMSC = +6281100000
PhoneID = Kantor 1
deliveryreport = log
send = yes
MaxRetries = 2
MultipartTimeout = 300
RunOnReceive = /usr/local/bin/received
User = gammu
Password = database secret
SendTimeout = 30

[include_numbers]
number1 = 1234
"""


def test_a_file_becomes_a_modem(ours: Any) -> None:
    told = ours.take({"gammu-smsdrc": RC})
    modem = ours.many("modems")["Kantor 1"]
    assert (modem["port"], modem["baud_rate"], modem["sim_card_pin"]) == ("/dev/ttyUSB0", 115200, "4321")
    assert (modem["sms_center"], modem["delivery_reports"], modem["send_from_api"]) == ("+6281100000", True, True)
    assert (ours.one("sms")["attempts"], ours.one("inbox")["incomplete_after"]) == (3, 300.0)
    assert told["program"] == "gammu-smsd"
    for key in ("service", "runonreceive", "sendtimeout", "model", "[include_numbers]"):
        assert ours.row(told, key)["outcome"] == "none", key
    assert ours.row(told, "password")["old"] == "***"
    assert "secret" not in str(told)


def test_each_file_is_a_modem(ours: Any) -> None:
    second = RC.replace("ttyUSB0", "ttyUSB1").replace("PhoneID = Kantor 1\n", "")
    ours.take({"etc/gammu-smsdrc": RC, "etc/gammu-smsdrc-2": second})
    assert {name: one["port"] for name, one in ours.many("modems").items()} == {
        "Kantor 1": "/dev/ttyUSB0",
        "gammu 2": "/dev/ttyUSB1",
    }


def test_the_placeholder_of_debian_is_no_port(ours: Any) -> None:
    told = ours.take({"gammu-smsdrc": "[gammu]\nport = /dev/null\nconnection = at\n[smsd]\nservice = files\n"})
    assert ours.many("modems") == {}
    assert [(one["key"], one["outcome"]) for one in told["rows"]] == [("gammu port", "ask")]


@pytest.mark.parametrize(("connection", "speed"), [("at", 0), ("AT19200", 19200)])
def test_the_speed_is_in_the_connection(ours: Any, connection: str, speed: int) -> None:
    ours.take({"rc": f"[gammu]\nport=/dev/ttyS0\nconnection={connection}\n[smsd]\nphoneid=a\n"})
    assert ours.many("modems")["a"]["baud_rate"] == speed


def test_a_phone_that_speaks_no_at_is_told(ours: Any) -> None:
    told = ours.look({"rc": "[gammu]\nport=/dev/ttyS0\nconnection=fbusdlr3\n[smsd]\nphoneid=a\n"})
    assert ours.row(told, "connection")["outcome"] == "refused"


def test_it_cannot_be_that_two_modems_have_one_port(ours: Any) -> None:
    with pytest.raises(InvalidSettings, match="is the port of Kantor 1 too"):
        ours.take({"a": RC, "b": RC})
    assert ours.many("modems") == {}


def test_taking_over_twice_changes_nothing_the_second_time(ours: Any) -> None:
    ours.take({"gammu-smsdrc": RC})
    assert ours.take({"gammu-smsdrc": RC})["changed"] == []
