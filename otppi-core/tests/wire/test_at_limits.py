"""The AT connection's limits, and fuzz: nothing that a modem says raises, grows, or depends on how it was cut."""

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from otppi.wire import at
from otppi.wire.at import AtConnection, DialogueState, Event, Prompt, Reply
from otppi.wire.errors import AtError

from .conftest import OK, drain, whole


def test_overlong_line_is_dropped_and_the_next_one_is_read(conn: AtConnection) -> None:
    conn.command("AT")
    assert whole(conn, b"x" * (at.LINE_LIMIT + 1) + b"\r\nOK\r\n") == [Reply(OK)]
    assert conn.lines_dropped == 1


def test_endless_reply_is_bounded(conn: AtConnection) -> None:
    conn.command("AT")
    for _ in range(3 * at.REPLY_LIMIT // 4000):
        conn.receive_data(b"x" * 4000 + b"\n")
    (event,) = whole(conn, b"OK\n")
    assert isinstance(event, Reply)
    assert sum(map(len, event.lines)) <= at.REPLY_LIMIT
    assert conn.lines_dropped


def test_unread_noise_is_bounded_and_costs_no_reply(conn: AtConnection) -> None:
    conn.receive_data(b"x\n" * (2 * at.EVENT_LIMIT))
    conn.command("AT")
    conn.receive_data(b"OK\n")
    events = drain(conn)
    assert len(events) == at.EVENT_LIMIT + 1
    assert events[-1] == Reply(OK)


PIECES = st.sampled_from(
    [
        *(b"\r", b"\n", b"\r\n", b">", b"> ", b'"', b",", b"\0", b"\x1a", b"\x1b", b"AT\r", b"x" * 9000, b"7" * 500),
        *(b"OK\r\n", b"ERROR\r\n", b"+CME ERROR: 1\r\n", b"+CMS ERROR: x\r\n", b"+CMGS: 1\r\n", b"NO CARRIER\r\n"),
        *(
            b"+CMT: ,24\r\n",
            b'+CMT: "x"\r\n',
            b"0791\r\n",
            b'+CUSD: 1,"x\r\n',
            b'",15\r\n',
            b'+CMGR: "REC READ"\r\n',
            b"+CMGL: 1,1,,24\r\n",
        ),
        *(b"\r\n> ", b"\r\n+CMGS: 17\r\n\r\nOK\r\n", b"\r\n+CMGS: 17\r\n"),
        *(b"+CMEE: 1\r\n", b"+CSCS: 1\r\n", b"RING\r\n", b"+CREG: 1\r\n", b'+CMGR: "REC READ"\r\n'),
    ]
)
ACTIONS: tuple[Callable[[AtConnection], object], ...] = (
    lambda conn: conn.command("AT"),
    lambda conn: conn.command("AT+CREG?"),
    lambda conn: conn.command("ATD1"),
    lambda conn: conn.command("AT+CMGS=24", expects_prompt=True),
    lambda conn: conn.command("AT+CMGL=4", body_lines=True),
    lambda conn: conn.payload("0791"),
    lambda conn: conn.cancel(),
    lambda conn: conn.abandon(),
    lambda conn: conn.probe(),
    lambda conn: conn.resynchronised(),
    lambda conn: conn.line_was_silent(),
)


@settings(max_examples=300)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=64), st.sampled_from(ACTIONS)), max_size=60))
def test_fuzz_nothing_raises_and_nothing_grows(steps: list[bytes | Callable[[AtConnection], object]]) -> None:
    conn = AtConnection()
    for step in steps:
        if isinstance(step, bytes):
            conn.receive_data(step)
        else:
            try:
                step(conn)
            except AtError:
                continue
        assert len(conn._tail) <= at.LINE_LIMIT
        assert sum(map(len, conn._open.lines if conn._open else ())) <= at.LINE_LIMIT
        assert conn._command is None or sum(map(len, conn._command.lines)) <= at.REPLY_LIMIT
        drain(conn)


