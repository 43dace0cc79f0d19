"""Data calls: contexts, dialling, data and commands on one line."""

import pytest

from otppi.simulator import ModemPeer, ModemProfile
from otppi.testing.terminal import Terminal

OK = ["OK"]
CONNECT = ["CONNECT"]
NO_CARRIER = ["NO CARRIER"]


def test_contexts(terminal: Terminal) -> None:
    assert terminal.ask("AT+CGDCONT?") == ['+CGDCONT: 1,"IP","","",0,0', "OK"]
    assert terminal.ask('AT+CGDCONT=2,"IPV4V6","apn.example"') == OK
    assert terminal.ask("AT+CGDCONT=1") == OK
    assert terminal.ask("AT+CGDCONT?") == ['+CGDCONT: 2,"IPV4V6","apn.example","",0,0', "OK"]
    for wrong in ('0,"IP"', '99,"IP"', '1,"X25"', ""):
        assert terminal.ask(f"AT+CGDCONT={wrong}") == ["ERROR"]


def test_attaching_and_activating(terminal: Terminal) -> None:
    assert terminal.ask("AT+CGATT?;+CGACT?") == ["+CGATT: 1", "+CGACT: 1,0", "OK"]
    assert terminal.ask("AT+CGACT=1,1;+CGACT?") == ["+CGACT: 1,1", "OK"]
    assert terminal.ask("AT+CGACT=1,7") == ["ERROR"]
    assert terminal.ask("AT+CGATT=0;+CGATT?") == ["+CGATT: 0", "OK"]
    assert terminal.ask("AT+CGACT=1,1") == ["ERROR"]
    assert terminal.ask("ATD*99#") == NO_CARRIER


@pytest.mark.parametrize("number", ["*99#", "*99***1#", "T*99***1#", "P*99#", "T#777", "#777"])
def test_dialling(terminal: Terminal, number: str) -> None:
    assert terminal.ask(f"ATD{number}") == CONNECT
    assert terminal.type(b"AT\r\x1a+CMGS", 60.0) == b""
    assert terminal.peer.data.octets == 9


def test_a_context_that_is_not_there_and_an_apn_that_is_not_right() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, apn="apn.example")))
    assert terminal.ask("ATD*99***2#") == NO_CARRIER
    assert terminal.ask("ATD*99#") == NO_CARRIER
    terminal.ask('AT+CGDCONT=1,"IP","apn.example"')
    assert terminal.ask("ATD*99#") == CONNECT


def test_no_call_without_pin_or_network(terminal: Terminal) -> None:
    terminal.peer.set_coverage(False, terminal.now)
    assert terminal.ask("ATD*99#") == NO_CARRIER
    locked = Terminal(ModemPeer(ModemProfile(echo=False, pin="1234")))
    assert locked.ask("AT+CMEE=1;D*99#") == ["+CME ERROR: 11"]


def test_back_to_commands_and_to_data_again(terminal: Terminal) -> None:
    terminal.ask("ATD*99#")
    terminal.listen(2.0)
    assert terminal.type(b"+++", 0.9) == b""
    assert terminal.listen(0.2) == b"\r\nOK\r\n"
    assert terminal.ask("AT+CSQ")[-1] == "OK"
    assert terminal.ask("ATO") == CONNECT
    assert terminal.ask("AT") == []
    terminal.listen(2.0)
    terminal.type(b"+", 0.1)
    terminal.type(b"++", 2.0)
    assert terminal.ask("ATH") == OK
    assert terminal.ask("ATO") == NO_CARRIER
    assert terminal.peer.data.octets == 3


@pytest.mark.parametrize("pieces", [(b"x+++",), (b"+++x",), (b"+++", b"x"), (b"x", b"+++"), (b"++++",)])
def test_pluses_within_data_are_data(terminal: Terminal, pieces: tuple[bytes, ...]) -> None:
    terminal.ask("ATD*99#")
    terminal.listen(2.0)
    for piece in pieces:
        assert terminal.type(piece, 0.5) == b""
    assert terminal.listen(5.0) == b""
    assert terminal.peer.data.online


def test_loss_of_coverage_ends_the_call(terminal: Terminal) -> None:
    terminal.ask("ATD*99#")
    terminal.peer.set_coverage(False, terminal.now)
    assert terminal.listen() == b"\r\nNO CARRIER\r\n"
    assert terminal.ask("AT") == OK


def test_a_power_cycle_ends_the_call(terminal: Terminal) -> None:
    terminal.ask("ATD*99#")
    terminal.peer.unplug(terminal.now)
    terminal.peer.plug(terminal.now)
    assert terminal.ask("ATE0")[-1] == "OK"


def test_news_wait_for_the_end_of_the_call(terminal: Terminal) -> None:
    terminal.ask("AT+CNMI=2,1,0,0,0")
    terminal.ask("ATD*99#")
    terminal.peer.deliver("1234", "one", terminal.now)
    assert terminal.listen(5.0) == b""
    assert terminal.type(b"+++", 2.0) == b'\r\nOK\r\n\r\n+CMTI: "SM",1\r\n'
