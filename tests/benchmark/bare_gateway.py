"""The bare gateway: HTTP in, AT out, one thread, nothing else. What its latency is, no gateway in Python can beat.

Run as a program (`python -m tests.benchmark.bare_gateway PORT DEVICE`) it serves one connection after the other and
answers each POST when the modem has sent the message. It checks nothing and forgets everything.
"""

import json
import os
import socket
import sys
import tty

from tests.benchmark.client import HOST

from otppi.wire.address import Address
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsSubmit, pdu_line

_ANSWER = b'{"data":{"state":"sent"}}'
_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(_ANSWER),
    _ANSWER,
)


def serve(port: int, device: str) -> None:
    """Serve for ever."""
    line = os.open(device, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)
    for command in ("AT", "ATE0", "AT+CMGF=0"):
        _say(line, f"{command}\r", b"OK\r\n")
    with socket.create_server((HOST, port)) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _converse(connection, line)


def _converse(connection: socket.socket, line: int) -> None:
    buffer = b""
    while data := connection.recv(65536):
        buffer += data
        head, end, body = buffer.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            continue
        buffer = b""
        if body:
            _send(line, json.loads(body)["data"])
        connection.sendall(_RESPONSE)


def _send(line: int, message: dict[str, str]) -> None:
    for part in segment(message["message"]):
        pdu, length = pdu_line(SmsSubmit(destination=Address.parse(f"+{message['receiver']}"), user_data=part))
        _say(line, f"AT+CMGS={length}\r", b"> ")
        _say(line, f"{pdu}\x1a", b"OK\r\n")


def _say(line: int, text: str, end: bytes) -> None:
    os.write(line, text.encode())
    answer = os.read(line, 4096)
    while not answer.endswith(end):
        answer += os.read(line, 4096)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
