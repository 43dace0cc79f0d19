"""A gateway whose alarms go by a clock that the test turns, and a server for its webhook."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otppi.host.alarms.service import Alarms
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE, Registry
from otppi.testing.scripted import ScriptedModem, SentText, until

PHONE = "6281234567890"
ADI = {"username": "adi", "password": "kursi hijau di teras", "role": "administrator", "language": "en"}


class Alarmed:
    """A gateway with modems and an administrator, and its alarms, whose time is `now` (monotonic) and `wall`."""

    def __init__(self, host: Host, modems: list[ScriptedModem]) -> None:
        self.host = host
        self.modems = modems
        self.now = 1_000.0
        self.wall = 1_800_000_000.0
        host.alarms.stop()  # its clock is the device's
        self.alarms = self._begin()
        host.alarms = self.alarms
        self.registry: Registry = registry_of(host.data, host)

    def _begin(self) -> Alarms:
        alarms = Alarms(
            self.host.data.config,
            self.host._watched(),
            self.host.gateway.send_by_hand,
            self.host.webhook,
            self.host.data.path / "alarms",
            clock=lambda: self.now,
            wall=lambda: self.wall,
        )
        alarms.start()
        return alarms

    def again(self) -> None:
        """Have the next run of the gateway look, after a crash: nothing is told to this one that it ends."""
        self.alarms = self._begin()

    def change(self, document: object) -> None:
        self.call("settings_import", document=document)

    def call(self, name: str, **arguments: Any) -> Any:
        return self.registry.call(name, arguments, COMMAND_LINE)

    def watch(self, minutes: float, step: float = 15.0) -> None:
        """Let time pass, and have the alarms looked at every few seconds; what is told is handed over meanwhile."""
        for _ in range(int(minutes * 60 / step)):
            self.now += step
            self.wall += step
            self.alarms.look_now()
            if (thread := self.alarms._thread) is not None:
                thread.end(60)

    def texts(self) -> list[SentText]:
        return [one for modem in self.modems for one in modem.outbox]

    def lose(self, modem: ScriptedModem) -> None:
        modem.sickness = modem.loss("it was unplugged")
        modem.lose()
        until(lambda: modem.name in self.alarms.lost_modems())

    def bring_back(self, modem: ScriptedModem) -> None:
        modem.sickness = None
        until(lambda: modem.name not in self.alarms.lost_modems())


@pytest.fixture
def alarmed(host: Host, doubles: Any) -> Callable[..., Alarmed]:
    """Make a gateway of so many modems, with settings of alarms."""

    def make(modems: int = 2, **settings: Any) -> Alarmed:
        registry = registry_of(host.data, host)
        named = [{"name": f"m{number}", "type": "scripted"} for number in range(modems)]
        sms = {"modem_grace": 1, "countries": ["ID"]}
        document = {"modems": named, "administrators": [ADI | {"phone": PHONE}], "sms": sms, "alarms": settings}
        registry.call("settings_import", {"document": document}, COMMAND_LINE)
        made = doubles.modems[-modems:]
        until(lambda: all(one.is_open for one in made))
        return Alarmed(host, made)

    return make


class Hook(http.server.ThreadingHTTPServer):
    """Takes what a webhook posts, with the status of `answers`, and keeps it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def end(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        self.server.headers.append(dict(self.headers))
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    one = Hook()
    yield one
    one.end()
