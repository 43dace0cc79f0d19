"""The AT dialogue, sample by sample: each is given whole, byte by byte and with bytes behind it."""

import pytest

from otppi.wire import at
from otppi.wire.at import (
    AtConnection,
    DialogueState,
    FinalResult,
    Noise,
    Prompt,
    Reply,
    ResultKind,
    Urc,
)
from otppi.wire.errors import AtError

from .conftest import ERROR, LENGTH, OK, PDU, PDU_2, Feed, byte_by_byte, drain, whole

# Replies: (command, what the modem says, information lines)
REPLIES = [
    ("AT", b"\r\nOK\r\n", ()),
    ("AT", b"AT\r\r\nOK\r\n", ()),
    ("AT", b"AT\r\nOK\n", ()),
    ("AT", b"OK\n", ()),
    ("AT", b"\n\n\nOK\n\n", ()),
    ("AT", b"\0\0\r\n\0O\0K\r\0\n", ()),
    ("AT+CGSN", b"AT+CGSN\r\r\n490154203237518\r\n\r\nOK\r\n", ("490154203237518",)),
    ("AT+CGSN", b"\r\n490154203237518\r\n\r\n\r\n\r\nOK\r\n", ("490154203237518",)),
    ("AT+CSQ", b"\r\n+CSQ: 21,99\r\n\r\nOK\r\n", ("+CSQ: 21,99",)),
    ("AT+CREG?", b"\r\n+CREG: 2,1\r\nOK\r\n", ("+CREG: 2,1",)),
    ("AT+CREG?;+CPIN?", b"\r\n+CREG: 2,1\r\n+CPIN: READY\r\nOK\r\n", ("+CREG: 2,1", "+CPIN: READY")),
    ("AT+CFUN=?", b"\r\n+CFUN: (0,1,4)\r\n\r\nOK\r\n", ("+CFUN: (0,1,4)",)),
    ("ATI", b"\r\nMaker\r\n\r\nModel OK\r\nOKAY\r\nNO ERROR\r\n\r\nOK\r\n", ("Maker", "Model OK", "OKAY", "NO ERROR")),
    ("ATI", b"ATI\r\r\nM\xff\xfeker\r\nOK\r\n", ("M��ker",)),
    ("ATE0", b"ATE0\r\r\nOK\r\n", ()),
    # only the first line can be an echo, and only if it is exact
    ("ATI", b"ATI\r\r\nATI\r\nOK\r\n", ("ATI",)),
    ("ATI", b"ATI1\r\r\nOK\r\n", ("ATI1",)),
    ("ATI", b"\r\nx\r\nATI\r\nOK\r\n", ("x", "ATI")),
]


@pytest.mark.parametrize(("command", "said", "lines"), REPLIES)
def test_reply(conn: AtConnection, feed: Feed, command: str, said: bytes, lines: tuple[str, ...]) -> None:
    assert conn.command(command) == command.encode() + b"\r"
    assert feed(conn, said) == [Reply(OK, lines)]
    assert conn.state is DialogueState.IDLE


FINALS = [
    (b"ERROR", ERROR),
    (b"+CME ERROR: 14", FinalResult(ResultKind.CME, 14, "+CME ERROR: 14")),
    (b"+CME ERROR:14", FinalResult(ResultKind.CME, 14, "+CME ERROR:14")),
    (b"+CME ERROR: SIM PIN required", FinalResult(ResultKind.CME, 11, "+CME ERROR: SIM PIN required")),
    (b"+CME ERROR: something new", FinalResult(ResultKind.CME, None, "+CME ERROR: something new")),
    (b"+CMS ERROR: 38", FinalResult(ResultKind.CMS, 38, "+CMS ERROR: 38")),
    (b"+CMS ERROR: Network timeout", FinalResult(ResultKind.CMS, 332, "+CMS ERROR: Network timeout")),
    (b"+CMS ERROR: " + b"9" * 5000, FinalResult(ResultKind.CMS, None, "+CMS ERROR: " + "9" * 5000)),
    (b"COMMAND NOT SUPPORT", FinalResult(ResultKind.NOT_SUPPORTED, None, "COMMAND NOT SUPPORT")),
    (b"NA", FinalResult(ResultKind.NOT_SUPPORTED, None, "NA")),
    (b"MODEM ERROR: 3", FinalResult(ResultKind.ERROR, 3, "MODEM ERROR: 3")),
    (b"MODEM ERROR:", FinalResult(ResultKind.ERROR, None, "MODEM ERROR:")),
    (b"TOO MANY PARAMETERS", FinalResult(ResultKind.ERROR, None, "TOO MANY PARAMETERS")),
]


