"""A gateway to stand in for the host's, a served ingress, and a client that sees every byte."""

import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import AuthenticationFailed, Busy, NotPermitted, Throttled
from otppi.api.ingress import IngressContext, Origin, Sender
from otppi.testing.waiting import PATIENCE
from otppi.testing.waiting import until as eventually
from otppi.web.timeouts import Timeouts
from otppi.wire.envelope import Answer, Command, Envelope, Item, ResponseCode, parse
from otppi.wire.errors import AddressError
from otppi.wire.msisdn import read_written
from otppi_ingress_rest.ingress import RestIngress
from otppi_ingress_rest.settings import SECTION

BASIC = "Authorization: Basic " + base64.b64encode(b"user:password").decode()


class StandInTicket:
    """One command's ticket: final at once, or when the gateway releases it."""

    def __init__(self, answer: Answer, final: Answer | None) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._final = threading.Event()
        self._callbacks: list[Callable[[Answer], None]] = []
        if final is None:
            self._final.set()
        self._later = final

    def answer(self, wait: float = 0.0) -> Answer:
        self._final.wait(wait)
        return self._answer

    def when_final(self, callback: Callable[[Answer], None]) -> None:
        with self._lock:
            if not self._final.is_set():
                self._callbacks.append(callback)
                return
        callback(self._answer)

    def withdraw(self) -> None:
        raise AssertionError("nothing would deliver it again")

    def is_held(self) -> bool:
        raise AssertionError("nobody competes for it")

    def release(self) -> None:
        with self._lock:
            if self._later is not None:
                self._answer = self._later
            self._final.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self._answer)


class StandInGateway:
    """Checks users and receivers as the host does, but sends nothing; `hold` keeps messages queued until `release`."""

    def __init__(self) -> None:
        self.users = {"user": "password"}
        self.managers = {"user"}
        self.only_metrics = False
        self.rotated = 0
        self.key_fault: Exception | None = None
        self.token = "a-token-of-letters"
        self.hold = False
        self.status = "ok"
        self.fault: Exception | None = None
        self.answer: Answer | None = None
        self.taken: list[tuple[Envelope, Origin]] = []
        self.tickets: list[StandInTicket] = []
        self.wrong = 0
        self.limit = 1_000_000
        self.slow = ""
        self.logins: list[Future[Sender]] = []
        self.busy = False
        self.remembers = True
        self.quick = True

    def recognise(self, username: str, password: str) -> Sender | None:
        right = self.users.get(username) == password and self.remembers and self.wrong < self.limit and not self.busy
        return Sender(username, username in self.managers, self.only_metrics) if right else None

    def recognise_token(self, token: str) -> Sender | None:
        return Sender("token") if token == self.token else None

    def authenticate(self, username: str, password: str, address: str) -> Sender | Future[Sender]:
        """Check a password as the host does; those that begin with `slow` wait for the test."""
        if self.busy:
            raise Busy("memory is short", 3.1)
        if self.slow and password.startswith(self.slow):
            self.logins.append(Future())
            return self.logins[-1]
        if self.wrong >= self.limit:
            raise Throttled(7.2)
        if self.users.get(username) != password:
            self.wrong += 1
            raise AuthenticationFailed("no")
        return Sender(username, username in self.managers, self.only_metrics)

    def authenticate_token(self, token: str, address: str) -> Sender:
        if token != self.token:
            raise AuthenticationFailed("no")
        return Sender("token")

    def read(self, body: bytes, ingress: str) -> Envelope:
        return parse(body)

    def keys(self) -> Mapping[str, Any]:
        if self.key_fault is not None:
            raise self.key_fault
        number = f"{self.rotated:043}"
        return {"keys": [{"kty": "EC", "crv": "P-256", "x": number, "y": number, "use": "enc", "kid": number}]}

    def rotate_keys(self, sender: Sender) -> Mapping[str, Any]:
        if not sender.manage_keys:
            raise NotPermitted(f"{sender.name} may not")
        self.rotated += 1
        return self.keys()

    def is_quick(self, envelope: Envelope) -> bool:
        return self.quick and envelope.command is Command.SEND_SMS and not envelope.is_list

    def submit(self, envelope: Envelope, origin: Origin) -> StandInTicket:
        if self.fault is not None:
            raise self.fault
        self.taken.append((envelope, origin))
        ticket = self._ticket(envelope)
        self.tickets.append(ticket)
        return ticket

    def _ticket(self, envelope: Envelope) -> StandInTicket:
        if self.answer is not None:
            return StandInTicket(self.answer, None)
        numbers_only = envelope.command in (Command.BLOCK_MSISDN, Command.UNBLOCK_MSISDN)
        if problems := [problem for item in envelope.items if (problem := _problem(item, numbers_only))]:
            return StandInTicket(Answer(envelope.name, ResponseCode.MALFORMED, data={"errors": problems}), None)
        data = {"id": envelope.items[0].id, "message_id": f"m{len(self.taken)}"}
        sent = Answer(envelope.name, ResponseCode.SUCCESS, data={**data, "state": "sent", "modem_id": "m0"})
        if not self.hold:
            return StandInTicket(sent, None)
        return StandInTicket(Answer(envelope.name, ResponseCode.SUCCESS, data={**data, "state": "queued"}), sent)

    def release(self) -> None:
        for ticket in self.tickets:
            ticket.release()

    def message(self, message_id: str, sender: Sender) -> Answer | None:
        for number, (envelope, origin) in enumerate(self.taken, 1):
            if message_id == f"m{number}" and origin.sender == sender:
                return self.tickets[number - 1].answer() if envelope else None
        return None

    def capacity(self) -> int:
        return 8

    def health(self) -> Mapping[str, Any]:
        return {"status": self.status, "version": "1.2.3", "modems": {"m0": "ready"}, "queue": 0}

    def counters(self) -> Mapping[str, Mapping[str, float]]:
        ended = {'state="sent",ingress="ingress-rest"': 3.0, "failed": 2.0, 'od"d\n': 1.0}
        return {"messages_total": ended, "queue_length": {"": 0}}


