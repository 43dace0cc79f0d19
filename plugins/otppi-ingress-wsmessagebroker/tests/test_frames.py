"""Frames of every kind, hostile ones too: from a raw server, octet by octet."""

import json
import random
import struct
from collections.abc import Callable
from typing import Any

import pytest

from otppi_ingress_wsmessagebroker.connection import MESSAGE_LIMIT


def playing(tools: Any, hostile: Callable[[Any], None]) -> Callable[[Any], None]:
    """Make a script that is hostile to the first connection, and sends a command to the second one."""
    state = {"first": True}

    def script(connection: Any) -> None:
        connection.accept()
        if state.pop("first", False):
            hostile(connection)
        else:
            connection.sock.sendall(tools.frame(json.dumps(tools.sms(99)).encode()))
        connection.answer_pings()

    return script


HOSTILE: dict[str, bytes] = {
    "reserved bit": b"\xc1\x00",
    "unknown opcode": b"\x83\x00",
    "unknown control opcode": b"\x8f\x00",
    "continuation of nothing": b"\x80\x01x",
    "part of a ping": b"\x09\x00",
    "ping too long": b"\x89\x7e\x00\x80" + b"x" * 128,
    "close too long": b"\x88\x7e\x00\x80" + b"x" * 128,
    "close with half a code": b"\x88\x01\x03",
    "close with a forbidden code": b"\x88\x02" + struct.pack("!H", 1005),
    "close of an application": b"\x88\x02" + struct.pack("!H", 4001),
    "close without a code": b"\x88\x00",
    "close with words": b"\x88\x08" + struct.pack("!H", 1008) + b"RAHAS\xff",
    "a text begun in a text": b"\x01\x01x\x01\x01x",
    "ping that is endless": b"\x89\x7f" + struct.pack("!Q", 1 << 62),
    "noise": random.Random(7).randbytes(5000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_frames_end_that_connection_and_nothing_else(
    run: Any, raw: Any, tools: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = raw(playing(tools, lambda connection: connection.sock.sendall(HOSTILE[name])))
    running = run(server.port, timeout=3, ping_interval=1)
    tools.eventually(lambda: running.gateway.ids() == ["99"])
    assert len(server.connections) == 2
    assert "RAHAS" not in caplog.text
    assert "Traceback" not in caplog.text


def test_parts_of_a_message_with_control_frames_in_between(run: Any, raw: Any, tools: Any) -> None:
    body = json.dumps(tools.sms(1)).encode()
    pongs: list[bytes] = []

    def script(connection: Any) -> None:
        connection.accept()
        connection.sock.sendall(tools.frame(body[:10], final=False) + tools.frame(b"are you there", 9))
        while len(pongs) < 1:
            opcode, payload = connection.read_frame()
            if opcode == 10:
                pongs.append(payload)
            elif opcode == 9:
                connection.sock.sendall(tools.frame(payload, 10))
        connection.sock.sendall(tools.frame(b"", 0, final=False) * 3 + tools.frame(body[10:20], 0, final=False))
        connection.sock.sendall(tools.frame(b"unasked", 10) + tools.frame(body[20:], 0))
        connection.answer_pings()

    running = run(raw(script).port)
    tools.eventually(lambda: running.gateway.ids() == ["1"])
    assert pongs == [b"are you there"]


def test_octet_by_octet_and_masked(run: Any, raw: Any, tools: Any) -> None:
    def script(connection: Any) -> None:
        connection.accept()
        body = json.dumps(tools.sms(1)).encode()
        for octet in tools.frame(body) + tools.frame(json.dumps(tools.sms(2)).encode(), mask=b"abcd"):
            connection.sock.sendall(bytes([octet]))
        connection.answer_pings()

    running = run(raw(script).port)
    tools.eventually(lambda: running.gateway.ids() == ["1", "2"])


def test_frames_that_come_with_the_handshake(run: Any, raw: Any, tools: Any) -> None:
    def script(connection: Any) -> None:
        frames = tools.frame(json.dumps(tools.sms(1)).encode()) + tools.frame(b"hello?", 9)
        sendall, connection.sock_sendall = connection.sock.sendall, None

        class Together:
            """Sends the frames with what it is given."""

            def __getattr__(self, name: str) -> Any:
                return getattr(plain, name)

            def sendall(self, data: bytes) -> None:
                sendall(data + frames)

        plain = connection.sock
        connection.sock = Together()
        connection.accept()
        connection.sock = plain
        connection.answer_pings()

    running = run(raw(script).port)
    tools.eventually(lambda: running.gateway.ids() == ["1"])


@pytest.mark.parametrize("parts", [False, True])
def test_a_message_too_long_is_passed_over(
    run: Any, raw: Any, tools: Any, parts: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def script(connection: Any) -> None:
        connection.accept()
        piece = b"x" * (MESSAGE_LIMIT // 8)
        if parts:
            connection.sock.sendall(tools.frame(piece, final=False))
            for _ in range(20):
                connection.sock.sendall(tools.frame(piece, 0, final=False))
            connection.sock.sendall(tools.frame(b"", 0))
        else:
            connection.sock.sendall(tools.frame(piece * 20))
        connection.sock.sendall(tools.frame(b"x" * MESSAGE_LIMIT))
        connection.sock.sendall(tools.frame(json.dumps(tools.sms(3)).encode()))
        connection.answer_pings()

    server = raw(script)
    running = run(server.port)
    tools.eventually(lambda: running.gateway.ids() == ["3"])
    assert running.says("ignored") == 2
    assert len(server.connections) == 1
    assert "a message is ignored, it is too long" in caplog.text


def test_a_text_that_is_not_utf_8(run: Any, raw: Any, tools: Any) -> None:
    def script(connection: Any) -> None:
        connection.accept()
        connection.sock.sendall(tools.frame(b"\xff\xfe\x80") + tools.frame(json.dumps(tools.sms(1)).encode()))
        connection.answer_pings()

    server = raw(script)
    running = run(server.port)
    tools.eventually(lambda: running.gateway.ids() == ["1"])
    assert (running.says("ignored"), len(server.connections)) == (1, 1)


def test_a_flood_of_pings_is_answered_with_the_last_one_at_least(run: Any, raw: Any, tools: Any) -> None:
    answered: list[bytes] = []

    def script(connection: Any) -> None:
        connection.accept()
        for number in range(20_000):
            connection.sock.sendall(tools.frame(b"%d" % number, 9))
        while b"19999" not in answered:
            opcode, payload = connection.read_frame()
            if opcode == 10:
                answered.append(payload)
            elif opcode == 9:
                connection.sock.sendall(tools.frame(payload, 10))
        connection.sock.sendall(tools.frame(json.dumps(tools.sms(1)).encode()))
        connection.answer_pings()

    running = run(raw(script).port)
    tools.eventually(lambda: running.gateway.ids() == ["1"])


ANSWERS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "the server closed the connection during the handshake"),
    "noise": (b"SSH-2.0-OpenSSH\r\n", "no WebSocket server"),
    "endless head": (b"HTTP/1.1 101 Switching\r\n" + b"X: y\r\n" * 5000, "no WebSocket server"),
    "tls": (b"\x15\x03\x01\x00\x02\x02\x46", "it wants TLS"),
    "401": (b"HTTP/1.1 401 Unauthorized\r\n\r\n", "username or password is wrong (401)"),
    "endless page": (b"HTTP/1.1 500 Oh no\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 100, "it answers 500"),
    "redirect": (b"HTTP/1.1 301 Moved\r\nLocation: ws://127.0.0.1:9/x\r\n\r\n", "it redirects to ws://127.0.0.1:9/x"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_servers_of_another_kind(run: Any, raw: Any, tools: Any, name: str, caplog: pytest.LogCaptureFixture) -> None:
    answer, told = ANSWERS[name]

    def script(connection: Any) -> None:
        connection.read_head()
        connection.sock.sendall(answer)

    server = raw(script)
    running = run(server.port)
    tools.eventually(lambda: running.says("attempts") >= 2)
    assert told in running.says("last_problem")
    assert "password" not in caplog.text.replace("username or password is wrong", "").replace("the password would", "")
    assert "dXNlcm5hbWU6cGFzc3dvcmQ" not in caplog.text
