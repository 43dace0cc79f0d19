"""Texts within the AT dialogue: what stands in them is no result, and their quotes may be lost."""

import pytest

from otppi.wire import at
from otppi.wire.at import (
    AtConnection,
    Event,
    FinalResult,
    Noise,
    Prompt,
    Reply,
    ResultKind,
    Urc,
)

from .conftest import ERROR, OK, PDU, Feed, byte_by_byte, drain, whole


@pytest.mark.parametrize("text", ["OK", "ERROR", "OKAY", "RING", ">"])
def test_final_results_inside_a_text_are_text(conn: AtConnection, feed: Feed, text: str) -> None:
    header = '+CMGR: "REC READ","+62812000111",,"24/07/20,11:12:34+28"'
    conn.command("AT+CMGR=1", body_lines=True)
    assert feed(conn, f"\r\n{header}\r\n{text}\r\n\r\nOK\r\n".encode()) == [Reply(OK, (header, text))]


USSD = [
    '+CUSD: 1,"Menu\n1. Pulsa\n\nOK\nERROR\n> 2. Paket",15',
    '+CUSD: 0,"\nSaldo Rp 5.000",15',
    '+CUSD: 1,"Pilih "A"\natau "B" saja",15',
    '+CUSD: 2,"Selesai\nOK"',
    '+CUSD: 2,"Selesai\nOK",',
]


@pytest.mark.parametrize("text", USSD)
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_ussd_is_read_to_the_closing_quote(conn: AtConnection, feed: Feed, text: str, end: str) -> None:
    said = text.replace("\n", end).encode() + b"\r\n"
    conn.command('AT+CUSD=1,"*123#",15')
    assert feed(conn, said + b"\r\nOK\r\n") == [Urc("+CUSD", text), Reply(OK)]
    conn.command('AT+CUSD=1,"*123#",15')
    assert feed(conn, b"\r\nOK\r\n\r\n" + said) == [Reply(OK), Urc("+CUSD", text)]


# gammu#179: a +CUSD without its closing quote, and what comes behind it. (command, what the modem says, events)
LOST = b'\r\n+CUSD: 0,"Saldo Rp 5.000\r\n'
TOLD = Urc("+CUSD", '+CUSD: 0,"Saldo Rp 5.000')
ENDS_AT_ONCE = [
    ("AT+CMGS=24", b"\r\n+CMGS: 11\r\n\r\nOK\r\n", [Reply(OK, ("+CMGS: 11",))]),
    ("AT+CMGS=24", b"\r\n+CMS ERROR: 38\r\n", [Reply(FinalResult(ResultKind.CMS, 38, "+CMS ERROR: 38"))]),
    ("AT+CSQ", b"\r\n+CSQ: 9,0\r\n\r\nOK\r\n", [Reply(OK, ("+CSQ: 9,0",))]),
    ("AT+CSQ", b'+CMTI: "SM",1\r\nAT+CSQ\r\nERROR\r\n', [Urc("+CMTI", '+CMTI: "SM",1'), Reply(ERROR)]),
    ("AT+CSQ", b"+CME ERROR: 3\r\n", [Reply(FinalResult(ResultKind.CME, 3, "+CME ERROR: 3"))]),
    ("AT+CSQ", b"RING\r\nOK\r\n", [Urc("RING", "RING"), Reply(OK)]),
    ("AT+CREG=1", b"+CREG: 1\r\nOK\r\n", [Urc("+CREG", "+CREG: 1"), Reply(OK)]),
    ("AT+CUSD=1", b'+CUSD: 2,"x"\r\nOK\r\n', [Urc("+CUSD", '+CUSD: 2,"x"'), Reply(OK)]),
]


@pytest.mark.parametrize(("command", "said", "events"), ENDS_AT_ONCE)
def test_what_is_no_text_ends_a_text_whose_quote_is_lost(
    conn: AtConnection, feed: Feed, command: str, said: bytes, events: list[Event]
) -> None:
    conn.command(command, info_prefixes=() if "CMGS" in command else None)
    assert feed(conn, LOST + said) == [TOLD, *events]
    assert not conn.in_doubt


def test_silence_tells_a_final_result_from_a_line_of_a_text(conn: AtConnection) -> None:
    conn.command("AT+CSQ")
    assert byte_by_byte(conn, b"\r\n+CSQ: 9,0\r\n" + LOST + b"\r\nOK\r\n") == []
    assert conn.in_doubt
    conn.line_was_silent()
    assert drain(conn) == [TOLD, Reply(OK, ("+CSQ: 9,0",))]
    conn.command("AT+CSQ")
    assert whole(conn, b'+CUSD: 1,"OK\r\nERROR\r\n1 More\r\n\r\nOK\r\n^RSSI: 9\r\n') == [
        Urc("+CUSD", '+CUSD: 1,"OK\nERROR\n1 More'),
        Reply(OK),
        Urc("^RSSI", "^RSSI: 9"),
    ]


def test_a_final_result_behind_a_lost_quote_that_is_none_is_text(conn: AtConnection, feed: Feed) -> None:
    conn.command("AT+CMGS=24")
    assert feed(conn, b'+CUSD: 1,"Menu\r\nOK\r\n+CMGS: 11\r\nOK\r\n') == [
        Urc("+CUSD", '+CUSD: 1,"Menu\nOK'),
        Reply(OK, ("+CMGS: 11",)),
    ]


@pytest.mark.parametrize("prompt", [b"> ", b"\r\n> ", b"\r\n>\r\n", b"\r\n> \r\n"])
def test_a_prompt_behind_a_lost_quote_is_seen_when_the_line_is_silent(conn: AtConnection, prompt: bytes) -> None:
    conn.command("AT+CMGS=24", expects_prompt=True)
    assert byte_by_byte(conn, LOST + prompt) == []
    conn.line_was_silent()
    assert drain(conn) == [TOLD, Prompt()]
    conn.payload(PDU)
    assert whole(conn, b"+CMGS: 1\r\nOK\r\n") == [Reply(OK, ("+CMGS: 1",))]


def test_a_late_result_ends_a_text_too(conn: AtConnection, feed: Feed) -> None:
    assert feed(conn, LOST + b"+CMGS: 11\r\nOK\r\n") == [TOLD, Noise("+CMGS: 11"), Noise("OK")]


def test_a_text_in_text_mode_that_never_comes_does_not_eat_the_final_result(conn: AtConnection) -> None:
    header = '+CMGR: "REC READ","+62812000111",,"24/07/20,11:12:34+28"'
    conn.command("AT+CMGR=1", body_lines=True)
    assert whole(conn, f"{header}\r\n^RSSI: 9\r\n\r\nOK\r\n".encode()) == [Urc("^RSSI", "^RSSI: 9")]
    conn.line_was_silent()
    assert drain(conn) == [Reply(OK, (header,))]


def test_ussd_whose_closing_quote_is_lost(conn: AtConnection) -> None:
    conn.command("AT+CSQ")
    assert whole(conn, b'+CUSD: 1,"Menu\r\nOK\r\n') == []
    assert conn.abandon() == ()
    assert drain(conn) == [Urc("+CUSD", '+CUSD: 1,"Menu\nOK')]
    conn.resynchronised()
    (event,) = whole(conn, b'+CUSD: 1,"' + b"x\r\n" * at.TEXT_LIMIT)[:1]
    assert isinstance(event, Urc)
    assert len(event.line) <= at.TEXT_LIMIT + 2
