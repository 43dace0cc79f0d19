"""AT+CMGS, the network, status reports."""

import hashlib
import io
import json

import pytest

from otppi.simulator import ModemPeer, ModemProfile
from otppi.testing.rack.log import DialogueLog
from otppi.testing.terminal import Terminal
from otppi.wire.status_report import SmsStatusReport
from otppi.wire.tpdu import parse_pdu_line

SUBMIT = b"0001000D91261802000000F1000004D4F29C0E"  # "Test" to +6281200000001
LENGTH = (len(SUBMIT) - 2) // 2


def test_a_message_arrives(terminal: Terminal) -> None:
    assert terminal.type(b"AT+CMGS=%d\r" % LENGTH) == b"\r\n> "
    assert terminal.type(SUBMIT + b"\x1a") == b"\r\n+CMGS: 0\r\n\r\nOK\r\n"
    (message,) = terminal.peer.network.messages
    assert (message.number, message.modem, message.text, message.parts) == (1, "modem0", "Test", 1)
    assert "Test" not in repr(message)
    assert "Test" not in repr(terminal.peer.network.parts)


@pytest.mark.parametrize("text", ["Kode: 123456", "[x]{y}^€" * 60, "кода 😀" * 50, "a" * 161, "ñ\n@"])
def test_texts_arrive_as_they_were_sent(terminal: Terminal, text: str) -> None:
    assert "ERROR" not in terminal.send(text)
    (message,) = terminal.peer.network.messages
    assert message.text == text
    assert message.parts == terminal.peer.network.part_count


def test_times_are_the_profile_s() -> None:
    peer = ModemPeer(ModemProfile(echo=False, command_time=0.25, prompt_time=0.5, network_time=2.0))
    peer.receive(b"AT+CMGS=%d\r" % LENGTH, 10.0)
    assert peer.advance(10.49) == b""
    assert peer.advance(10.5) == b"\r\n> "
    peer.receive(SUBMIT + b"\x1a", 11.0)
    assert peer.next_due == 13.25
    assert peer.advance(13.24) == b""
    assert peer.network.part_count == 0
    assert b"+CMGS: 0" in peer.advance(13.25)
    assert peer.network.part_count == 1


def test_what_comes_before_the_prompt_is_lost() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, prompt_time=0.5)))
    terminal.peer.receive(b"AT+CMGS=%d\r" % LENGTH + SUBMIT, terminal.now)
    assert terminal.type(SUBMIT + b"\x1a") == b"\r\n> "
    assert terminal.type(b"\x1a") == b"\r\n+CMS ERROR: 304\r\n"


@pytest.mark.parametrize(
    ("line", "payload"),
    [
        (b"AT+CMGS=%d\r" % (LENGTH + 1), SUBMIT),
        (b"AT+CMGS=%d\r" % LENGTH, SUBMIT[:-2]),
        (b"AT+CMGS=%d\r" % LENGTH, b"not hexadecimal"),
        (b"AT+CMGS=%d\r" % LENGTH, b"\xff\xfe"),
        (b"AT+CMGS=0\r", b""),
    ],
)
def test_a_bad_pdu_is_refused(terminal: Terminal, line: bytes, payload: bytes) -> None:
    assert terminal.type(line) == b"\r\n> "
    assert terminal.type(payload + b"\x1a") == b"\r\n+CMS ERROR: 304\r\n"
    assert terminal.peer.network.part_count == 0
    assert terminal.ask("AT") == ["OK"]


def test_the_command_is_known(terminal: Terminal) -> None:
    assert terminal.ask("AT+CMGS=?") == ["OK"]
    assert terminal.ask("AT+CMGS") == ["ERROR"]
    assert terminal.ask("AT+CMGS=20;+CMMS=2") == ["+CMS ERROR: 304"]


def test_commands_before_it_in_its_line_are_obeyed_first(terminal: Terminal) -> None:
    assert terminal.ask("AT+CMEE=9;+CMGS=20") == ["ERROR"]
    assert terminal.type(b"AT+CMEE=1;+CMGS=%d\r" % LENGTH) == b"\r\n> "
    assert terminal.type(SUBMIT + b"\x1a") == b"\r\n+CMGS: 0\r\n\r\nOK\r\n"
    assert terminal.ask("AT+CMEE?") == ["+CMEE: 1", "OK"]


