"""The configuration of smstools3."""

from typing import Any

import pytest

CONF = """\
# Comments
devices = GSM1, GSM2, NET
outgoing = /var/spool/sms/outgoing
blacklist = /etc/smsd.black
whitelist = /etc/smsd.white
validity = 255
eventhandler = /usr/local/bin/event
loglevel = 7

[queues]
telkomsel = /var/spool/sms/telkomsel
other = /var/spool/sms/other

[providers]
telkomsel = 62811, 62812, s
other = 0,1,2,3,4,5,6,7,8,9

[GSM1]
init = ATE0
init2 = AT+CSCS="GSM"
device = /dev/ttyUSB0
incoming = yes
queues = telkomsel
pin = 4321
smsc = 6281100000
baudrate = 19200
rtscts = yes
report = no
message_limit = 200
message_count_clear = 1440

[GSM2]
device = /dev/modemname
queues = other
pin = ignore
rtscts = no
report = yes
send_delay = 30
message_limit = 20
outgoing = no

[NET]
device = @10.1.1.1:5000
"""


def test_modems_with_their_queues_and_limits(ours: Any) -> None:
    told = ours.take({"smsd.conf": CONF}, leave_out=True)
    modems = ours.many("modems")
    assert list(modems) == ["GSM1", "GSM2"]
    one = modems["GSM1"]
    assert one["init_commands"] == ["ATE0", 'AT+CSCS="GSM"']
    assert (one["port"], one["sim_card_pin"], one["sms_center"]) == ("/dev/ttyUSB0", "4321", "6281100000")
    assert (one["baud_rate"], one["flow_control"], one["delivery_reports"]) == (19200, "rts-cts", False)
    assert (one["recipient_prefixes"], one["default_modem"], one["daily_quota"]) == (["62811", "62812"], False, 200)
    other = modems["GSM2"]
    assert (other["port"], other["default_modem"], other["recipient_prefixes"]) == ("/dev/GSM2", True, [])
    assert (other["chunk_size"], other["chunk_pause"], other["flow_control"]) == (1, 0.03, "none")
    assert (other["send_from_api"], other["sim_card_pin"], other["daily_quota"]) == (False, "", 0)
    assert ours.row(told, "GSM2 message_limit")["outcome"] == "none"
    assert ours.row(told, "NET device")["outcome"] == "refused"
    for key in ("outgoing", "whitelist", "validity", "eventhandler", "loglevel", "GSM1 queues s"):
        assert ours.row(told, key)["outcome"] == "none", key


def test_the_blocking_list_beside_it(ours: Any) -> None:
    black = "628111111111 # Somebody\n44 # a country\ns # short numbers\n+628111111112\n"
    told = ours.take({"etc/smsd.conf": CONF, "etc/smsd.black": black})
    assert set(ours.folder.blocklist.entries()) == {"628111111111", "628111111112"}
    assert ours.row(told, "44")["outcome"] == "none"


def test_a_blocking_list_that_is_longer_than_any_configuration(ours: Any) -> None:
    numbers = [f"62811{number:07}" for number in range(25_000)]
    told = ours.take({"smsd.conf": CONF, "smsd.black": "\n".join(numbers)})
    assert (told["program"], told["blocked"]) == ("smstools3", 25_000)
    assert numbers[-1] in ours.folder.blocklist


def test_a_blocking_list_that_was_not_given_is_asked_for(ours: Any) -> None:
    told = ours.look({"smsd.conf": CONF})
    assert ours.row(told, "blacklist")["outcome"] == "ask"


def test_many_modems_in_short(ours: Any) -> None:
    sections = "".join(f"[G{number}]\ndevice = /dev/ttyUSB{number}\n" for number in range(101, 104))
    ours.take({"smsd.conf": f"devices = G* 101-103\n{sections}"})
    assert list(ours.many("modems")) == ["G101", "G102", "G103"]


@pytest.mark.parametrize("devices", ["G* 1-9999", "x" * 5000, ",,,", "G* 9-1", "*"])
def test_devices_that_are_not_there_are_none(ours: Any, devices: str) -> None:
    assert ours.take({"smsd.conf": f"devices = {devices}\n"})["changed"] == []


def test_a_modem_without_a_port_is_asked_for(ours: Any) -> None:
    told = ours.take({"smsd.conf": "devices = GSM1\n[GSM1]\nincoming = yes\n"})
    assert ours.row(told, "GSM1 device")["outcome"] == "ask"
    assert ours.many("modems") == {}


def test_taking_over_twice_changes_nothing_the_second_time(ours: Any) -> None:
    ours.take({"smsd.conf": CONF})
    assert ours.take({"smsd.conf": CONF})["changed"] == []
