"""The webhook and servers that refuse, are slow, hang up, or say nothing."""

import json
import logging
from collections.abc import Callable

import pytest

from otppi.host.webhook import webhook as module
from otppi.host.webhook.settings import WEBHOOK
from otppi.host.webhook.webhook import MESSAGE_RECEIVED, Webhook
from otppi.testing.scripted import until
from otppi.testing.values import values_of

from .conftest import (
    KEY,
    SECRET_TEXT,
    Act,
    Handler,
    Server,
    be_silent,
    hang_up,
    idle,
    state,
    status,
    talk_nonsense,
    talk_on_and_on,
)

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
