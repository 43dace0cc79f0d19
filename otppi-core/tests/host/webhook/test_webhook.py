"""The webhook: what is posted, how it is signed, and servers that refuse, are slow, hang up, or are impostors."""

import hashlib
import hmac
import http.server
import json
import logging
import re
import ssl
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.events import InboundPart
from otppi.host.host import Host
from otppi.host.webhook import webhook as module
from otppi.host.webhook.settings import WEBHOOK
from otppi.host.webhook.webhook import MESSAGE_RECEIVED, MESSAGE_STATE, Webhook
from otppi.testing.scripted import until
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


# -- what is posted ----------------------------------------------------------------------------------------------------


def test_events_are_posted_in_order_over_one_connection(server: Server, start: Callable[..., Webhook]) -> None:
    webhook = start(server.url)
    for number in range(20):
        webhook.post(MESSAGE_STATE, {"number": number, "text": "Ünïcödé"})
    until(lambda: idle(webhook))
    assert [event["data"] for event in server.events] == [{"number": n, "text": "Ünïcödé"} for n in range(20)]
    assert len({event["id"] for event in server.events}) == 20
    assert {event["event"] for event in server.events} == {"message.state"}
    assert all(abs(event["time"] - time.time()) < 10 for event in server.events)
    assert len({port for _, _, _, port in server.requests}) == 1
    path, headers, _, _ = server.requests[0]
    assert path == "/hook?key=inurl"
    assert headers["Content-Type"] == "application/json"
    assert state(webhook) == (0, 20, 0)


def test_each_post_is_signed(server: Server, start: Callable[..., Webhook]) -> None:
    webhook = start(server.url)
    webhook.post(MESSAGE_RECEIVED, {"text": "a text"})
    until(lambda: idle(webhook))
    _, headers, body, _ = server.requests[0]
    stamp = headers["OTP-Pi-Timestamp"]
    assert abs(int(stamp) - time.time()) < 10
    wanted = hmac.new(KEY.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["OTP-Pi-Signature"] == f"v1={wanted}"


def test_without_a_key_nothing_is_signed(server: Server, start: Callable[..., Webhook]) -> None:
    webhook = start(server.url, secret="")
    webhook.post(MESSAGE_RECEIVED, {})
    until(lambda: idle(webhook))
    assert "OTP-Pi-Signature" not in server.requests[0][1]


def test_the_verification_of_the_documentation_works() -> None:
    (code,) = re.findall(r"```python\n(import hashlib.*?)```", DOCS.read_text(), re.DOTALL)
    space: dict[str, Any] = {}
    exec(code, space)  # noqa: S102 - it is what developers will copy
    stamp, body = str(int(time.time())), b'{"event": "message.received"}'
    headers = {"OTP-Pi-Timestamp": stamp, "OTP-Pi-Signature": f"v1={module.sign(KEY, stamp, body)}"}
    assert space["is_genuine"](KEY, headers, body)
    assert not space["is_genuine"]("another key", headers, body)
    assert not space["is_genuine"](KEY, headers, body + b" ")
    old = str(int(time.time()) - 3600)
    replayed = {"OTP-Pi-Timestamp": old, "OTP-Pi-Signature": f"v1={module.sign(KEY, old, body)}"}
    assert not space["is_genuine"](KEY, replayed, body)
    assert not space["is_genuine"](KEY, headers | {"OTP-Pi-Timestamp": str(int(stamp) + 1)}, body)
    assert not space["is_genuine"](KEY, {}, body)


@pytest.mark.parametrize(
    ("values", "forwarded"),
    [
        ({}, ["message.received", "message.state"]),
        ({"messages": False}, ["message.state"]),
        ({"states": False}, ["message.received"]),
    ],
)
def test_only_what_is_wanted_is_forwarded(
    server: Server, start: Callable[..., Webhook], values: dict[str, bool], forwarded: list[str]
) -> None:
    webhook = start(server.url, **values)
    webhook.post(MESSAGE_RECEIVED, {})
    webhook.post(MESSAGE_STATE, {})
    until(lambda: idle(webhook))
    assert [event["event"] for event in server.events] == forwarded


def test_without_a_url_nothing_waits(start: Callable[..., Webhook]) -> None:
    webhook = start("")
    webhook.post(MESSAGE_RECEIVED, {})
    assert webhook.describe() == {"server": "", "waiting": 0, "delivered": 0, "given_up": 0, "last_error": None}


# -- servers that fail -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (status(500), "the server answered 500"),
        (status(429), "the server answered 429"),
        (hang_up, "Remote end closed connection"),
        (talk_nonsense, "BadStatusLine"),
    ],
)
def test_what_may_work_later_is_tried_again(
    server: Server, start: Callable[..., Webhook], monkeypatch: pytest.MonkeyPatch, act: Act, error: str
) -> None:
    monkeypatch.setattr(module, "_LONGEST_PAUSE", 30.0)
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.1)
    server.script.extend([act, act])
    webhook = start(server.url)
    webhook.post(MESSAGE_RECEIVED, {"n": 1})
    webhook.post(MESSAGE_RECEIVED, {"n": 2})
    until(lambda: webhook.describe()["last_error"])
    assert error in webhook.describe()["last_error"]
    until(lambda: idle(webhook))
    assert [event["data"]["n"] for event in server.events] == [1, 1, 1, 2]
    assert len({event["id"] for event in server.events}) == 2
    assert state(webhook) == (0, 2, 0)
    assert webhook.describe()["last_error"] is None


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 404, 410])
def test_what_the_server_does_not_want_is_given_up_at_once(
    server: Server, start: Callable[..., Webhook], code: int
) -> None:
    server.script.append(status(code, location=server.url.replace("hook", "elsewhere")))
    webhook = start(server.url)
    webhook.post(MESSAGE_RECEIVED, {"n": 1})
    webhook.post(MESSAGE_RECEIVED, {"n": 2})
    until(lambda: idle(webhook))
    assert [(path, json.loads(body)["data"]["n"]) for path, _, body, _ in server.requests] == [
        ("/hook?key=inurl", 1),
        ("/hook?key=inurl", 2),
    ]
    assert state(webhook) == (0, 1, 1)


