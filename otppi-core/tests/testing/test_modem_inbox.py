"""Messages that come in, message memories, USSD."""

import pytest

from otppi.testing.modem import ModemPeer, ModemProfile, UssdAnswer, UssdForm
from otppi.testing.modem.terminal import Terminal
from otppi.wire.tpdu import SmsDeliver, parse_pdu_line


def read(pdu: str) -> SmsDeliver:
    return SmsDeliver.decode(parse_pdu_line(pdu)[1])


def test_indicated_listed_read_and_deleted(terminal: Terminal) -> None:
    terminal.ask("AT+CNMI=2,1,0,0,0")
    terminal.peer.deliver("+628110000001", "Halo", terminal.now)
    assert terminal.listen() == b'\r\n+CMTI: "SM",1\r\n'
    line, pdu, ok = terminal.ask("AT+CMGL=0")
    assert line == f"+CMGL: 1,0,,{len(parse_pdu_line(pdu)[1])}"
    assert (read(pdu).originator.digits, read(pdu).user_data.text, ok) == ("628110000001", "Halo", "OK")
    assert terminal.ask("AT+CMGL=0") == ["OK"]
    assert terminal.ask("AT+CMGL=1")[0].startswith("+CMGL: 1,1,,")
    assert terminal.ask("AT+CMGR=1") == [f"+CMGR: 1,,{len(parse_pdu_line(pdu)[1])}", pdu, "OK"]
    terminal.ask("AT+CMGD=1")
    assert terminal.ask("AT+CMGL=4") == ["OK"]


def test_routed_to_the_line(terminal: Terminal) -> None:
    terminal.ask("AT+CNMI=2,2,0,0,0")
    terminal.peer.deliver("BANK", "Ünlü", terminal.now)
    line, pdu = terminal.listen().decode().split()[1:]
    assert line == f",{len(parse_pdu_line(pdu)[1])}"
    assert (read(pdu).originator.digits, read(pdu).user_data.text) == ("BANK", "Ünlü")


def test_stored_without_a_word(terminal: Terminal) -> None:
    terminal.peer.deliver("+628110000001", "a" * 200, terminal.now)
    assert terminal.listen() == b""
    assert len(terminal.ask("AT+CMGL=4")) == 5


def test_deleting_many(terminal: Terminal) -> None:
    for text in ("one", "two", "three"):
        terminal.peer.deliver("1234", text, terminal.now)
    terminal.ask("AT+CMGR=2")
    assert terminal.ask("AT+CMGD=1,1") == ["OK"]
    assert [line[:9] for line in terminal.ask("AT+CMGL=4") if line.startswith("+")] == ["+CMGL: 1,", "+CMGL: 3,"]
    assert terminal.ask("AT+CMGD=1,4") == ["OK"]
    assert terminal.ask("AT+CMGL=4") == ["OK"]


def test_a_full_memory_takes_no_more() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, memories={"SM": 1})))
    terminal.ask("AT+CNMI=2,1,0,0,0")
    terminal.peer.deliver("1234", "one", terminal.now)
    terminal.peer.deliver("1234", "two", terminal.now)
    assert terminal.listen().split(b"\r\n")[1::2] == [b'+CMTI: "SM",1', b'^SMMEMFULL: "SM"']
    assert terminal.ask("AT+CPMS?")[0] == "+CPMS: " + ",".join(['"SM",1,1'] * 3)


@pytest.mark.parametrize(
    ("form", "code", "one", "answer"),
    [
        (UssdForm.PLAIN, "*1#", "1", '+CUSD: 0,"Saldo: 1",15'),
        (UssdForm.GSM7_HEX, "AAD808", "31", '+CUSD: 0,"D3309BFCD68162",15'),
        (UssdForm.UCS2_HEX, "002A00310023", "0031", '+CUSD: 0,"00530061006C0064006F003A00200031",15'),
    ],
)
def test_ussd_session(form: UssdForm, code: str, one: str, answer: str) -> None:
    script = {"*1#": UssdAnswer("1 Saldo", mode=1, delay=2.0, replies={"1": UssdAnswer("Saldo: 1")})}
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
    script = {"*1#": UssdAnswer("now", delay=0.0)}
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, ussd=script)))
    assert terminal.ask('AT+CUSD=1,"*1#",15') == ['+CUSD: 0,"now",15', "OK"]