@pytest.mark.parametrize(("said", "result"), FINALS)
def test_errors_end_a_command(conn: AtConnection, feed: Feed, said: bytes, result: FinalResult) -> None:
    conn.command("AT+CPIN?")
    assert feed(conn, b"\r\n" + said + b"\r\n") == [Reply(result)]
    assert not result.ok


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"NO CARRIER", ResultKind.NO_CARRIER),
        (b"BUSY", ResultKind.BUSY),
        (b"NO ANSWER", ResultKind.NO_ANSWER),
        (b"NO DIALTONE", ResultKind.NO_DIALTONE),
        (b"NO DIAL TONE", ResultKind.NO_DIALTONE),
        (b"CONNECT", ResultKind.CONNECT),
        (b"CONNECT 115200", ResultKind.CONNECT),
    ],
)
def test_results_of_a_call_end_a_call_only(conn: AtConnection, feed: Feed, said: bytes, kind: ResultKind) -> None:
    conn.command("ATD*99#")
    (event,) = feed(conn, b"\r\n" + said + b"\r\n")
    assert isinstance(event, Reply)
    assert event.result.kind is kind
    assert event.result.ok is (kind is ResultKind.CONNECT)
    conn.command("AT+CSQ")
    events = feed(conn, b"\r\n" + said + b"\r\n+CSQ: 9,0\r\nOK\r\n")
    assert isinstance(events[-1], Reply)
    assert events[-1].result == OK
    assert "+CSQ: 9,0" in events[-1].lines


@pytest.mark.parametrize("prompt", [b"> ", b">", b"\r\n> ", b"\r\n>", b"\r\n>  ", b"\n> ", b"\r\n\r\n> "])
@pytest.mark.parametrize("echo", [True, False])
def test_sending(conn: AtConnection, feed: Feed, prompt: bytes, echo: bool) -> None:
    assert conn.command("AT+CMGS=24", expects_prompt=True) == b"AT+CMGS=24\r"
    assert byte_by_byte(conn, b"AT+CMGS=24\r" * echo + prompt) == [Prompt()]
    assert conn.payload(PDU) == PDU.encode() + b"\x1a"
    answer = (PDU.encode() + b"\x1a") * echo + b"\r\n+CMGS: 17\r\n\r\nOK\r\n"
    assert feed(conn, answer) == [Reply(OK, ("+CMGS: 17",))]


def test_whole_prompt_with_urc_behind_it(conn: AtConnection) -> None:
    conn.command("AT+CMGS=24", expects_prompt=True)
    assert whole(conn, b"AT+CMGS=24\r\r\n> \r\nRING\r\n") == [Prompt(), Urc("RING", "RING")]
    conn.payload(PDU)
    assert whole(conn, b"\r\n+CMS ERROR: 500\r\n") == [
        Reply(FinalResult(ResultKind.CMS, 500, "+CMS ERROR: 500")),
    ]


def test_prompt_is_seen_only_after_a_command_that_expects_one(conn: AtConnection) -> None:
    assert byte_by_byte(conn, b"\r\n> ") == []
    assert byte_by_byte(conn, b"\r\n") == [Noise(">")]
    conn.command("ATI")
    assert whole(conn, b"\r\n> x\r\nOK\r\n") == [Reply(OK, ("> x",))]
    conn.receive_data(b"\r\n> ")
    conn.command("AT+CMGS=24", expects_prompt=True)
    assert drain(conn) == []
    conn.receive_data(b"\r\n")
    assert drain(conn) == []
    assert byte_by_byte(conn, b"\r\n> ") == [Prompt()]


def test_no_prompt_but_an_error(conn: AtConnection, feed: Feed) -> None:
    conn.command("AT+CMGS=24", expects_prompt=True)
    assert feed(conn, b"\r\nERROR\r\n") == [Reply(ERROR)]
    with pytest.raises(AtError, match="payload"):
        conn.payload(PDU)


