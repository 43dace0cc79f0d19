"""The monitor through the pages' own server: who gets its events, and when they end."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otppi.admin.live.hub import WatcherLimits
from otppi.api.events import MessageSending
from otppi.api.operations import Role
from otppi.testing.waiting import PATIENCE, until

MARKER = "kode-rahasia-7316"
RECEIVER = "081234567890"


class Stream:
    """The events of one open page; read as they come."""

    def __init__(self, browser: Any, last_event_id: str = "", method: str = "GET") -> None:
        self.received = b""
        self._socket = socket.create_connection(("127.0.0.1", browser.port), PATIENCE)
        kept = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        last = f"Last-Event-ID: {last_event_id}\r\n" if last_event_id else ""
        head = f"{method} /monitor/events HTTP/1.1\r\nHost: 127.0.0.1:{browser.port}\r\nCookie: {kept}\r\n{last}\r\n"
        self._socket.sendall(head.encode())

    def until(self, wanted: bytes) -> bytes:
        """Read until something has come; return all that has."""
        while wanted not in self.received:
            data = self._socket.recv(1 << 16)
            assert data, self.received
            self.received += data
        return self.received

    def until_end(self) -> bytes:
        """Read until the server ends it."""
        while data := self._socket.recv(1 << 16):
            self.received += data
        return self.received

    def close(self) -> None:
        self._socket.close()


Watch = Callable[..., Stream]


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Return a function that opens a stream."""
    opened: list[Stream] = []

    def begin(browser: Any, last_event_id: str = "", method: str = "GET") -> Stream:
        opened.append(Stream(browser, last_event_id, method))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def session_of(site: Any, browser: Any) -> Any:
    session = site.parts.sessions.find(browser.cookies["otppi"], secure=False)
    assert session is not None
    return session


def test_the_page_and_its_events_tell_a_message_and_not_its_text(site: Any, watch: Watch) -> None:
    browser = site.inside(Role.VIEWER)
    stream = watch(browser)
    head = stream.until(b"event: snapshot").decode().partition("\r\n\r\n")[0]
    assert head.startswith("HTTP/1.1 200 ")
    assert "Content-Type: text/event-stream" in head
    assert "Cache-Control: no-store" in head
    sent = site.call("send", receiver=RECEIVER, message=MARKER)
    stream.until(f'"id":"{sent["message_id"]}"'.encode())
    stream.until(b'"state":"delivered"')
    for language in ("id", "en"):
        page = browser.get("/monitor", Accept_Language=language)
        assert page.status == 200
        assert "62812******90" in page.text
        assert MARKER not in page.text
        assert "81234567890" not in page.text
    assert MARKER.encode() not in stream.received
    assert b"81234567890" not in stream.received


def test_rows_are_filtered_without_the_script(site: Any) -> None:
    browser = site.inside(Role.VIEWER)
    site.call("send", receiver=RECEIVER, message=MARKER)
    assert "62812******90" in browser.get("/monitor?source=command-line&modem=m0").text.partition("<template")[0]
    assert "62812******90" not in browser.get("/monitor?state=failed").text
    assert browser.get("/monitor?state=a&state=b&source=%3Cscript%3E").status == 200


def test_watching_is_no_activity_of_the_session(site: Any, watch: Watch) -> None:
    browser = site.inside(Role.VIEWER)
    session = session_of(site, browser)
    before = session.used
    watch(browser).until(b"event: snapshot")
    assert session.used == before
    browser.get("/monitor")
    assert session.used > before


def test_a_session_that_ends_takes_its_streams_along(site: Any, watch: Watch) -> None:
    browser, other = site.inside(Role.OPERATOR), site.inside(Role.OPERATOR)
    streams = [watch(browser), watch(browser)]
    stays = watch(other)
    for stream in (*streams, stays):
        stream.until(b"event: snapshot")
    assert len(session_of(site, browser).on_end) == 1
    browser.post("/logout")
    for stream in streams:
        stream.until_end()
    stays.close()
    until(lambda: not site.host.events.wants(MessageSending), "nobody is subscribed")


def test_who_may_not_be_here_any_more_is_told_nothing(site: Any, watch: Watch) -> None:
    stream = watch(site.inside(Role.OPERATOR))
    stream.until(b"event: snapshot")
    site.call("administrator_deactivate", username="oki")
    stream.until_end()


def test_without_a_session_there_are_no_events(site: Any, watch: Watch) -> None:
    assert watch(site.browser()).until(b"\r\n\r\n").startswith(b"HTTP/1.1 403 ")
    assert not site.host.events.wants(MessageSending)


def test_head_leaves_no_watcher_behind(site: Any, watch: Watch) -> None:
    assert watch(site.inside(Role.VIEWER), method="HEAD").until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    until(lambda: site.parts.live.watchers == 0, "the watcher is forgotten")
    until(lambda: not site.host.events.wants(MessageSending), "nobody is subscribed")


def test_a_session_has_four_streams_and_the_fifth_is_told_when_to_come_again(site: Any, watch: Watch) -> None:
    browser = site.inside(Role.VIEWER)
    for _ in range(WatcherLimits().per_session):
        watch(browser).until(b"event: snapshot")
    answer = watch(browser).until(b"\r\n\r\n").decode()
    assert answer.startswith("HTTP/1.1 503 ")
    assert "Retry-After: 30" in answer
    watch(site.inside(Role.VIEWER)).until(b"event: snapshot")


def test_a_browser_that_comes_back_says_what_it_has_seen(site: Any, watch: Watch) -> None:
    browser = site.inside(Role.VIEWER)
    stays, leaves = watch(browser), watch(browser)
    stays.until(b"event: snapshot")
    told = leaves.until(b"event: snapshot").decode()
    last = told.partition("\nid: ")[2].partition("\n")[0]
    leaves.close()
    sent = site.call("send", receiver=RECEIVER, message=MARKER)
    wanted = f'"id":"{sent["message_id"]}"'.encode()
    stays.until(wanted)
    back = watch(browser, last_event_id=last)
    back.until(wanted)
    assert b"event: snapshot" not in back.received


@pytest.mark.parametrize("last_event_id", ["x" * 4000, "%0d%0aid: 1", "zz-1"])
def test_a_strange_last_event_is_none(site: Any, watch: Watch, last_event_id: str) -> None:
    told = watch(site.inside(Role.VIEWER), last_event_id=last_event_id).until(b"event: snapshot")
    assert last_event_id.encode() not in told