def test_attempts_are_bounded(server: Server, start: Callable[..., Webhook], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.script.extend([status(503)] * 3)
    webhook = start(server.url, attempts=3)
    webhook.post(MESSAGE_RECEIVED, {"text": SECRET_TEXT})
    until(lambda: idle(webhook))
    assert len(server.requests) == 3
    assert state(webhook) == (0, 0, 1)
    assert webhook.describe()["last_error"] == "the server answered 503"
    assert "gives an event up" in caplog.text
    for hidden in (SECRET_TEXT, "inurl", KEY):
        assert hidden not in caplog.text + repr(webhook.describe()) + repr(webhook._waiting)


def test_nobody_waits_for_a_server_that_says_nothing(server: Server, start: Callable[..., Webhook]) -> None:
    server.script.extend([be_silent] * 100)
    webhook = start(server.url, queue_size=5, timeout=60.0)
    webhook.post(MESSAGE_RECEIVED, {"n": 0})
    until(lambda: server.requests)
    for number in range(1, 50):
        webhook.post(MESSAGE_RECEIVED, {"n": number})
    assert state(webhook) == (5, 0, 45)  # the first one still waits for its answer


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(server: Server, start: Callable[..., Webhook]) -> None:
    server.script.extend([be_silent] * 100)
    webhook = start(server.url, timeout=0.1, attempts=2)
    webhook.post(MESSAGE_RECEIVED, {})
    until(lambda: idle(webhook))
    assert state(webhook) == (0, 0, 1)
    assert webhook.describe()["last_error"] == "the server did not answer within 0.1 s"


def drip(*parts: bytes) -> Act:
    def act(handler: Handler) -> None:
        for part in parts:
            handler.wfile.write(part)
        for _ in range(500):
            if handler.server.release.wait(0.02):
                break
            handler.wfile.write(b"x")
        handler.close_connection = True

    return act


@pytest.mark.parametrize(
    "begin", [(), (b"HTTP/1.1 200 OK\r\n",), (b"HTTP/1.1 200 OK\r\nX-Drip: ",)], ids=["status", "name", "value"]
)
def test_a_server_that_drips_its_answer_does_not_hold_the_queue(
    server: Server, start: Callable[..., Webhook], begin: tuple[bytes, ...]
) -> None:
    """Each octet came before the time-out of one read: the queue was held for hours."""
    server.script.append(drip(*begin))
    webhook = start(server.url, timeout=2.0, attempts=1)
    webhook.post(MESSAGE_RECEIVED, {"n": 1})
    webhook.post(MESSAGE_RECEIVED, {"n": 2})
    until(lambda: idle(webhook))
    assert state(webhook) == (0, 1, 1)


def test_what_was_taken_is_taken_even_if_the_answers_body_drips(server: Server, start: Callable[..., Webhook]) -> None:
    server.script.append(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"))
    webhook = start(server.url, timeout=2.0)
    webhook.post(MESSAGE_RECEIVED, {"n": 1})
    webhook.post(MESSAGE_RECEIVED, {"n": 2})
    until(lambda: idle(webhook))
    assert [event["data"]["n"] for event in server.events] == [1, 2]  # none of them twice
    assert state(webhook) == (0, 2, 0)


def test_an_answer_without_end_is_not_read(server: Server, start: Callable[..., Webhook]) -> None:
    server.script.append(talk_on_and_on)
    webhook = start(server.url)
    webhook.post(MESSAGE_RECEIVED, {"n": 1})
    webhook.post(MESSAGE_RECEIVED, {"n": 2})
    until(lambda: idle(webhook))
    assert [event["data"]["n"] for event in server.events] == [1, 2]


def test_a_connection_that_was_closed_meanwhile_costs_no_attempt(server: Server, start: Callable[..., Webhook]) -> None:
    def take_and_close(handler: Handler) -> None:
        status(200)(handler)
        handler.close_connection = True  # without having said so

    server.script.extend([take_and_close] * 3)
    webhook = start(server.url, attempts=1)
    for number in range(3):
        webhook.post(MESSAGE_RECEIVED, {"n": number})
        until(lambda: idle(webhook))
    assert state(webhook) == (0, 3, 0)


def test_nobody_listens(start: Callable[..., Webhook]) -> None:
    webhook = start("http://127.0.0.1:1/", attempts=2)
    webhook.post(MESSAGE_RECEIVED, {})
    until(lambda: idle(webhook))
    assert webhook.describe()["last_error"] == "nobody listens at port 1"


def test_it_stops_while_it_waits_for_the_server(server: Server, start: Callable[..., Webhook]) -> None:
    server.script.append(be_silent)
    webhook = start(server.url, timeout=60.0)
    webhook.post(MESSAGE_RECEIVED, {})
    until(lambda: server.requests)
    webhook.stop()  # the fixture checks that its thread ends


def test_other_settings_count_at_once(server: Server, start: Callable[..., Webhook]) -> None:
    server.script.append(be_silent)
    webhook = start(server.url, timeout=60.0)
    webhook.post(MESSAGE_RECEIVED, {"n": 1})
    until(lambda: server.requests)
    other = Server()
    try:
        webhook.configure(values_of(WEBHOOK, url=other.url))
        until(lambda: idle(webhook))
        assert [event["data"]["n"] for event in other.events] == [1]
    finally:
        other.end()
    webhook.configure(values_of(WEBHOOK))
    webhook.post(MESSAGE_RECEIVED, {"n": 2})
    assert idle(webhook)


# -- TLS ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that no CA of the system has signed, and its key in one file."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*command.split(), "-keyout", "key", "-out", "cert"], cwd=folder, check=True, capture_output=True)
    (folder / "both").write_text((folder / "cert").read_text() + (folder / "key").read_text())
    return folder


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "both")
    one = Server(context)
    yield one
    one.end()


def test_a_server_with_an_unknown_certificate_gets_nothing(tls_server: Server, start: Callable[..., Webhook]) -> None:
    webhook = start(tls_server.url, attempts=2)
    webhook.post(MESSAGE_RECEIVED, {"text": SECRET_TEXT})
    until(lambda: idle(webhook))
    assert tls_server.requests == []
    assert "not valid for 127.0.0.1: self-signed" in webhook.describe()["last_error"]


def test_an_own_ca_is_trusted(tls_server: Server, start: Callable[..., Webhook], certificate: Path) -> None:
    webhook = start(tls_server.url, ca_file=str(certificate / "cert"))
    webhook.post(MESSAGE_RECEIVED, {})
    webhook.post(MESSAGE_RECEIVED, {})
    until(lambda: idle(webhook))
    assert len(tls_server.requests) == 2


def test_a_certificate_of_another_name_is_refused(
    tls_server: Server, start: Callable[..., Webhook], certificate: Path
) -> None:
    webhook = start(tls_server.url.replace("127.0.0.1", "localhost"), ca_file=str(certificate / "cert"), attempts=1)
    webhook.post(MESSAGE_RECEIVED, {})
    until(lambda: idle(webhook))
    assert tls_server.requests == []
    assert "not valid for localhost: Hostname mismatch" in webhook.describe()["last_error"]


def test_a_ca_file_that_is_not_there_is_told(tls_server: Server, start: Callable[..., Webhook]) -> None:
    webhook = start(tls_server.url, ca_file="/nowhere/ca.pem", attempts=1)
    webhook.post(MESSAGE_RECEIVED, {})
    until(lambda: idle(webhook))
    assert "No such file" in webhook.describe()["last_error"]


# -- settings and gateway ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h/",
        "example.com",
        "http://",
        "http://h:0/",
        "http://h:99999/",
        "http://u:p@h/",
        "http://h/a b",
        "http://ü/",
    ],
)
def test_urls_that_cannot_work(url: str) -> None:
    assert WEBHOOK["url"].problem(url)


@pytest.mark.parametrize("url", ["", "https://example.com/hook", "http://10.0.0.7:8080", "https://[::1]:8443/a?b=c"])
def test_urls_that_can_work(url: str) -> None:
    assert WEBHOOK["url"].problem(url) is None


def test_a_message_that_came_in_is_forwarded_by_the_gateway(host: Host, doubles: Any, server: Server) -> None:
    host.data.config.update({"webhook": {"url": server.url}})
    host.apply(["webhook"])
    doubles.contexts["scripted"].events.received(InboundPart("BANK", SECRET_TEXT, 1_700_000_000.0))
    until(lambda: server.requests)
    (event,) = server.events
    (kept,) = host.inbox.messages()
    assert event["event"] == "message.received"
    assert event["data"] == {
        "message_id": kept.message_id,
        "modem_id": "scripted",
        "originator": "BANK",
        "text": SECRET_TEXT,
        "sent": 1_700_000_000.0,
        "arrived": kept.arrived,
        "segments": 1,
        "missing": [],
        "binary": False,
        "damaged": False,
    }
