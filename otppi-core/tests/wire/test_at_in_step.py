"""An AT dialogue that falls out of step with the modem, and comes back into it."""

import pytest

from otppi.wire.at import (
    AtConnection,
    DialogueState,
    Noise,
    Reply,
    Urc,
)
from otppi.wire.errors import AtError

from .conftest import OK, PDU, Feed, whole


def probe_in_step(conn: AtConnection, feed: Feed) -> None:
    command = conn.probe().decode().strip()
    said = f"\r\n{command[2:-1]}: 1\r\n\r\nOK\r\n"
    assert feed(conn, said.encode())[-1] == Reply(OK, (f"{command[2:-1]}: 1",))
    assert conn.synchronised


def test_late_result_is_not_taken_for_the_next_command(conn: AtConnection, feed: Feed) -> None:
    conn.command("AT+CMGS=24", expects_prompt=True)
    whole(conn, b"> ")
    conn.payload(PDU)
    assert conn.abandon() == ()
    assert not conn.synchronised
    with pytest.raises(AtError, match="out of step"):
        conn.command("AT")
    assert feed(conn, b"\r\n+CMGS: 17\r\n\r\nOK\r\n") == [Noise("+CMGS: 17"), Noise("OK")]
    probe_in_step(conn, feed)
    conn.command("AT")
    assert feed(conn, b"\r\nOK\r\n") == [Reply(OK)]


def test_late_result_behind_the_probe(conn: AtConnection, feed: Feed) -> None:
    conn.command("AT+COPS=?")
    conn.abandon()
    assert conn.probe() == b"AT+CMEE?\r"
    assert feed(conn, b"\r\nOK\r\nAT+CMEE?\r\r\nRING\r\nERROR\r\n") == [
        Noise("OK"),
        Urc("RING", "RING"),
        Noise("ERROR"),
    ]
    assert feed(conn, b"+CMEE: 1\r\nOK\r\n") == [Reply(OK, ("+CMEE: 1",))]
    assert conn.synchronised


def test_answer_to_an_earlier_probe_does_not_prove_the_next(conn: AtConnection, feed: Feed) -> None:
    conn.command("AT")
    conn.abandon()
    assert conn.probe() == b"AT+CMEE?\r"
    conn.abandon()
    second = conn.probe()
    assert second != b"AT+CMEE?\r"
    assert feed(conn, b"+CMEE: 1\r\nOK\r\n") == [Noise("+CMEE: 1"), Noise("OK")]
    assert not conn.synchronised
    assert conn.probe() != second
    conn.resynchronised()
    conn.command("AT")


def test_cancel(conn: AtConnection, feed: Feed) -> None:
    conn.command("AT+CMGS=24", expects_prompt=True)
    whole(conn, b"> ")
    assert conn.cancel() == b"\x1b\r"
    assert feed(conn, b"\r\nOK\r\n") == [Noise("OK")]
    probe_in_step(conn, feed)
    assert conn.cancel() == b"\x1b\r"
    assert conn.state is DialogueState.STALE