def test_what_is_typed_in_text_mode_goes_as_text_to_whatever_stood_behind_the_command() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, text_mode=True)))
    assert terminal.type(b"AT+CMGS=23\r") == b"\r\n> "
    assert terminal.type(SUBMIT + b"\x1a") == b"\r\n+CMGS: 0\r\n\r\nOK\r\n"
    (part,) = terminal.peer.network.parts
    assert (part.destination, part.text) == ("23", SUBMIT.decode())
    assert terminal.ask("AT+CMGF=0") == ["OK"]
    assert "+CMGS: 1" in terminal.send("as a PDU")
    assert terminal.peer.network.messages[-1].text == "as a PDU"
    terminal.peer.restart(terminal.now)
    assert terminal.ask("AT+CMGF?") == ["+CMGF: 1", "OK"]


def test_a_bad_length_gets_no_prompt(terminal: Terminal) -> None:
    assert terminal.ask('AT+CMGS="+6281200000000"') == ["+CMS ERROR: 304"]
    assert terminal.ask("AT") == ["OK"]


def test_escape_cancels(terminal: Terminal) -> None:
    terminal.type(b"AT+CMGS=%d\r" % LENGTH)
    assert terminal.type(SUBMIT + b"\x1b") == b"\r\nOK\r\n"
    assert terminal.peer.network.part_count == 0
    assert terminal.type(b"\x1bAT\r\x1a") == b"\r\nOK\r\n"


def test_the_reference_wraps(terminal: Terminal) -> None:
    answers = [terminal.send("x") for _ in range(257)]
    assert "+CMGS: 255\r" in answers[255]
    assert "+CMGS: 0\r" in answers[256]


def test_no_pin_no_message() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, pin="1234")))
    assert terminal.ask("AT+CMGS=20") == ["+CMS ERROR: 311"]


@pytest.mark.parametrize(("ds", "status", "indication"), [(1, 0, "+CDS: "), (2, 0x46, '+CDSI: "SM",1'), (0, 0, "")])
def test_status_report(ds: int, status: int, indication: str) -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, report_delay=3.0, report_status=status)))
    terminal.ask(f"AT+CNMI=2,1,0,{ds},0")
    terminal.send("one", report=True)
    assert terminal.listen(1.0) == b""
    told = terminal.listen(2.0).decode()
    assert told.strip().startswith(indication)
    if ds == 2:
        told = "\n".join(terminal.ask("AT+CMGR=1"))
    if ds:
        pdu = next(line for line in told.split() if len(line) > 20)
        report = SmsStatusReport.decode(parse_pdu_line(pdu)[1])
        assert (report.message_reference, report.status) == (0, status)
        assert str(report.recipient.digits) == "6281200000001"


def test_several_reports_of_one_message() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, report_delay=3.0, report_status=(0x30, 0x20, 0x00))))
    terminal.ask("AT+CNMI=2,1,0,1,0")
    terminal.send("one", report=True)
    statuses = []
    for _ in range(3):
        pdu = terminal.listen(3.0).decode().split()[2]
        statuses.append(SmsStatusReport.decode(parse_pdu_line(pdu)[1]).status)
    assert statuses == [0x30, 0x20, 0x00]
    assert terminal.listen(60.0) == b""


def test_no_report_unless_asked_for_or_ever(terminal: Terminal) -> None:
    terminal.ask("AT+CNMI=2,1,0,1,0")
    terminal.send("one")
    assert terminal.listen(10.0) == b""
    deaf = Terminal(ModemPeer(ModemProfile(echo=False, report_delay=None)))
    deaf.ask("AT+CNMI=2,1,0,1,0")
    assert "+CDS" not in deaf.send("one", report=True) + deaf.listen(1e6).decode()


def test_a_report_waits_for_a_modem_that_is_away(terminal: Terminal) -> None:
    terminal.peer.inject("unplug-after-submit-sent", seconds=5.0)
    assert terminal.send("one", report=True) == ""
    terminal.listen(4.0)
    terminal.ask("ATE0;+CNMI=2,1,0,1,0", 0.1)
    assert b"+CDS: " in terminal.listen(3.0)


@pytest.mark.parametrize("with_text", [False, True])
def test_the_log_has_the_times_and_no_text_unless_asked(with_text: bool) -> None:
    stream = io.StringIO()
    terminal = Terminal(
        ModemPeer(ModemProfile(echo=False, network_time=0.5), None, DialogueLog(stream, with_text=with_text))
    )
    terminal.type(b"A", 0.1)
    terminal.type(b"T+CMGS=%d\r" % LENGTH, 0.1)
    terminal.type(SUBMIT, 0.1)
    terminal.type(b"\x1a")
    record = json.loads(stream.getvalue())
    assert record.pop("text", None) == ("Test" if with_text else None)
    assert record == {
        "modem": "modem0",
        "first_byte": 1000.0,
        "ctrl_z": pytest.approx(1000.3),
        "answered": pytest.approx(1000.802),
        "result": "+CMGS: 0",
        "destination": "6281200000001",
        "sha256": hashlib.sha256(b"Test").hexdigest(),
    }