SPOKEN = st.one_of(PIECES, st.binary(max_size=32).map(lambda said: said + b"\r\n"))


@settings(max_examples=300)
@given(st.sampled_from(ACTIONS[:5]), st.lists(SPOKEN, max_size=12), st.sampled_from([b"OK", b"+CMS ERROR: 38"]))
@example(ACTIONS[0], [b"OK\r\n", b"+CMT: ,24\r\n", b'+CUSD: 1,"x\r\n'], b"OK")
def test_fuzz_nothing_stays_open_past_a_final_result(
    action: Callable[[AtConnection], object], pieces: list[bytes], final: bytes
) -> None:
    conn = AtConnection()
    action(conn)
    conn.receive_data(b"".join(pieces) + b"\r\n")
    ended_before = conn.state is DialogueState.IDLE and conn.in_doubt  # then what follows is a line of that text
    conn.receive_data(b"\r\n" + final + b"\r\n")
    conn.line_was_silent()
    ends = [event for event in drain(conn) if isinstance(event, Reply | Prompt)]
    assert isinstance(ends[-1], Reply)
    assert not conn.in_doubt
    assert conn._owner is None or ended_before


@settings(max_examples=300)
@given(
    st.sampled_from(ACTIONS[:5]),
    st.lists(st.one_of(PIECES.filter(lambda piece: len(piece) < 9000), st.binary(max_size=16)), max_size=30),
    st.data(),
)
def test_fuzz_pieces_make_no_difference(
    action: Callable[[AtConnection], object], pieces: list[bytes], data: st.DataObject
) -> None:
    said = b"".join(pieces)
    results = []
    cuts = sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=8)))
    for chunks in ([said], [said[a:b] for a, b in zip([0, *cuts], [*cuts, len(said)], strict=True)]):
        conn = AtConnection()
        action(conn)
        events: list[Event] = []
        for chunk in chunks:
            conn.receive_data(chunk)
            events += drain(conn)
        conn.line_was_silent()
        results.append((events + drain(conn), conn.state, conn.lines_dropped, conn._tail))
    assert results[0] == results[1]


def _armed(conn: AtConnection) -> None:
    conn.command("AT+CMGS=24", info_prefixes=(), expects_prompt=True)


def _sent(conn: AtConnection) -> None:
    _armed(conn)
    conn.receive_data(b"\r\n> ")
    conn.payload("0791")


def _probing(conn: AtConnection) -> None:
    _sent(conn)
    conn.abandon()
    conn.probe()


@pytest.mark.parametrize("stand", [_armed, _sent, _probing, AtConnection.abandon])
@pytest.mark.parametrize("usual", [b"\r\n> ", b"\r\n+CMGS: 17\r\n\r\nOK\r\n"])
@pytest.mark.parametrize(
    "before", [b"", b"\r", b"x", b"x" * (at.LINE_LIMIT + 1), b'+CUSD: 1,"x\r\n', b"+CMT: ,24\r\n", b"0791\x1a"]
)
def test_what_usually_comes_whole_is_read_as_it_is_in_two_pieces(
    stand: Callable[[AtConnection], object], usual: bytes, before: bytes
) -> None:
    results = []
    for pieces in ([usual], [usual[:1], usual[1:]]):
        conn = AtConnection()
        stand(conn)
        conn.receive_data(before)
        for piece in (*pieces, b"RING\r\n"):
            conn.receive_data(piece)
        conn.line_was_silent()
        results.append((drain(conn), conn.state, conn.lines_dropped, conn.echoes, conn._tail))
    assert results[0] == results[1]


def test_a_blank_that_belongs_to_a_text_stays_though_a_prompt_ends_in_one(conn: AtConnection) -> None:
    _armed(conn)
    assert whole(conn, b'\r\n> \r\n+CUSD: 1,"x\r\n ') == [Prompt()]
    conn.payload("0791")
    assert [getattr(event, "line", "") for event in whole(conn, b'y",15\r\n')] == ['+CUSD: 1,"x\n y",15']