def test_mid_prompt_error_then_payload_is_refused(conn: AtConnection) -> None:
    conn.command("AT+CMGS=24", expects_prompt=True)
    assert whole(conn, b"> \r\nERROR\r\n") == [Prompt(), Reply(ERROR)]
    with pytest.raises(AtError):
        conn.payload(PDU)


URCS = [
    (b'+CMTI: "SM",3', "+CMTI"),
    (b'+CDSI: "SM",4', "+CDSI"),
    (b"^RSSI: 21", "^RSSI"),
    (b"^RSSI:21", "^RSSI"),
    (b"^BOOT:27710117,0,0,0,20", "^BOOT"),
    (b"^MODE: 5,4", "^MODE"),
    (b'^HCSQ:"LTE",46,52,141,28', "^HCSQ"),
    (b"^DSFLOWRPT:00000F8A,00000014,00000049", "^DSFLOWRPT"),
    (b"^SIMST: 1", "^SIMST"),
    (b"^SRVST: 2", "^SRVST"),
    (b"^STIN: 7, 0, 0", "^STIN"),
    (b"RING", "RING"),
    (b"NO CARRIER", "NO CARRIER"),
    (b"+ZUSIMR:2", "+ZUSIMR"),
    (b"#STN: 37", "#STN"),
    (b"+CREG: 5", "+CREG"),
    (b'+CUSD: 0,"Pulsa 5000",15', "+CUSD"),
    (b"+CUSD: 4", "+CUSD"),
]


@pytest.mark.parametrize(("said", "name"), URCS)
def test_urcs_are_taken_out_of_a_reply(conn: AtConnection, feed: Feed, said: bytes, name: str) -> None:
    urc = Urc(name, said.decode())
    conn.command("AT+CGMI")
    events = feed(conn, b"\r\n" + said + b"\r\nAT+CGMI\r\r\n" + said + b"\r\nMaker\r\n" + said + b"\r\n\r\nOK\r\n")
    assert events == [urc, urc, urc, Reply(OK, ("Maker",))]
    assert feed(conn, b"\r\n" + said + b"\r\n") == [urc]


def test_own_information_lines_are_not_urcs(conn: AtConnection, feed: Feed) -> None:
    conn.command("AT+XSTAT", info_prefixes=("+CREG:", "^MODE:"))
    assert feed(conn, b"+CREG: 1\r\n^MODE: 5\r\n^SIMST: 1\r\nOK\r\n") == [
        Urc("^SIMST", "^SIMST: 1"),
        Reply(OK, ("+CREG: 1", "^MODE: 5")),
    ]


def test_urcs_of_a_vendor(feed: Feed) -> None:
    conn = AtConnection(at.URC_NAMES | {"+XNEWS"})
    assert feed(conn, b"+XNEWS: 1\r\n") == [Urc("+XNEWS", "+XNEWS: 1")]


@pytest.mark.parametrize(
    "header", [f"+CMT: ,{LENGTH}", f'+CMT: "",{LENGTH}', f"+CMT: {LENGTH}", f"+CDS: {LENGTH}", f"+CBM: {LENGTH}"]
)
def test_urc_owns_the_next_line(conn: AtConnection, feed: Feed, header: str) -> None:
    urc = Urc(header[:4], header, PDU)
    said = f"\r\n{header}\r\n{PDU}\r\n".encode()
    assert feed(conn, said) == [urc]
    conn.command("AT+CSQ")
    assert feed(conn, b"AT+CSQ\r\r\n+CSQ: 1,0\r\n" + said + b"OK\r\n") == [urc, Reply(OK, ("+CSQ: 1,0",))]


def test_urc_between_a_line_and_its_own(conn: AtConnection, feed: Feed) -> None:
    conn.command("AT+CSQ")
    assert feed(conn, f"+CMT: ,{LENGTH}\r\nAT+CSQ\r\n^RSSI: 9\r\n{PDU}\r\nOK\r\n".encode()) == [
        Urc("^RSSI", "^RSSI: 9"),
        Urc("+CMT", f"+CMT: ,{LENGTH}", PDU),
        Reply(OK),
    ]


