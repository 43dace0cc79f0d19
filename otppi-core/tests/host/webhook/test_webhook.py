"""The webhook: what is posted, how it is signed, certificates, settings."""

import hashlib
import hmac
import re
import ssl
import subprocess
import time
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

from .conftest import (
    DOCS,
    KEY,
    SECRET_TEXT,
    Server,
    idle,
    state,
)

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
