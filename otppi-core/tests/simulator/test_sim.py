"""The lock of the SIM: PIN, PUK, switching the lock on and off, tries that are left."""

import pytest

from otppi.simulator import ModemPeer, ModemProfile
from otppi.testing.terminal import Terminal

OK = ["OK"]
WRONG = ["+CME ERROR: 16"]


def terminal(pin: str | None = "2468") -> Terminal:
    one = Terminal(ModemPeer(ModemProfile(echo=False, pin=pin, idle_pin="1357", puk="12345678")))
    one.ask("AT+CMEE=1")
    return one


def power_cycle(one: Terminal) -> None:
    one.peer.unplug(one.now)
    one.peer.plug(one.now)
    one.ask("ATE0;+CMEE=1")


def test_the_lock_is_switched_off() -> None:
    one = terminal()
    assert one.ask('AT+CLCK="SC",0,"2468"') == ["+CME ERROR: 11"]
    assert one.ask('AT+CPIN="2468"') == OK
    assert one.ask('AT+CLCK="SC",0,"9999"') == WRONG
    assert one.ask('AT+CLCK="SC",0,"2468"') == OK
    assert one.ask('AT+CLCK="SC",2') == ["+CLCK: 0", "OK"]
    power_cycle(one)
    assert one.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]


def test_the_lock_is_switched_on() -> None:
    one = terminal(pin=None)
    assert one.ask('AT+CLCK="SC",1') == ["+CME ERROR: 50"]
    assert one.ask('AT+CLCK="SC",1,"1357"') == OK
    assert one.ask('AT+CLCK="SC",2') == ["+CLCK: 1", "OK"]
    assert one.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]
    power_cycle(one)
    assert one.ask("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
    assert one.ask('AT+CPIN="1357"') == OK


def test_the_pin_is_changed() -> None:
    one = terminal()
    one.ask('AT+CPIN="2468"')
    assert one.ask('AT+CPWD="SC","2468","12"') == ["+CME ERROR: 50"]
    assert one.ask('AT+CPWD="SC","0000","8642"') == WRONG
    assert one.ask('AT+CPWD="SC","2468","8642"') == OK
    power_cycle(one)
    assert one.ask('AT+CPIN="2468"') == WRONG
    assert one.ask('AT+CPIN="8642"') == OK


def test_the_pin_of_an_open_sim_is_not_changed() -> None:
    assert terminal(pin=None).ask('AT+CPWD="SC","1357","8642"') == ["+CME ERROR: 3"]


@pytest.mark.parametrize("command", ['+CLCK="SC",1,"0000"', '+CPWD="SC","0000","8642"'])
def test_three_wrong_pins_cost_the_puk_here_too(command: str) -> None:
    one = terminal()
    one.ask('AT+CPIN="2468"')
    assert [one.ask(f"AT{command}") for _ in range(3)] == [WRONG] * 3
    assert one.ask(f"AT{command}") == ["+CME ERROR: 12"]
    assert one.ask("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
    assert one.ask('AT+CPIN="12345678","abc"') == ["+CME ERROR: 50"]
    assert one.ask('AT+CPIN="12345678","8642"') == OK
    assert one.ask("AT+CPINR")[:2] == ["+CPINR: SIM PIN,3,3", "+CPINR: SIM PUK,10,10"]


def test_ten_wrong_puks_end_the_sim() -> None:
    one = terminal()
    for _ in range(3):
        one.ask('AT+CPIN="0000"')
    assert [one.ask('AT+CPIN="00000000","8642"') for _ in range(10)] == [WRONG] * 10
    assert one.ask('AT+CPIN="12345678","8642"') == ["+CME ERROR: 13"]
    assert one.ask("AT+CPIN?") == ["+CME ERROR: 13"]
    assert one.ask("AT+CMGL=4") == ["+CMS ERROR: 313"]


def test_only_the_lock_of_the_sim_is_known() -> None:
    for command in ('+CLCK="PN",2', '+CPWD="P2","1","2"', '+CLCK="SC",7'):
        assert terminal(pin=None).ask(f"AT{command}")[0].startswith("+CME ERROR")
