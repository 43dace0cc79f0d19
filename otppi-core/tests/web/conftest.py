"""A server on a free port, and what a test needs to look at it."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otppi.testing.waiting import PATIENCE, until
from otppi.web.application import Application
from otppi.web.listener import Listener, open_port
from otppi.web.server import HttpServer, ServerLimits
from otppi.web.timeouts import Timeouts


class Served:
    """A running server."""

    def __init__(self, application: Application, limits: ServerLimits, timeouts: Timeouts, **listening: Any) -> None:
        self.sock = open_port("127.0.0.1", 0, "the.port")
        listener = Listener(self.sock, **listening)
        self.port = listener.port
        self.server = HttpServer("a-server", [listener], application, limits, timeouts)
        self._thread = threading.Thread(target=self.server.run, name="a-server")
        self._thread.start()
        self._clients: list[socket.socket] = []

    def connect(self, request: str = "", receive_buffer: int = 0) -> socket.socket:
        """Connect, and send a request."""
        client = socket.socket()
        self._clients.append(client)
        client.settimeout(PATIENCE)
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.connect(("127.0.0.1", self.port))
        client.sendall(request.encode("latin-1"))
        return client

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Make a request of one's own connection; give status, header fields and body."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            client.request(method, path, body, headers or {})
            answer = client.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            client.close()

    def stop(self) -> None:
        self.server.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self.sock.close()
        for client in self._clients:
            client.close()


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that serves an application; all of it ends with the test."""
    before = set(threading.enumerate())
    running: list[Served] = []

    def start(
        application: Application, limits: ServerLimits | None = None, timeouts: Timeouts | None = None, **listening: Any
    ) -> Served:
        running.append(Served(application, limits or ServerLimits(), timeouts or Timeouts(stop=1.0), **listening))
        return running[-1]

    yield start
    for one in running:
        one.stop()
    until(lambda: set(threading.enumerate()) <= before)
