"""A client of the REST API on raw sockets: one kept-alive connection, requests encoded in advance, next to no cost."""

import base64
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from tests.benchmark.processes import BenchmarkError

HOST = "127.0.0.1"
USER, PASSWORD = "bench", "a password of the benchmark"
PATH = "/api/message"
AUTHORIZATION = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Response:
    """A status and the JSON envelope."""

    status: int
    envelope: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """The envelope's data."""
        data = self.envelope.get("data")
        return data if isinstance(data, dict) else {}

    @property
    def state(self) -> str:
        """The message's state."""
        return str(self.data.get("state", ""))


@dataclass(frozen=True, slots=True)
class Message:
    """A message to send: its receiver is its name, no other has the same."""

    number: int

    @property
    def receiver(self) -> str:
        """An MSISDN of the form that mobile numbers have: others are refused."""
        return f"62812{self.number:08}"

    @property
    def text(self) -> str:
        """A text such as one-time passwords come in."""
        return f"Your one-time password is {self.number % 1_000_000:06}. Do not give it to anybody."

    def request(self, wait: float | None = None) -> bytes:
        """Encode the HTTP request; `wait` in seconds as in the query, or the server's default."""
        data = {"id": f"bench-{self.number}", "receiver": self.receiver, "message": self.text}
        body = json.dumps({"command": "send-sms", "data": data}).encode()
        query = "" if wait is None else f"?wait={wait:g}"
        return _head("POST", PATH + query, len(body)) + body


def poll_request(message_id: str) -> bytes:
    """Encode the request for a message's state."""
    return _head("GET", f"/api/messages/{message_id}", 0)


def health_request() -> bytes:
    """Encode the request for the gateway's health."""
    return _head("GET", "/api/health", 0)


def _head(method: str, path: str, length: int) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {HOST}",
        f"Authorization: {AUTHORIZATION}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


class Client:
    """One connection. A request may be sent before the answer to the one before was read.

    Raises:
        OSError: Nobody listens, or the server hung up.
    """

    def __init__(self, port: int, timeout: float = 120.0) -> None:
        self._sock = socket.create_connection((HOST, port), timeout)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self.outstanding = 0

    def send(self, request: bytes) -> None:
        """Send a request."""
        self._sock.sendall(request)
        self.outstanding += 1

    def receive(self) -> Response:
        """Read the answer to the oldest request."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._more()
        head = self._buffer[:end].decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        while len(self._buffer) < end + 4 + length:
            self._more()
        body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
        self.outstanding -= 1
        return Response(int(head.split(" ", 2)[1]), json.loads(body))

    def ask(self, request: bytes) -> Response:
        """Send a request and read its answer."""
        self.send(request)
        return self.receive()

    def _more(self) -> None:
        data = self._sock.recv(65536)
        if not data:
            raise ConnectionResetError("the server hung up")
        self._buffer += data

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""
        return self._sock.fileno()

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def messages(first: int, count: int) -> list[Message]:
    """Return `count` messages, numbered from `first` on."""
    return [Message(number) for number in range(first, first + count)]


def queue(client: Client, many: Iterable[Message]) -> None:
    """Post messages, one after the other, without waiting for them to be sent.

    Raises:
        BenchmarkError: one was not taken.
    """
    for message in many:
        response = client.ask(message.request(0))
        if response.status not in (200, 202):
            raise BenchmarkError(
                f"a message was not queued: {response.status} {response.envelope.get('response_code')}"
            )
