"""Servers of a webhook that do as a test says, and webhooks that post to them."""

import http.server
import json
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.host.webhook import webhook as module
from otppi.host.webhook.settings import WEBHOOK
from otppi.host.webhook.webhook import Webhook
from otppi.testing.values import values_of
from otppi.testing.waiting import PATIENCE

SECRET_TEXT = "kode rahasia 731904"
KEY = "made-up key"
DOCS = Path(__file__).parents[4] / "docs/inbox.md"

Act = Callable[["Handler"], None]


class Handler(http.server.BaseHTTPRequestHandler):
    """Does what the test's script says; where that is at its end, it takes the event."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body, self.client_address[1]))
        act = self.server.script.popleft() if self.server.script else status(200)
        act(self)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: deque[Act] = deque()
        self.requests: list[tuple[str, dict[str, str], bytes, int]] = []
        self.release = threading.Event()
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.server_port}/hook?key=inurl"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is no error."""

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body, _ in self.requests]

    def end(self) -> None:
        self.release.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


def status(code: int, location: str = "") -> Act:
    def act(handler: Handler) -> None:
        handler.send_response(code)
        if location:
            handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return act


def hang_up(handler: Handler) -> None:
    handler.close_connection = True


def be_silent(handler: Handler) -> None:
    handler.server.release.wait(PATIENCE)
    handler.close_connection = True


def talk_nonsense(handler: Handler) -> None:
    handler.wfile.write(b"SSH-2.0-not-a-web-server\r\n\r\n")
    handler.close_connection = True


def talk_on_and_on(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(1 << 30))
    handler.end_headers()
    handler.wfile.write(b"x" * 100_000)
    handler.server.release.wait(PATIENCE)
    handler.close_connection = True


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.end()


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Webhook]]:
    """Start a webhook with short pauses."""
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(module, "_LONGEST_PAUSE", 0.02)
    running: list[tuple[Webhook, threading.Thread]] = []

    def begin(url: str, **values: Any) -> Webhook:
        one = Webhook(values_of(WEBHOOK, **{"url": url, "secret": KEY, "states": True, "timeout": 1.0, **values}))
        thread = threading.Thread(target=one.run)
        thread.start()
        running.append((one, thread))
        return one

    yield begin
    for one, thread in running:
        one.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def state(webhook: Webhook) -> tuple[int, int, int]:
    told = webhook.describe()
    return told["waiting"], told["delivered"], told["given_up"]


def idle(webhook: Webhook) -> bool:
    return state(webhook)[0] == 0
