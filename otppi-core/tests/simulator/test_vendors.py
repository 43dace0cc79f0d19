"""Modems that answer as well-known models do, and the commands that only they know."""

import os
import termios
from dataclasses import replace

import pytest

from otppi.simulator import VENDORS, ModemPeer, ModemProfile, ModemRack
from otppi.simulator.vendor_commands import VENDOR_COMMANDS
from otppi.testing.scripted import until
from otppi.testing.terminal import Terminal

ANSWERS = [
    ("sim800", "+SPIC", "+SPIC: 3,10,0,10"),
    ("sim7600", "+SPIC", "+SPIC: 3,10,0,10"),
    ("sim7600", "+CNSMOD?", "+CNSMOD: 0,8"),
    ("sim7600", "+CUSBPIDSWITCH?", "+CUSBPIDSWITCH: 9001"),
    ("huawei-e173", "^CPIN?", "^CPIN: READY,,10,3,10,3"),
    ("huawei-e173", "^SYSINFO", "^SYSINFO:2,3,0,5,1,,4"),
    ("huawei-e173", "^GETPORTMODE", "^GETPORTMODE: TYPE: WCDMA: huawei,MDM:0,NDIS:1,DIAG:2,PCUI:3"),
    ("huawei-e3372", "^HCSQ?", '^HCSQ:"LTE",40,30,120,20'),
    ("huawei-e3372", "^CURC?", "^CURC: 1"),
    ("huawei-e3372", "^USSDMODE?", "^USSDMODE: 1"),
    ("huawei-e3372", "^PORTSEL?", "^PORTSEL: 0"),
    ("quectel-ec25", "+QINISTAT", "+QINISTAT: 7"),
    ("quectel-ec25", '+QURCCFG="urcport"', '+QURCCFG: "urcport","usbat"'),
    ("quectel-ec25", '+QURCCFG="urcport","all"', None),
    ("quectel-ec25", '+QINDCFG="all",1', None),
    ("quectel-ec25", '+QPINC="SC"', '+QPINC: "SC",3,10'),
    ("quectel-ec25", "+QNWINFO", '+QNWINFO: "FDD LTE","00101","LTE BAND 3",1650'),
    ("zte-mf190", "+ZCDRUN=8", None),
    ("zte-mf190", "+ZPINPUK=?", "+ZPINPUK: 3,10"),
    ("wavecom-q2406", "+WIND?", "+WIND: 0"),
    ("wavecom-q2406", "+WOPEN=0", None),
    ("wavecom-q2406", "+CPINC?", "+CPINC: 3,3,10,10"),
]


def terminal(name: str, **changes: object) -> Terminal:
    one = Terminal(ModemPeer(replace(VENDORS[name], echo=False, **changes)))  # type: ignore[arg-type]
    one.listen()
    return one


@pytest.mark.parametrize("name", VENDORS)
def test_a_model_starts_says_who_it_is_and_sends(name: str) -> None:
    one = Terminal(ModemPeer(replace(VENDORS[name], echo=False)))
    said = one.listen(0.1).decode().split("\r\n")[1::2]
    assert said[: len(VENDORS[name].boot_urcs)] == list(VENDORS[name].boot_urcs)
    assert one.ask("AT+CGMM") == [VENDORS[name].model, "OK"]
    for command in VENDORS[name].iccid_commands:
        assert one.ask(f"AT{command}")[-1] == "OK"
    assert "+CMGS: 0" in one.send("x")
    assert VENDORS[name].vendor_commands <= set(VENDOR_COMMANDS)


@pytest.mark.parametrize(("name", "command", "answer"), ANSWERS)
def test_answer(name: str, command: str, answer: str | None) -> None:
    lines = terminal(name).ask(f"AT{command}", 0.5)
    assert lines[-1] == "OK"
    assert lines[0] == (answer or "OK")
    assert Terminal(ModemPeer(ModemProfile(echo=False))).ask(f"AT{command}") == ["ERROR"]


@pytest.mark.parametrize("name", VENDORS)
def test_each_answer_can_be_given(name: str) -> None:
    one = terminal(name)
    for command in [*VENDORS[name].answers, *VENDORS[name].vendor_commands - {"+CUSBPIDSWITCH"}]:
        assert one.ask(f"AT{command}", 0.2)[-1] == "OK"


def test_tries_that_are_left() -> None:
    one = terminal("huawei-e173", pin="1234", chatter_interval=0.0)
    assert one.ask("AT^CPIN?") == ["^CPIN: SIM PIN,3,10,3,10,3", "OK"]
    one.ask('AT+CPIN="9999"')
    assert one.ask("AT^CPIN?") == ["^CPIN: SIM PIN,2,10,2,10,3", "OK"]


def test_a_stick_talks_until_it_is_told_not_to() -> None:
    one = terminal("huawei-e173")
    assert one.listen(20.0).count(b"^RSSI:18") == 4
    assert one.ask("AT^CURC=0") == ["OK"]
    assert one.listen(60.0) == b""
    one.ask("AT^CURC=1")
    assert one.listen(6.0) != b""


def test_ussd_is_made_plain() -> None:
    one = terminal("huawei-e3372", chatter_interval=0.0)
    assert one.ask('AT+CUSD=1,"*123#",15') == ["ERROR"]
    assert one.ask("AT^USSDMODE=0;^USSDMODE?") == ["^USSDMODE: 0", "OK"]
    assert one.ask('AT+CUSD=1,"*123#",15') == ["OK", '+CUSD: 0,"Balance: 10000",15']


def test_the_port_of_the_urcs_is_chosen() -> None:
    one = terminal("huawei-e3372", chatter_interval=0.0)
    assert one.ask("AT^PORTSEL=1;^PORTSEL?") == ["^PORTSEL: 1", "OK"]
    assert one.peer.session.urc_port == 1


def test_another_set_of_usb_ports_takes_a_restart() -> None:
    one = terminal("sim7600")
    assert one.ask("AT+CUSBPIDSWITCH=9011,1,1", 0.5) == ["OK"]
    assert not one.peer.plugged
    one.listen(1.0)
    assert (one.peer.plugged, one.peer.usb_product) == (True, 9011)


def test_a_modem_understands_at_its_own_speed_alone() -> None:
    with ModemRack(profile=ModemProfile(echo=False, baud_rate=9600)) as rack:
        port = os.open(rack.paths[0], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

        def heard(speed: int) -> bytes:
            attributes = termios.tcgetattr(port)
            attributes[4:6] = speed, speed
            termios.tcsetattr(port, termios.TCSANOW, attributes)
            os.write(port, b"AT\r")
            answer = bytearray()

            def whole() -> bool:
                try:
                    answer.extend(os.read(port, 100))
                except BlockingIOError:
                    return False
                return answer.endswith((b"OK\r\n", b"\xe0"))

            until(whole, "the modem answers")
            return bytes(answer)

        assert b"OK" not in heard(termios.B115200)
        assert heard(termios.B9600) == b"\r\nOK\r\n"
        assert b"OK" not in heard(termios.B57600)
        os.close(port)


def test_the_speed_is_changed() -> None:
    one = Terminal(ModemPeer(ModemProfile(echo=False)))
    assert one.ask("AT+IPR?") == ["+IPR: 0", "OK"]
    one.peer.line_speed = 115_200
    assert one.ask("AT+IPR=9600") == ["OK"]
    assert "OK" not in one.ask("AT+IPR?")
    one.peer.line_speed = 9600
    assert one.ask("AT+IPR?") == ["+IPR: 9600", "OK"]
