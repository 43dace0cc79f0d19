"""USSD: sessions, and the forms in which strings are written."""

import pytest

from otppi.simulator import ModemPeer, ModemProfile, ScriptedUssdAnswer, UssdForm
from otppi.testing.terminal import Terminal


@pytest.mark.parametrize(
    ("form", "code", "one", "answer"),
    [
        (UssdForm.PLAIN, "*1#", "1", '+CUSD: 0,"Saldo: 1",15'),
        (UssdForm.GSM7_HEX, "AAD808", "31", '+CUSD: 0,"D3309BFCD68162",15'),
        (UssdForm.UCS2_HEX, "002A00310023", "0031", '+CUSD: 0,"00530061006C0064006F003A00200031",15'),
    ],
)
def test_ussd_session(form: UssdForm, code: str, one: str, answer: str) -> None:
    script = {"*1#": ScriptedUssdAnswer("1 Saldo", mode=1, delay=2.0, replies={"1": ScriptedUssdAnswer("Saldo: 1")})}
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, ussd=script, ussd_form=form)))
    assert terminal.ask(f'AT+CUSD=1,"{code}",15', 1.0) == ["OK"]
    assert terminal.listen(2.0).startswith(b'\r\n+CUSD: 1,"')
    assert terminal.ask(f'AT+CUSD=1,"{one}",15') == ["OK", answer]
    assert terminal.ask(f'AT+CUSD=1,"{one}",15') == ["OK", "+CUSD: 4"]
    assert terminal.ask("AT+CUSD=2") == ["OK"]


def test_ussd_in_the_wrong_form() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, ussd_form=UssdForm.UCS2_HEX)))
    assert terminal.ask('AT+CUSD=1,"*123#",15') == ["ERROR"]


def test_ussd_before_the_ok() -> None:
    script = {"*1#": ScriptedUssdAnswer("now", delay=0.0)}
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, ussd=script)))
    assert terminal.ask('AT+CUSD=1,"*1#",15') == ['+CUSD: 0,"now",15', "OK"]


REQUESTS = {UssdForm.PLAIN: "*1#", UssdForm.GSM7_HEX: "AAD808", UssdForm.UCS2_HEX: "002A00310023"}


@pytest.mark.parametrize("form", UssdForm)
@pytest.mark.parametrize("written", UssdForm)
def test_only_the_right_form_is_taken(form: UssdForm, written: UssdForm) -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, ussd={"*1#": ScriptedUssdAnswer("x")}, ussd_form=form)))
    terminal.ask("AT+CMEE=1")
    answer = terminal.ask(f'AT+CUSD=1,"{REQUESTS[written]}",15')
    assert answer[0] == ("OK" if written is form else "+CME ERROR: 50")


@pytest.mark.parametrize("form", UssdForm)
def test_what_is_not_gsm_7_goes_as_ucs_2_in_each_form(form: UssdForm) -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, ussd={"*1#": ScriptedUssdAnswer("баланс")}, ussd_form=form)))
    hexadecimal = "баланс".encode("utf-16-be").hex().upper()
    assert terminal.ask(f'AT+CUSD=1,"{REQUESTS[form]}",15') == ["OK", f'+CUSD: 0,"{hexadecimal}",72']


def test_after_a_cancel_nothing_comes() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, ussd={"*1#": ScriptedUssdAnswer("late", delay=5.0)})))
    assert terminal.ask('AT+CUSD=1,"*1#",15') == ["OK"]
    assert terminal.ask("AT+CUSD=2", 60.0) == ["OK"]


def test_no_ussd_without_network() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False)))
    terminal.peer.set_coverage(False, terminal.now)
    assert terminal.ask('AT+CMEE=1;+CUSD=1,"*123#",15') == ["+CME ERROR: 30"]
