"""An AT dialogue, and the ways in which what a modem says may come."""

from collections.abc import Callable

import pytest

from otppi.wire.at import (
    AtConnection,
    Event,
    FinalResult,
    ResultKind,
    Urc,
)

OK = FinalResult(ResultKind.OK, None, "OK")
ERROR = FinalResult(ResultKind.ERROR, None, "ERROR")
PDU = "07912618010000F0240B912618214365F7000042700211214382044F67590D"
PDU_2 = "07912618010000F0240B912618214365F7000042700211214382034F650D"
LENGTH = len(PDU) // 2 - 8

Feed = Callable[[AtConnection, bytes], list[Event]]


def drain(conn: AtConnection) -> list[Event]:
    events = []
    while (event := conn.next_event()) is not None:
        events.append(event)
    return events


def whole(conn: AtConnection, data: bytes) -> list[Event]:
    conn.receive_data(data)
    return drain(conn)


def byte_by_byte(conn: AtConnection, data: bytes) -> list[Event]:
    events = []
    for octet in data:
        conn.receive_data(bytes((octet,)))
        events += drain(conn)
    return events


def with_trailing_bytes(conn: AtConnection, data: bytes) -> list[Event]:
    """A URC comes in the same read; the beginning of another one waits for its end."""
    conn.receive_data(data + b"\r\nRING\r\n\r\n+CMT")
    events = drain(conn)
    assert events.pop() == Urc("RING", "RING")
    conn.receive_data(b'I: "SM",1\r\n')
    assert drain(conn) == [Urc("+CMTI", '+CMTI: "SM",1')]
    return events


@pytest.fixture(params=[whole, byte_by_byte, with_trailing_bytes])
def feed(request: pytest.FixtureRequest) -> Feed:
    function: Feed = request.param
    return function


@pytest.fixture
def conn() -> AtConnection:
    return AtConnection()