def test_urc_whose_line_is_missing_does_not_eat_the_final_result(conn: AtConnection, feed: Feed) -> None:
    conn.command("AT+CSQ")
    urc = Urc("+CMT", "+CMT: ,24")
    assert feed(conn, b"+CMT: ,24\r\nOK\r\n") == [urc, Reply(OK)]
    assert feed(conn, b"+CMT: ,24\r\n+CMT: ,24\r\n0791\r\n") == [urc, Urc("+CMT", "+CMT: ,24", "0791")]


def test_text_mode_urcs(conn: AtConnection, feed: Feed) -> None:
    conn.command("AT+CSQ")
    header = '+CMT: "+62812000111","","24/07/20,11:12:34+28"'
    report = '+CDS: 6,17,"+62812000111",145,"24/07/20,11:12:34+28","24/07/20,11:12:40+28",0'
    assert feed(conn, f"{header}\r\nOK\r\n{report}\r\nERROR\r\n".encode()) == [
        Urc("+CDS", report),
        Urc("+CMT", header, "OK"),
        Reply(ERROR),
    ]


def test_listing_in_pdu_mode(conn: AtConnection, feed: Feed) -> None:
    conn.command("AT+CMGL=4", body_lines=True)
    lines = (f"+CMGL: 1,1,,{LENGTH}", PDU, f'+CMGL: 2,1,"Budi, A",{LENGTH - 1}', PDU_2)
    said = f"\r\n{lines[0]}\r\n^RSSI: 3\r\n{lines[1]}\r\n\r\n\r\n{lines[2]}\r\n{lines[3]}\r\n\r\nOK\r\n"
    assert feed(conn, said.encode()) == [Urc("^RSSI", "^RSSI: 3"), Reply(OK, lines)]


def test_reading_an_empty_location(conn: AtConnection, feed: Feed) -> None:
    conn.command("AT+CMGR=9", body_lines=True)
    assert feed(conn, b"\r\n+CMGR: 0,,0\r\n\r\nOK\r\n") == [Reply(OK, ("+CMGR: 0,,0",))]
    conn.command("AT+CMGR=9", body_lines=True)
    assert feed(conn, b"\r\n+CMGR: 0,,24\r\n\r\nOK\r\n") == [Reply(OK, ("+CMGR: 0,,24",))]


def test_lines_outside_a_command_are_noise(conn: AtConnection, feed: Feed) -> None:
    assert feed(conn, b"\xff\xfe\x00boot\r\nOK\r\nERROR\r\n+CMGS: 3\r\n") == [
        Noise("��boot"),
        Noise("OK"),
        Noise("ERROR"),
        Noise("+CMGS: 3"),
    ]


def test_lines_of_a_modem_that_forgets_the_ok(conn: AtConnection) -> None:
    conn.command("AT+CPIN?")
    assert whole(conn, b"\r\n+CPIN: READY\r\n") == []
    assert conn.abandon() == ("+CPIN: READY",)


def test_commands_in_the_wrong_order(conn: AtConnection) -> None:
    with pytest.raises(AtError):
        conn.payload(PDU)
    with pytest.raises(AtError):
        conn.probe()
    conn.command("AT")
    with pytest.raises(AtError):
        conn.command("AT")
    with pytest.raises(AtError):
        conn.payload(PDU)
    with pytest.raises(AtError):
        conn.resynchronised()


@pytest.mark.parametrize("line", ["", "AT\r", "AT\nAT", "AT\x1a", "AT\x1b", "AT é", "AT\0"])
def test_command_line_cannot_smuggle_a_second_one(conn: AtConnection, line: str) -> None:
    with pytest.raises(AtError):
        conn.command(line)
    assert conn.state is DialogueState.IDLE


@pytest.mark.parametrize("pdu", ["", "07\x1a", "AT", "07 91", PDU + "\r"])
def test_payload_is_hexadecimal(conn: AtConnection, pdu: str) -> None:
    conn.command("AT+CMGS=24", expects_prompt=True)
    whole(conn, b"> ")
    with pytest.raises(AtError) as caught:
        conn.payload(pdu)
    assert not pdu or pdu not in str(caught.value)
    assert conn.payload(PDU)


def test_events_do_not_show_what_a_modem_said() -> None:
    events = [Reply(OK, (PDU,)), Urc("+CMT", "+CMT: ,24", PDU), Noise(PDU), Urc("+CUSD", PDU)]
    assert PDU not in repr(events)
