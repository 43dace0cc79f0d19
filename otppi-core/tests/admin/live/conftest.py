"""A gateway that runs, with the monitor's hub on a real server, and browsers that watch."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from otppi.admin.live.hub import Hub, WatcherLimits
from otppi.admin.live.monitor import LiveHub
from otppi.admin.live.snapshot import GatewayView
from otppi.api.errors import Busy
from otppi.api.events import MessageSending
from otppi.api.modem import ModemContext, ModemType
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.testing.bench import ORIGIN
from otppi.testing.scripted import ScriptedModem
from otppi.testing.waiting import PATIENCE, until
from otppi.web.listener import Listener, open_port
from otppi.web.request import Refusal, Request
from otppi.web.response import Response, plain
from otppi.web.server import HttpServer, ServerLimits
from otppi.web.stream import Stream
from otppi.web.timeouts import Timeouts
from otppi.wire.envelope import parse


class WatchedGateway:
    """A gateway with one scripted modem; `marker` stands in every text, and no octet that is sent may hold it."""

    marker = "kode-rahasia-7316"

    def __init__(self, folder: Path) -> None:
        self.modems: list[ScriptedModem] = []
        plugins = load_plugins(())
        plugins.modem_types["scripted"] = ModemType(
            key="scripted", title="scripted modem", help="For tests.", create=self._modem, embedded_default=True
        )
        self.data = DataFolder(folder / "data", plugins=plugins)
        (folder / "boot").mkdir(mode=0o700)
        self.host = Host(self.data, folder / "boot")
        self.registry = registry_of(self.data, self.host)
        self.host.start()
        until(lambda: self.host.gateway.health()["status"] == "ok")

    def _modem(self, context: ModemContext) -> ScriptedModem:
        self.modems.append(ScriptedModem(context.settings["name"]))
        return self.modems[-1]

    def send(self, number: int = 0, wait: float = PATIENCE) -> dict[str, Any]:
        """Send a message whose text is a secret, and wait for its end; return its data."""
        data = {"receiver": f"0812{number:08}", "message": f"{self.marker} {number}"}
        body = json.dumps({"command": "send-sms", "data": data}).encode()
        answer = self.host.gateway.submit(parse(body), ORIGIN).answer(wait)
        assert isinstance(answer.data, dict), answer
        return answer.data

    @property
    def is_watched(self) -> bool:
        """Whether anybody subscribed to what only the monitor does."""
        return self.host.events.wants(MessageSending)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[WatchedGateway]:
    before = set(threading.enumerate())
    running = WatchedGateway(tmp_path)
    yield running
    running.host.stop()
    until(lambda: set(threading.enumerate()) <= before, "the threads of the test end")


@dataclass(frozen=True, slots=True)
class Told:
    """An event as a browser takes it (WHATWG HTML 9.2.6)."""

    event: str
    data: Any
    event_id: str
    retry: str


class Browser:
    """One `EventSource`: a connection that is read as a test wants."""

    def __init__(self, port: int, session: str = "s", last_event_id: str = "", receive_buffer: int = 0) -> None:
        self.received = b""
        self._chunks = b""
        self._events = b""
        self._headed = self._ended = False
        self._socket = socket.socket()
        self._socket.settimeout(PATIENCE)
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.connect(("127.0.0.1", port))
        last = f"Last-Event-ID: {last_event_id}\r\n" if last_event_id else ""
        self._socket.sendall(f"GET /events HTTP/1.1\r\nHost: a\r\nX-Session: {session}\r\n{last}\r\n".encode())

    def status(self) -> tuple[int, dict[str, str]]:
        """Read the head; return status and header fields."""
        while b"\r\n\r\n" not in self.received:
            self._receive()
        head, _, rest = self.received.partition(b"\r\n\r\n")
        self._headed = True
        self._decode(rest)
        first, *lines = head.decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines)
        return int(first.split()[1]), {name.lower(): value for name, value in fields.items()}

    def told(self) -> Told | None:
        """Return the next event; None where the stream has ended."""
        if not self._headed:
            assert self.status()[0] == 200, self.received
        while b"\n\n" not in self._events:
            if self._ended:
                return None
            self._receive()
        event, _, self._events = self._events.partition(b"\n\n")
        return _event(event)

    def until(self, event: str, wanted: Callable[[Any], object] = bool) -> Told:
        """Read until an event of this kind has what is wanted."""
        while (told := self.told()) is not None:
            if told.event == event and wanted(told.data):
                return told
        raise AssertionError(f"the stream ended before a {event}")

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def _receive(self) -> None:
        data = self._socket.recv(1 << 16)
        assert data, f"the server closed: {self.received[-200:]!r}"
        self.received += data
        if self._headed:
            self._decode(data)

    def _decode(self, data: bytes) -> None:
        """Take what is in whole chunks (RFC 9112 7.1) out of them."""
        self._chunks += data
        while (parts := self._chunks.partition(b"\r\n"))[1]:
            size = int(parts[0], 16)
            if len(parts[2]) < size + 2:
                return
            self._ended = size == 0
            self._events += parts[2][:size]
            self._chunks = parts[2][size + 2 :]


def _event(lines: bytes) -> Told:
    fields = dict(line.split(": ", 1) for line in lines.decode().split("\n"))
    return Told(fields["event"], json.loads(fields["data"]), fields.get("id", ""), fields.get("retry", ""))


class Watching:
    """A server with a hub behind it; the session is a header field, and ends where a test says so."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.over: set[str] = set()
        self.browsers: list[Browser] = []
        self.sock = open_port("127.0.0.1", 0, "monitor")
        listener = Listener(self.sock)
        self.port = listener.port
        self.server = HttpServer("monitor", [listener], self, ServerLimits(connections=300), Timeouts(stop=1.0))
        self._thread = threading.Thread(target=self.server.run, name="monitor")
        self._thread.start()

    def body_limit(self, _request: Request) -> int:
        return 0

    def recognises(self, _request: Request) -> bool:
        return True

    def is_quick(self, _request: Request) -> bool:
        return False

    def refuse(self, refusal: Refusal, path: str) -> Response:
        return plain(refusal)

    def respond(self, request: Request) -> Response:
        session = request.field("x-session")
        try:
            stream = self.hub.join(
                lambda on_end, limit: Stream(limit, on_end),
                session,
                lambda: session not in self.over,
                request.field("last-event-id"),
            )
        except Busy as busy:
            return Response(503, b"", (("Retry-After", f"{busy.retry_after:g}"),))
        return Response(200, stream, (("Cache-Control", "no-store"),), "text/event-stream")

    def watch(self, session: str = "s", last_event_id: str = "", receive_buffer: int = 0) -> Browser:
        self.browsers.append(Browser(self.port, session, last_event_id, receive_buffer))
        return self.browsers[-1]

    def stop(self) -> None:
        for browser in self.browsers:
            browser.close()
        self.hub.stop()
        self.server.stop()
        self._thread.join(PATIENCE)
        self.sock.close()


Serve = Callable[..., Watching]


@pytest.fixture
def serve(gateway: WatchedGateway) -> Iterator[Serve]:
    """Return a function that serves the gateway's monitor, by some limits."""
    with _served(gateway) as start:
        yield start


@contextmanager
def _served(gateway: WatchedGateway) -> Iterator[Serve]:
    running: list[Watching] = []

    def start(**limits: Any) -> Watching:
        hub = LiveHub(gateway.host.events, GatewayView(gateway.registry), WatcherLimits(**limits))
        running.append(Watching(hub))
        return running[-1]

    yield start
    for one in running:
        one.stop()