def _problem(item: Item, numbers_only: bool) -> dict[str, str] | None:
    if item.receiver is None or ("@" in item.receiver and not numbers_only):
        return None
    try:
        read_written(item.receiver)
    except AddressError as error:
        return {"field": "data.receiver", "reason": str(error)}
    return None


class Wire:
    """A raw connection to the ingress."""

    def __init__(self, port: int, *, tls: bool = False) -> None:
        self.sock: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock)
        self._file = self.sock.makefile("rb")

    def send(self, data: bytes) -> "Wire":
        self.sock.sendall(data)
        return self

    def half_close(self) -> "Wire":
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def response(self, *, bodiless: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Read one response."""
        status_line = self._file.readline()
        assert status_line.startswith(b"HTTP/1.1 "), status_line
        fields: dict[str, str] = {}
        while (line := self._file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            fields[name.strip().lower()] = value.strip()
        body = b"" if bodiless else self._file.read(int(fields.get("content-length", "0")))
        return int(status_line.split()[1]), fields, body

    def answer(self) -> tuple[int, dict[str, Any]]:
        """Read one response that is an answer's JSON."""
        status, fields, body = self.response()
        assert fields["content-type"] == "application/json"
        answer = json.loads(body)
        assert {"command", "response_code", "response_text"} <= answer.keys()
        return status, answer

    def closed(self) -> bool:
        """Whether the server closes the connection (within the patience)."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self._file.close()
        self.sock.close()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Served:
    """A running ingress."""

    def __init__(self, gateway: StandInGateway, folder: Path, timeouts: Timeouts, changes: Mapping[str, Any]) -> None:
        values = {"http_port": 0, "https_port": 0, "https_enable": False, "bind_address": "127.0.0.1", **changes}
        settings, problems = SECTION.validate(values)
        assert not problems
        self.gateway = gateway
        self.ingress = RestIngress(IngressContext(settings, gateway, folder), timeouts)
        self.thread = threading.Thread(target=self.ingress.run, name="ingress-rest")
        self.thread.start()
        eventually(lambda: bool(self.ingress.describe()["listening"]) or not self.thread.is_alive())
        self._wires: list[Wire] = []

    @property
    def port(self) -> int:
        return int(self.ingress.describe()["http_port"])

    @property
    def tls_port(self) -> int:
        return int(self.ingress.describe()["https_port"])

    def connect(self, data: bytes = b"") -> Wire:
        wire = Wire(self.port)
        self._wires.append(wire)
        return wire.send(data)

    def connect_tls(self, data: bytes = b"") -> Wire:
        wire = Wire(self.tls_port, tls=True)
        self._wires.append(wire)
        return wire.send(data)

    def ask(self, request: bytes) -> tuple[int, dict[str, Any]]:
        with Wire(self.port) as wire:
            return wire.send(request).answer()

    def stop(self) -> None:
        self.gateway.release()
        self.ingress.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        for wire in self._wires:
            wire.close()


def post(
    body: bytes | str | dict[str, Any],
    *fields: str,
    path: str = "/api/message",
    length: int | None = None,
    auth: str = BASIC,
) -> bytes:
    """Write a POST request."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    size = len(content) if length is None else length
    lines = [f"POST {path} HTTP/1.1", "Host: sub.domain.tld", f"Content-Length: {size}", auth, *fields]
    return "\r\n".join([line for line in lines if line]).encode("latin-1") + b"\r\n\r\n" + content


def get(path: str, *fields: str, method: str = "GET") -> bytes:
    """Write a request without a body."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: sub.domain.tld", *fields, "", ""]).encode("latin-1")


SMS: dict[str, Any] = {
    "command": "send-sms",
    "data": {"id": 123456, "receiver": "08126666666", "message": "OTP Anda adalah 1234"},
}


def _open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def gateway() -> StandInGateway:
    return StandInGateway()


@pytest.fixture
def serve(gateway: StandInGateway, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Return a function that serves with changed settings; all ends, and leaves nothing behind, with the test."""
    before = set(threading.enumerate())
    descriptors = _open_descriptors()
    running: list[Served] = []

    def start(timeouts: Timeouts | None = None, **changes: Any) -> Served:
        served = Served(gateway, tmp_path, timeouts or Timeouts(stop=0.3), changes)
        running.append(served)
        return served

    yield start
    for served in running:
        served.stop()
    eventually(lambda: set(threading.enumerate()) <= before)
    eventually(lambda: _open_descriptors() <= descriptors)


@pytest.fixture(scope="session")
def make_served() -> Callable[..., Any]:
    """Return a context manager that serves a gateway of its own, for tests of a whole module."""

    @contextmanager
    def make(folder: Path, **changes: Any) -> Iterator[Served]:
        served = Served(StandInGateway(), folder, Timeouts(stop=0.3), changes)
        try:
            yield served
        finally:
            served.stop()

    return make


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve()


class Tools:
    """What tests call; a fixture, because test modules cannot import each other."""

    SMS = SMS
    BASIC = BASIC
    post = staticmethod(post)
    get = staticmethod(get)
    eventually = staticmethod(eventually)


@pytest.fixture(scope="session")
def http() -> type[Tools]:
    return Tools
